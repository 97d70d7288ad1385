-- The national register beside those who were registered here: people known by an ADELI number, people who left, what the
-- public extractions say. `source` is where a row comes from; `seen` the last import that held it. A row without
-- `resource` has no copy in the FHIR store: the directory's own interface writes it from these tables.
alter table directory_organization
  alter column resource drop not null,
  add column active boolean not null default true,
  add column siret text,
  add column siren text,
  add column finess_legal text,
  add column technical_id text,
  add column commune text,
  add column country text,
  add column source text not null default 'local',
  add column seen bigint,
  add column updated_at timestamptz not null default now();

alter table directory_professional
  alter column resource drop not null,
  alter column rpps drop not null,
  add column active boolean not null default true,
  add column ended_at timestamptz,
  add column civility text,
  add column category text,
  add column source text not null default 'local',
  add column seen bigint,
  add column updated_at timestamptz not null default now();

alter table directory_situation
  alter column resource drop not null,
  add column active boolean not null default true,
  add column mode text,
  add column genre text,
  add column function text,
  add column sector text,
  add column section text,
  add column authority text,
  add column seen bigint,
  add column updated_at timestamptz not null default now();

-- What a professional is qualified for (savoir-faire): TRE_R04 kind, then the code in the table of that kind.
create table directory_skill (
  professional text not null references directory_professional,
  kind text not null,
  code text not null,
  label text,
  seen bigint,
  primary key (professional, kind, code)
);

-- Addresses of MSSanté (TRE_R257: PER, ORG, CAB, APP) of a person, of a structure, or of a person in a structure.
create table directory_mailbox (
  address text primary key,
  kind text not null,
  professional text,
  organization text,
  service text,
  seen bigint
);
create index directory_mailbox_professional on directory_mailbox (professional);
create index directory_mailbox_organization on directory_mailbox (organization);

-- Care services (HealthcareService) and heavy equipment (Device) of a structure.
create table directory_service (
  id text primary key,
  organization text not null references directory_organization,
  kind text not null check (kind in ('social-equipment', 'healthcare-activity')),
  category text,
  type text,
  characteristic text,
  label text,
  active boolean not null default true,
  seen bigint,
  updated_at timestamptz not null default now()
);
create index directory_service_organization on directory_service (organization);

create table directory_device (
  id text primary key,
  organization text not null references directory_organization,
  type text,
  manufacturer text,
  model text,
  status text not null default 'active',
  seen bigint,
  updated_at timestamptz not null default now()
);
create index directory_device_organization on directory_device (organization);

-- What people are found by: one line for each professional in activity, structure and skill, in the order of names. A
-- projection: `repository.py` writes it with what it comes from.
create table directory_entry (
  professional text not null,
  organization text not null default '',
  specialty text not null default '',
  profession text not null,
  name_key text not null collate "C",
  city_key text not null default '' collate "C",
  postal text not null default '',
  seen bigint,
  primary key (professional, organization, specialty)
);
create index directory_entry_name on directory_entry (name_key, professional);
create index directory_entry_city on directory_entry (city_key, name_key);
create index directory_entry_city_profession on directory_entry (city_key, profession, name_key);
create index directory_entry_city_specialty on directory_entry (city_key, specialty, name_key);
create index directory_entry_profession on directory_entry (profession, name_key);
create index directory_entry_specialty on directory_entry (specialty, name_key);
create index directory_entry_postal on directory_entry (postal, name_key);
create index directory_entry_organization on directory_entry (organization, name_key);

insert into directory_entry (professional, organization, specialty, profession, name_key, city_key, postal)
select p.id_nat, coalesce(s.organization, ''), coalesce(p.specialty, ''), p.profession,
       translate(lower(p.family || ' ' || p.given), 'àâäáãçéèêëîïíìôöóòõùûüúÿñ-''', 'aaaaaceeeeiiiiooooouuuuyn  '),
       translate(lower(coalesce(o.city, '')), 'àâäáãçéèêëîïíìôöóòõùûüúÿñ-''', 'aaaaaceeeeiiiiooooouuuuyn  '),
       coalesce(o.postal_code, '')
from directory_professional p
left join directory_situation s on s.professional = p.id_nat
left join directory_organization o on o.id_nat = s.organization;

-- One reading of an extraction file: where it stands, so that an interrupted one goes on.
create table directory_import (
  number bigint generated always as identity primary key,
  kind text not null,
  file text not null,
  sha256 text not null,
  size bigint not null,
  position bigint not null default 0,
  line bigint not null default 0,
  accepted bigint not null default 0,
  refused bigint not null default 0,
  departed bigint not null default 0,
  returned bigint not null default 0,
  started_at timestamptz not null,
  finished_at timestamptz
);
create unique index directory_import_open on directory_import (kind, sha256) where finished_at is null;

-- Its bad lines: the number, the reason, and the identifier it was about (public data); never more than a thousand.
create table directory_import_refusal (
  import bigint not null references directory_import,
  line bigint not null,
  code text not null,
  about text,
  primary key (import, line)
);

grant select, insert, update, delete
  on directory_skill, directory_mailbox, directory_service, directory_device, directory_entry, directory_import,
     directory_import_refusal
  to ambroise_app;
