-- The content of a small document in rows of one page each. As one value it would be cut into pieces of two thousand
-- bytes, each with its own line of an index and of the log: four times as many.
create table blob_piece (
  id uuid not null,
  shard smallint not null,
  number smallint not null,
  data bytea not null,
  primary key (shard, id, number)
);

-- Encrypted already, and never larger than a page.
alter table blob_piece alter column data set storage plain;

insert into blob_piece (id, shard, number, data)
select b.id, b.shard, n, substr(b.data, n * 8112 + 1, 8112)
from blob b, generate_series(0, (length(b.data) - 1) / 8112) n
where b.data is not null;

-- How the content was packed before it was encrypted: the numbers of kernel/objects/packing.py.
alter table blob drop column data, add column form smallint not null default 0;

grant select, insert, delete on blob_piece to ambroise_app;
