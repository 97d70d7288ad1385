-- The texts of documents and lists are searched within one record: they stand in the row, in lines of `displays`, and no
-- longer beside it, where each took a row and two index entries.

-- A document's row is then a little over 2 KB: up to 4 it stays whole, since a part of it set aside would be a row and an
-- index entry more than what was just spared.
alter table resource set (toast_tuple_target = 4080);

update resource r
set displays = coalesce(r.displays, '') || x.lines
from (
  select t.shard, t.id,
    string_agg(
      E'\n' || t.parameter || E'\x1f' || t.text || coalesce(E'\x1e' || translate(t.original, E'\n\x1e', E'\x1d\x1d'), ''),
      ''
    ) as lines
  from resource_text t
  group by t.shard, t.id
) x
-- DocumentReference and List.
where r.shard = x.shard and r.id = x.id and r.type in (42, 70);

delete from resource_text t
using resource r
where r.shard = t.shard and r.id = t.id and r.type in (42, 70);
