-- Files of people that insurers send: how far each was read, and the lines that were refused.
create table space_population (
  id uuid primary key,
  digest bytea not null unique,
  name text not null,
  size bigint not null,
  notified_on date not null,
  position bigint not null default 0,
  line bigint not null default 0,
  entered bigint not null default 0,
  known bigint not null default 0,
  refused bigint not null default 0,
  by_mail bigint not null default 0,
  asked_by text not null,
  asked_at timestamptz not null,
  finished_at timestamptz
);
create index space_population_latest on space_population (asked_at desc);

create table space_population_refusal (
  population uuid not null references space_population (id) on delete cascade,
  line bigint not null,
  code text not null,
  element text not null,
  primary key (population, line)
);

-- A file that came by the desk, until it has been read.
create table space_population_part (
  population uuid not null references space_population (id) on delete cascade,
  start bigint not null,
  bytes bytea not null,
  primary key (population, start)
);

grant select, insert, update, delete on space_population, space_population_refusal, space_population_part to ambroise_app;
