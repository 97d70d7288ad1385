-- The registry of identities (INS): one row per space, with the five strict traits of the RNIV and the confidence status.
create table identity_registry (
  shard smallint not null,
  patient uuid not null,
  matricule text not null,
  oid text not null,
  status text not null check (status in ('PROV', 'RECUP', 'VALI', 'QUAL')),
  birth_name text not null,
  first_name text not null,
  given_names text,
  used_name text,
  used_first_name text,
  birth_date date not null,
  sex text not null,
  birth_place text,
  updated timestamptz not null,
  merged_into uuid,
  primary key (shard, patient)
);
create index identity_registry_traits on identity_registry (birth_name, birth_date);

-- Which space a matricule leads to. Its shard is the hash of the matricule, since the space is not known yet.
-- A matricule that a person no longer uses stays, so that a document sent under it is still recognised.
create table identity_matricule (
  shard smallint not null,
  matricule text not null,
  oid text not null,
  patient_shard smallint not null,
  patient uuid not null,
  current boolean not null default true,
  since timestamptz not null,
  until timestamptz,
  primary key (shard, matricule, oid)
);
create index identity_matricule_patient on identity_matricule (patient);

grant select, insert, update, delete on identity_registry, identity_matricule to ambroise_app;
