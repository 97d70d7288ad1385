-- The boxes in which medicines are sold, by CIP: what the code on a box names.
alter table profile_code drop constraint profile_code_list_check;
alter table profile_code add constraint profile_code_list_check
  check (list in ('illness', 'medicine', 'vaccine', 'allergen', 'presentation'));
