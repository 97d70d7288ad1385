-- Passkeys (WebAuthn credentials): the public half of a key that an authenticator keeps. A revoked one stays, so that it
-- never comes back under another name.
create table passkey (
  id uuid primary key,
  account uuid not null references account (id) on delete cascade,
  credential bytea not null unique,
  public_key bytea not null,
  sign_count bigint not null,
  synced boolean not null,
  name text not null,
  created_at timestamptz not null,
  used_at timestamptz,
  revoked_at timestamptz
);
create index passkey_account on passkey (account, created_at) where revoked_at is null;

-- Challenges that wait for their answer: good once, for one browser, for one purpose. `account` is null when nobody said
-- who they are.
create table passkey_challenge (
  reference_hash bytea primary key,
  purpose text not null,
  challenge bytea not null,
  account uuid references account (id) on delete cascade,
  browser bytea not null,
  expires_at timestamptz not null
);
create index passkey_challenge_expires on passkey_challenge (expires_at);

-- With what a session was opened, and when its holder last showed a means.
alter table session add column means text;
alter table session add column proven_at timestamptz;

grant select, insert, update, delete on passkey, passkey_challenge to ambroise_app;
