-- Unique ids (uniqueId, XDS) already used. The shard is the hash of the id, since a duplicate may name another patient.
create table record_unique_id (
  shard smallint not null,
  unique_id text not null,
  patient uuid not null,
  document uuid not null,
  binary_id uuid not null,
  sha256 bytea not null,
  primary key (shard, unique_id)
);

create index record_unique_id_patient on record_unique_id (patient);

-- Documents withheld from the patient until a disclosure visit (R1111-53): when, and what was already told.
create table record_withheld (
  shard smallint not null,
  patient uuid not null,
  document uuid not null,
  since timestamptz not null,
  notice_at timestamptz not null,
  visible_at timestamptz not null,
  ended_at timestamptz,
  primary key (shard, patient, document)
);

-- Which documents a submission of several holds: its List is as hidden as the most hidden of them.
create table record_submission (
  shard smallint not null,
  patient uuid not null,
  list uuid not null,
  document uuid not null,
  primary key (shard, patient, document, list)
);

-- What somebody says is wrong with a record, and what the desk did about it.
create table record_report (
  shard smallint not null,
  patient uuid not null,
  id uuid not null,
  kind text not null check (kind in ('misfiled_document', 'unrecognised_access', 'duplicate_identity', 'changed_ins')),
  state text not null default 'open' check (state in ('open', 'taken', 'closed')),
  subject text not null,
  details jsonb not null default '{}',
  reported_by text not null,
  reported_at timestamptz not null,
  taken_by text,
  outcome text,
  outcome_note text,
  closed_by text,
  closed_at timestamptz,
  primary key (shard, patient, id)
);
create index record_report_queue on record_report (state, kind, reported_at, id);

grant select, insert, update, delete on record_unique_id, record_withheld, record_submission to ambroise_app;
grant select, insert, update on record_report to ambroise_app;
