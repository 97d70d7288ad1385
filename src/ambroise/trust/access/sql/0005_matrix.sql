-- Later versions of the access matrix; the first one comes with the software. A version is never rewritten: to undo one
-- is to publish another.
create table access_matrix (
  number integer primary key,
  effective timestamptz not null,
  published timestamptz not null,
  published_by text not null,
  published_name text not null,
  reason text not null,
  source text not null,
  undoes integer references access_matrix,
  -- For each group: the types it reads, and the cells that were read in a source.
  rows jsonb not null
);

grant select, insert on access_matrix to ambroise_app;
