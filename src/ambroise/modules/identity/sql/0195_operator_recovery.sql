-- An operator who lost every passkey and second factor: a first colleague who saw them vouches, a second one gives the code.
create table operator_vouching (
  account uuid primary key references account (id) on delete cascade,
  vouched_by text not null,
  name text not null,
  expires_at timestamptz not null
);

grant select, insert, update, delete on operator_vouching to ambroise_app;
