-- The facts that the access rules read. Rebuildable from Consent, CareTeam and Patient; written by trust.access only.

create table access_space (
  shard smallint not null,
  patient uuid not null,
  state text not null check (state in (
    'eligible', 'notified', 'opposed', 'open_inactive', 'open_active',
    'closed', 'suspended', 'deleting', 'purged', 'deceased')),
  -- The three emergency choices: call centre (ETREAT), break-the-glass (BTG), masked documents in an emergency (MASKED).
  etreat boolean not null default true,
  btg boolean not null default true,
  emergency_masked boolean not null default false,
  masked_by_default boolean not null default false,
  feed_opposed boolean not null default false,
  state_since timestamptz not null,
  updated timestamptz not null,
  recorded_by text not null,
  primary key (shard, patient)
);

-- One row per actor of a patient, and one more per care team that the actor belongs to (team, all zeroes otherwise).
create table access_grant (
  shard smallint not null,
  patient uuid not null,
  actor bigint not null,
  team uuid not null default '00000000-0000-0000-0000-000000000000',
  actor_id text not null,
  actor_name text not null default '',
  actor_kind text not null check (actor_kind in ('professional', 'organization')),
  state text not null check (state in ('authorised', 'treating', 'administrator', 'blocked')),
  via text not null check (via in ('consent', 'care_team', 'treating', 'patient')),
  since timestamptz not null,
  until timestamptz,
  recorded_by text not null,
  recorded_name text not null default '',
  primary key (shard, patient, actor, team)
);
create index access_grant_actor on access_grant (actor, shard, patient);

create table access_relation (
  shard smallint not null,
  patient uuid not null,
  person uuid not null,
  kind text not null check (kind in ('representative', 'carer')),
  person_name text not null default '',
  since timestamptz not null,
  until timestamptz,
  recorded_by text not null,
  primary key (shard, patient, person, kind)
);
create index access_relation_person on access_relation (person, shard, patient);

-- Emergency accesses opened by professionals, each for one patient and a short time.
create table access_emergency (
  shard smallint not null,
  patient uuid not null,
  actor bigint not null,
  id uuid not null,
  actor_id text not null,
  actor_name text not null,
  purpose text not null check (purpose in ('bris_de_glace', 'centre_15')),
  reason text not null,
  opened timestamptz not null,
  until timestamptz not null,
  primary key (shard, patient, actor, id)
);
create index access_emergency_actor on access_emergency (actor, until);

-- How often somebody looked patients up, by minute: the limit on searching for people.
create table access_lookup (
  actor bigint not null,
  minute timestamptz not null,
  lookups integer not null,
  primary key (actor, minute)
);

grant select, insert, update, delete on
  access_space, access_grant, access_relation, access_emergency, access_lookup to ambroise_app;
