-- Somebody who says that they forgot the password, from one browser. The row exists whoever they say they are; `account` is
-- set behind the scene, when every detail designates somebody who has one.
create table recovery (
  token_hash bytea primary key,
  id uuid not null unique,
  step text not null check (step in ('asked', 'proven')),
  account uuid references account (id) on delete cascade,
  rescue uuid,
  reference text not null,
  sealed bytea not null,
  begun_at timestamptz not null,
  ends_at timestamptz not null
);
create index recovery_ends on recovery (ends_at);

-- A holder who can receive no code any more and waits for the desk to check their identity in person. `code_hash`: the code
-- that the desk hands over (argon2id), good once.
create table account_rescue (
  id uuid primary key,
  account uuid not null references account (id) on delete cascade,
  reference text not null unique,
  asked_at timestamptz not null,
  proof text,
  decided_by text,
  decided_at timestamptz,
  code_hash bytea,
  code_ends_at timestamptz,
  used_at timestamptz
);
create index account_rescue_waiting on account_rescue (asked_at) where decided_at is null;

grant select, insert, update, delete on recovery, account_rescue to ambroise_app;
