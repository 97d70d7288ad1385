-- Documents whose text waits to be indexed: a row for each one filed, taken away by the job that reads it.
create table record_to_index (
  shard smallint not null,
  patient uuid not null,
  document uuid not null,
  attempts smallint not null default 0,
  primary key (shard, patient, document)
);

-- What the text of a document can be found by: hashes of its word stems, made with the patient's id so that equal words
-- of two records look different. The text itself is a blob under the patient's own key.
create table record_text (
  shard smallint not null,
  patient uuid not null,
  document uuid not null,
  text_id uuid not null,
  terms bigint[] not null,
  primary key (shard, patient, document)
);

-- Hashes do not compress.
alter table record_text alter column terms set storage external;

grant select, insert, update, delete on record_to_index, record_text to ambroise_app;
