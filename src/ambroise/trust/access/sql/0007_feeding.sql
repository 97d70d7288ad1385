-- Structures that a patient opposes to feed the record, as they collected it at an admission (PAM France, ZFA-9). What
-- the patient opposes for everybody stands in access_space.
create table access_feed_opposition (
  shard smallint not null,
  patient uuid not null,
  organization bigint not null,
  organization_id text not null,
  organization_name text not null default '',
  since timestamptz not null,
  recorded_by text not null,
  primary key (shard, patient, organization)
);

grant select, insert, update, delete on access_feed_opposition to ambroise_app;
