-- What a patient keeps from one professional or structure, for a time or for good: a kind, or one document.
-- One row for each kind or document; those of one gesture share their id.
create table access_restriction (
  shard smallint not null,
  patient uuid not null,
  actor bigint not null,
  id uuid not null,
  kind integer not null default -1,
  document uuid not null default '00000000-0000-0000-0000-000000000000',
  actor_id text not null,
  actor_name text not null default '',
  actor_kind text not null check (actor_kind in ('professional', 'organization')),
  since timestamptz not null,
  until timestamptz,
  recorded_by text not null,
  check ((kind < 0) <> (document = '00000000-0000-0000-0000-000000000000')),
  primary key (shard, patient, actor, id, kind, document)
);

grant select, insert, delete on access_restriction to ambroise_app;
