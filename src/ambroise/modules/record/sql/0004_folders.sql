-- The folders that citizens keep their documents in, and what they pinned. Theirs alone: no professional sees any of it.
create table record_folder (
  shard smallint not null,
  patient uuid not null,
  id uuid not null,
  name text not null check (char_length(name) between 1 and 50),
  primary key (shard, patient, id)
);

create unique index record_folder_name on record_folder (shard, patient, lower(name));

create table record_shelf (
  shard smallint not null,
  patient uuid not null,
  document uuid not null,
  folder uuid,
  pinned boolean not null default false,
  primary key (shard, patient, document)
);

grant select, insert, update, delete on record_folder, record_shelf to ambroise_app;
