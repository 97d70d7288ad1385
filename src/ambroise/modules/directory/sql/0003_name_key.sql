-- The name as it is sorted and found, on the person too: those out of activity have no line in `directory_entry`.
alter table directory_professional add column name_key text collate "C";
update directory_professional
set name_key = translate(
  lower(family || ' ' || given), 'àâäáãçéèêëîïíìôöóòõùûüúÿñ-''', 'aaaaaceeeeiiiiooooouuuuyn  '
);
create index directory_professional_name on directory_professional (name_key, id_nat);
create index directory_professional_updated on directory_professional (updated_at);
create index directory_organization_updated on directory_organization (updated_at);
create index directory_situation_updated on directory_situation (updated_at);
