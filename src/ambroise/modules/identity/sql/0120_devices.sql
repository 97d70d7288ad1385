-- What protects an account besides its password: the browsers that it knows, those that need no code for some days, how
-- codes reach their holder, and the warnings that the holder was given.

-- `token_hash` is now the digest of the token and of the account, since several people may share one browser: the browsers
-- known before are met as new ones once more.
delete from account_device;
alter table account_device
  add column id uuid not null default gen_random_uuid() unique,
  add column first_seen_at timestamptz,
  add column agent text not null default '',
  add column network text not null default '',
  add column trusted_until timestamptz;
create index account_device_account on account_device (account, seen_at desc);
alter table session add column device bytea;

-- Null: codes may go to any proven contact. `app`: only the authenticator opens.
alter table account add column codes_by text check (codes_by in ('app', 'mail', 'sms'));

-- Recovery codes are now kept by argon2id; those kept before cannot be checked any more.
delete from account_recovery_code;

-- One warning to the holder of an account. `token_hash`: what the letter carries so that "it was not me" needs no sign-in.
create table account_alert (
  id uuid primary key,
  account uuid not null references account (id) on delete cascade,
  kind text not null check (kind in ('new_device', 'password_changed', 'factor_changed')),
  agent text not null,
  network text not null,
  token_hash bytea not null unique,
  raised_at timestamptz not null,
  answered_at timestamptz,
  disowned boolean not null default false
);
create index account_alert_waiting on account_alert (account, raised_at desc) where answered_at is null;

grant select, insert, update, delete on account_alert to ambroise_app;
