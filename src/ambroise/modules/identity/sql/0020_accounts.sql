-- Who may sign in. A citizen's account leads to one space, a professional's to their situations of exercise,
-- an operator's to their duties. Accounts flagged `demonstration` sign in with one click, on such an instance only.
create table account (
  id uuid primary key,
  kind text not null check (kind in ('citizen', 'professional', 'operator')),
  sign_in_name text not null unique,
  display_name text not null,
  patient uuid,
  professional text,
  duties text[] not null default '{}',
  password_hash text,
  totp_secret bytea,
  totp_confirmed_at timestamptz,
  totp_last_step bigint not null default 0,
  suspended_at timestamptz,
  demonstration boolean not null default false,
  demonstration_rank integer,
  demonstration_note text,
  created_at timestamptz not null,
  check ((kind = 'citizen') = (patient is not null)),
  check ((kind = 'professional') = (professional is not null))
);
create unique index account_patient on account (patient) where patient is not null;
create unique index account_professional on account (professional) where professional is not null;
create index account_demonstration on account (kind, demonstration_rank, display_name) where demonstration;

-- Where and as what a professional works (situation d'exercice); number 0 is the usual one.
create table account_situation (
  account uuid not null references account (id) on delete cascade,
  number smallint not null,
  profession text not null,
  profession_system text not null,
  specialty text,
  organization text,
  organization_name text,
  role_title text,
  primary key (account, number)
);

-- One-time codes for who lost the second factor.
create table account_recovery_code (
  account uuid not null references account (id) on delete cascade,
  code_hash bytea not null,
  used_at timestamptz,
  primary key (account, code_hash)
);

-- Browsers that signed in before: attempts from one of them are counted apart, so that a stranger
-- who fails on purpose delays only strangers.
create table account_device (
  token_hash bytea primary key,
  account uuid not null references account (id) on delete cascade,
  seen_at timestamptz not null
);

-- Failures in a row, by name or by network address (both hashed), and when the last one was.
create table sign_in_failure (
  key bytea primary key,
  failures integer not null,
  last_at timestamptz not null
);

-- Sessions of browsers. The row keeps the hash of the token only; `complete` once the second factor was shown.
create table session (
  token_hash bytea primary key,
  id uuid not null unique,
  account uuid not null references account (id) on delete cascade,
  complete boolean not null,
  situation smallint not null default 0,
  acting_for uuid,
  relation text check (relation in ('representative', 'carer')),
  secret boolean not null default false,
  opened_at timestamptz not null,
  seen_at timestamptz not null,
  idle_ends_at timestamptz not null,
  ends_at timestamptz not null,
  closed_at timestamptz
);
create index session_account on session (account, opened_at desc);
create index session_ends on session (ends_at);

-- An emergency access opened in a session: one patient, a reason, an end.
create table session_emergency (
  session uuid not null references session (id) on delete cascade,
  patient uuid not null,
  purpose text not null check (purpose in ('bris_de_glace', 'centre_15')),
  reason text not null,
  opened_at timestamptz not null,
  ends_at timestamptz not null,
  primary key (session, patient)
);

-- What was written in a form when its session ended: given back after signing in again. Sealed at rest.
create table session_draft (
  account uuid not null references account (id) on delete cascade,
  path text not null,
  sealed bytea not null,
  saved_at timestamptz not null,
  primary key (account, path)
);

grant select, insert, update, delete on
  account, account_situation, account_recovery_code, account_device, sign_in_failure, session, session_emergency,
  session_draft
to ambroise_app;
