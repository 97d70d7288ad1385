-- The first name first, for who types it so: « marie dup » is a range of this key.
alter table directory_entry add column given_key text not null default '' collate "C";
update directory_entry e
set given_key = translate(
  lower(p.given || ' ' || p.family), 'àâäáãçéèêëîïíìôöóòõùûüúÿñ-''', 'aaaaaceeeeiiiiooooouuuuyn  '
)
from directory_professional p
where p.id_nat = e.professional;
create index directory_entry_given on directory_entry (given_key, professional);
