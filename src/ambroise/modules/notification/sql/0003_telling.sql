-- Telling people outside the portal. A notice waits to be handed out while `pending` says how urgent it is (0 before 1).
alter table notification add column pending smallint;
create index notification_pending on notification (pending, at) where pending is not null;
create index notification_unread on notification (shard, patient) where read_at is null;

-- When a person is told, and in which language.
create table notification_rhythm (
  shard smallint not null,
  person uuid not null,
  language text not null,
  zone text not null,
  quiet_from time not null,
  quiet_until time not null,
  cadence text not null check (cadence in ('at_once', 'daily', 'weekly')),
  primary key (shard, person)
);

-- What a person chose, by space, kind and channel; what is not here is wanted.
create table notification_choice (
  shard smallint not null,
  person uuid not null,
  patient uuid not null,
  kind text not null,
  channel text not null check (channel in ('mail', 'push')),
  wanted boolean not null,
  primary key (shard, person, patient, kind, channel)
);

-- A notice on its way to one person by one channel, and what became of it. Codes and ids, never content.
create table notification_delivery (
  shard smallint not null,
  person uuid not null,
  id uuid not null,
  notice uuid not null,
  patient uuid not null,
  code text not null,
  channel text not null check (channel in ('mail', 'push')),
  made_at timestamptz not null,
  due_at timestamptz not null,
  state text not null check (state in ('waiting', 'handed', 'sent', 'failed', 'cancelled')),
  message uuid,
  done_at timestamptz,
  reason text,
  primary key (shard, person, id)
);
create index notification_delivery_due on notification_delivery (due_at) where state = 'waiting';
create index notification_delivery_handed on notification_delivery (message) where state = 'handed';
create index notification_delivery_notice on notification_delivery (notice);
create index notification_delivery_person on notification_delivery (shard, person, made_at desc);
create index notification_delivery_patient on notification_delivery (patient);
create index notification_delivery_made on notification_delivery (made_at);

-- The browsers that asked to be told: their address and keys are sealed.
create table notification_browser (
  shard smallint not null,
  person uuid not null,
  id uuid not null,
  digest bytea not null,
  sealed bytea not null,
  name text not null,
  added_at timestamptz not null,
  primary key (shard, person, id)
);
create unique index notification_browser_digest on notification_browser (shard, person, digest);

-- Up to which seal the trace was read for the visits of professionals.
create table notification_mark (
  name text primary key,
  seal bigint not null
);

grant select, insert, update, delete on notification_rhythm, notification_choice, notification_delivery,
  notification_browser, notification_mark to ambroise_app;
