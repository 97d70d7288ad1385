-- An identity may lose its INS (RNIV: provisional and validated identities have none), and has attributes.
alter table identity_registry
  alter column matricule drop not null,
  alter column oid drop not null,
  add column attributes text[] not null default '{}',
  add constraint identity_registry_ins check ((matricule is null) = (oid is null));

-- What happened to the trust given to an identity. Lines are added, and removed with the space only.
create table identity_trust (
  shard smallint not null,
  patient uuid not null,
  id uuid not null,
  at timestamptz not null,
  change text not null,
  status text not null,
  attributes text[] not null,
  matricule text,
  oid text,
  proof text,
  by text not null,
  note text,
  primary key (shard, patient, id)
);

grant select, insert, delete on identity_trust to ambroise_app;
