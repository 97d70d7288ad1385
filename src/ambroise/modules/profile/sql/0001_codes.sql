-- Code lists that an operator brings from the official files: they add to those that come with the software.
-- About nobody: read by every process, written by a command.
create table profile_code (
  list text not null check (list in ('illness', 'medicine', 'vaccine', 'allergen')),
  system text not null,
  code text not null,
  label text not null,
  folded text not null,
  source text not null,
  imported_at timestamptz not null,
  primary key (list, system, code)
);
create index profile_code_words on profile_code using gin (folded gin_trgm_ops);
create index profile_code_label on profile_code (list, folded);

grant select, insert, update, delete on profile_code to ambroise_app;
