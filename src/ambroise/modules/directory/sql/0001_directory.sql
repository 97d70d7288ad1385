create extension if not exists pg_trgm;

-- Structures of care. `id_nat` is the national identifier (Struct_IdNat), `resource` the Organization that the world reads.
create table directory_organization (
  id_nat text primary key,
  name text not null,
  facility text,
  setting text,
  address_line text,
  postal_code text,
  city text,
  phone text,
  email text,
  test_identity boolean not null default false,
  resource text not null
);

-- Professionals. `search` holds the normalised words that a person may be found by, each after a space.
create table directory_professional (
  id_nat text primary key,
  rpps text not null unique,
  family text not null,
  given text not null,
  sex text,
  title text,
  profession text not null,
  profession_system text not null,
  specialty text,
  label text,
  phone text,
  test_identity boolean not null default false,
  search text not null,
  resource text not null
);
create index directory_professional_search on directory_professional using gin (search gin_trgm_ops);

-- Situations of exercise; the one with the lowest rank is taken when the caller names none.
create table directory_situation (
  professional text not null references directory_professional,
  organization text not null references directory_organization,
  rank smallint not null default 0,
  role_title text,
  resource text not null,
  primary key (professional, organization)
);
create index directory_situation_organization on directory_situation (organization);

grant select, insert, update, delete
  on directory_organization, directory_professional, directory_situation
  to ambroise_app;
