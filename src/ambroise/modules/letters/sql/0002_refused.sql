-- Letters that the reader's server will never take, with the code of its answer: they are not tried again.
alter table letter add column refused_at timestamptz, add column answer smallint;
