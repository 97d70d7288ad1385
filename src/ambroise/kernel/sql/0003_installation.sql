-- What this database is for, decided once: fictitious people for demonstration, or real ones.
create table installation (
  single boolean primary key default true check (single),
  id uuid not null,
  demonstration boolean not null,
  created_at timestamptz not null default now()
);

grant select on installation to ambroise_app;
