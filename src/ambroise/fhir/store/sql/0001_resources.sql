-- The FHIR store. `shard` comes first in every key, so that the tables can be distributed by it: it is the shard of the
-- patient for everything in a patient's compartment, of the resource itself otherwise. Columns stand in the order that
-- wastes no padding. No column can be null where a comparison would have to think about it: no date is -infinity.

create table resource (
  updated timestamptz not null,
  -- The principal date of the type, as a half-open interval; both ends are -infinity when there is none.
  date_low timestamptz not null default '-infinity',
  date_high timestamptz not null default '-infinity',
  author bigint not null default 0,
  author_organization bigint not null default 0,
  -- Hash of "Type/id": what references to this resource are made of.
  handle bigint not null,
  version integer not null,
  kind integer not null default 0,
  flags integer not null default 0,
  shard smallint not null,
  type smallint not null,
  deleted boolean not null default false,
  id uuid not null,
  patient uuid,
  source uuid,
  name text,
  -- Hashes of what tokens, references and uris can be searched by.
  terms bigint[] not null default '{}',
  -- The parameters that have a value, for `:missing`.
  present smallint[] not null default '{}',
  -- Displays and texts of tokens, for `:text`.
  displays text,
  body bytea not null,
  primary key (shard, type, id)
);

-- Bodies are compressed before they come here: a second compression would only cost time.
alter table resource alter column body set storage external;
-- Planning a search on a frequent term needs to know that it is frequent.
alter table resource alter column terms set statistics 500;

-- Ascending, and read backwards: what is new comes at the right end of its pages, which then fill up. The first one
-- serves every list of a record; by another order than the date, the rows of one type are few enough to be sorted.
create index resource_patient_date on resource (shard, patient, type, date_low, id)
  where patient is not null and not deleted;
create index resource_type_date on resource (type, date_low, id) where not deleted;
create index resource_type_updated on resource (type, updated, id);
create index resource_terms on resource using gin (terms) with (fastupdate = on, gin_pending_list_limit = 512);
create index resource_source on resource (shard, source) where source is not null;
-- Reverse chains start from references that were found and look for what they name.
create index resource_handle on resource (handle);

-- Versions that were replaced. The present one is never here.
create table resource_history (
  updated timestamptz not null,
  author bigint not null,
  author_organization bigint not null,
  version integer not null,
  kind integer not null,
  flags integer not null,
  shard smallint not null,
  type smallint not null,
  deleted boolean not null,
  id uuid not null,
  patient uuid,
  source uuid,
  name text,
  body bytea not null,
  primary key (shard, type, id, version)
);

alter table resource_history alter column body set storage external;

create index resource_history_updated on resource_history (type, updated, id);

-- Dates other than the principal one (microseconds since 1970), numbers and quantities, as intervals.
create table resource_range (
  shard smallint not null,
  parameter smallint not null,
  id uuid not null,
  low numeric not null,
  high numeric not null,
  -- Hashes of "system|code", "|code" and "|unit" for a quantity.
  units bigint[]
);

create index resource_range_resource on resource_range (shard, id, parameter);
create index resource_range_value on resource_range (parameter, low, high);

-- Strings without case, accents and doubled spaces; `original` only where it differs.
create table resource_text (
  shard smallint not null,
  parameter smallint not null,
  id uuid not null,
  text text collate "C" not null,
  original text collate "C"
);

create index resource_text_resource on resource_text (shard, id, parameter);
create index resource_text_value on resource_text (parameter, text);

-- Ids chosen by clients. `slot` is the hash of type and name, so that a name is looked up, and is unique, in one place.
create table named_id (
  slot smallint not null,
  type smallint not null,
  name text collate "C" not null,
  shard smallint not null,
  id uuid not null,
  primary key (slot, type, name)
);

create index named_id_resource on named_id (shard, id);

-- The zstd dictionaries that bodies were compressed with, kept beside them so that a dump can be read on its own.
create table dictionary (
  number smallint primary key,
  sha256 bytea not null,
  content bytea not null
);

grant select, insert, update, delete on resource to ambroise_app;
grant select, insert, delete on resource_history to ambroise_app;
grant select, insert, delete on resource_range, resource_text, named_id to ambroise_app;
grant select, insert on dictionary to ambroise_app;
