-- The data key of each citizen, wrapped by the master key. A destroyed key keeps its row, as the proof of the purge.
create table data_key (
  shard smallint not null,
  patient uuid not null,
  version integer not null,
  master_id text not null,
  wrapped bytea,
  created_at timestamptz not null default now(),
  destroyed_at timestamptz,
  primary key (shard, patient, version)
);

-- Encrypted documents: the bytes here when they are small, else at `place` in the object store.
create table blob (
  shard smallint not null,
  id uuid not null,
  patient uuid,
  size bigint not null,
  sha1 bytea not null,
  sha256 bytea not null,
  content_type text not null,
  key_version integer not null,
  place text,
  data bytea,
  created_at timestamptz not null default now(),
  primary key (shard, id),
  check ((place is null) <> (data is null))
);

-- Ciphertext does not compress: trying costs time and gives nothing.
alter table blob alter column data set storage external;

create index blob_patient on blob (shard, patient, key_version) where patient is not null;
create index blob_place on blob (place) where place is not null;

grant select, insert, update on data_key to ambroise_app;
grant select, insert, update, delete on blob to ambroise_app;
