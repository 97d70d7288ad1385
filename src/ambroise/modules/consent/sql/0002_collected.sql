-- The last choice of a patient that each structure told, and when it was collected: hospital software says it again in
-- every message of a stay, and what the patient changed since must not come back.
create table consent_collected (
  shard smallint not null,
  patient uuid not null,
  organization bigint not null,
  matter text not null check (matter in ('consultation', 'feeding')),
  collected_at timestamptz not null,
  primary key (shard, patient, organization, matter)
);

grant select, insert, update, delete on consent_collected to ambroise_app;
