-- What a citizen is told, in the portal. Rows carry codes and ids, never health content.
create table notification (
  shard smallint not null,
  patient uuid not null,
  id uuid not null,
  at timestamptz not null,
  code text not null,
  subject text,
  details jsonb not null default '{}',
  hidden_from_representatives boolean not null default false,
  read_at timestamptz,
  primary key (shard, patient, id)
);
create index notification_recent on notification (shard, patient, at desc, id);
grant select, insert, update, delete on notification to ambroise_app;
