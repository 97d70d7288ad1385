-- Copies of records that people asked for (GDPR art. 15 and 20). The pieces of the zip, and the lists of what each
-- holds, are contents sealed with the key of the citizen: here stands only how far the making is.
create table portability_export (
  shard smallint not null,
  id uuid not null,
  patient uuid not null,
  asker jsonb not null,
  asked_by text not null,
  language text not null,
  asked_at timestamptz not null,
  state text not null default 'making' check (state in ('making', 'ready', 'stopped', 'gone')),
  place jsonb not null,
  done integer not null default 0,
  total integer not null default 0,
  files integer not null default 0,
  size bigint not null default 0,
  parts integer not null default 0,
  ready_at timestamptz,
  ends_at timestamptz,
  primary key (shard, id)
);
create index portability_export_patient on portability_export (shard, patient, asked_at desc);
create index portability_export_end on portability_export (ends_at) where state = 'ready';

create table portability_part (
  shard smallint not null,
  export uuid not null,
  number integer not null,
  piece uuid not null,
  listing uuid not null,
  primary key (shard, export, number)
);

grant select, insert, update, delete on portability_export, portability_part to ambroise_app;
