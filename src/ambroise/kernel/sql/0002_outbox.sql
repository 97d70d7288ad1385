-- What happened and must be told to others, written in the same transaction as the fact, delivered by the worker.
create table outbox (
  shard smallint not null,
  id uuid not null,
  event text not null,
  payload jsonb not null,
  patient uuid,
  created_at timestamptz not null default now(),
  not_before timestamptz not null,
  attempts integer not null default 0,
  last_error text,
  dead boolean not null default false,
  primary key (shard, id)
);

create index outbox_due on outbox (not_before, id) where not dead;
create index outbox_patient on outbox (shard, patient, event) where patient is not null;

-- When each periodic job is next due; the row's lock makes one worker run it.
create table job_schedule (
  name text primary key,
  next_at timestamptz not null,
  last_started_at timestamptz,
  last_error text
);

grant select, insert, update, delete on outbox, job_schedule to ambroise_app;
