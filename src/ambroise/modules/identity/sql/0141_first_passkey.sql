-- A code that lets somebody add a first passkey, handed over by the desk or the operator of the instance. Once it was typed, a
-- ticket takes its place, for one browser and some minutes.
create table passkey_invitation (
  account uuid primary key references account (id) on delete cascade,
  code_hash bytea,
  ticket_hash bytea unique,
  browser bytea,
  given_by text not null,
  given_at timestamptz not null,
  expires_at timestamptz not null,
  check ((code_hash is null) = (ticket_hash is not null and browser is not null))
);

grant select, insert, update, delete on passkey_invitation to ambroise_app;
