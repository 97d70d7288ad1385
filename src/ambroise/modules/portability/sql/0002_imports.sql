-- Files that citizens brought from elsewhere. The file itself is a content sealed with the key of the citizen; it is
-- deleted once it is taken or left. `digest` is keyed by the patient, so that two rows tell nothing of a shared file.
create table portability_import (
  shard smallint not null,
  id uuid not null,
  patient uuid not null,
  asked_by text not null,
  asker jsonb not null,
  asked_at timestamptz not null,
  state text not null check (state in ('proposed', 'taking', 'done', 'undone', 'dropped')),
  sort text not null,
  origin text not null,
  digest bytea not null,
  source uuid,
  following integer not null default 0,
  papers integer not null default 0,
  items integer not null default 0,
  language text not null,
  finished_at timestamptz,
  primary key (shard, id)
);
create index portability_import_patient on portability_import (shard, patient, asked_at desc);
-- The same file is taken once, however often it is brought, unless what it gave was undone.
create unique index portability_import_once on portability_import (shard, patient, digest)
  where state in ('taking', 'done');

-- What each import filed, so that it can be undone.
create table portability_taken (
  shard smallint not null,
  import uuid not null,
  number integer not null,
  document uuid not null,
  primary key (shard, import, number)
);

grant select, insert, update, delete on portability_import, portability_taken to ambroise_app;
