-- The e-carte Vitale: who it identifies, who carries it, and how it was used. No health data in any of these tables.

create table vitale_card (
  shard smallint not null,
  patient uuid not null,
  id uuid not null,
  -- Who carries it: the person, or who represents a child.
  holder uuid not null,
  holder_name text not null,
  state text not null check (state in (
    'requested', 'accepted', 'refused', 'active', 'suspended', 'blocked', 'revoked', 'expired')),
  requested_at timestamptz not null,
  state_since timestamptz not null,
  expires_at timestamptz,
  -- The secret code, as an argon2id hash, and how many wrong ones were tried since the last right one.
  code text,
  tries smallint not null default 0,
  reason text not null default '',
  primary key (shard, patient, id)
);
create unique index vitale_card_id on vitale_card (shard, id);
-- One card a person that may still serve.
create unique index vitale_card_one on vitale_card (shard, patient)
  where state in ('requested', 'accepted', 'active', 'suspended', 'blocked');
create index vitale_card_holder on vitale_card (holder);
create index vitale_card_end on vitale_card (expires_at) where state in ('accepted', 'active', 'suspended', 'blocked');

-- An identity check: what was typed of a document, and what somebody of the desk found. The number is sealed, and
-- erased with the answer.
create table vitale_check (
  shard smallint not null,
  patient uuid not null,
  id uuid not null,
  card uuid not null,
  document text not null,
  number bytea,
  document_until date,
  asked_at timestamptz not null,
  state text not null default 'pending' check (state in ('pending', 'accepted', 'refused', 'withdrawn')),
  answered_at timestamptz,
  answered_by text,
  reason text not null default '',
  primary key (shard, patient, id)
);
create unique index vitale_check_id on vitale_check (shard, id);
create index vitale_check_queue on vitale_check (asked_at, id) where state = 'pending';

-- A telephone that makes tokens by itself: its public key, the secret that the code unlocks there, the last token seen.
create table vitale_device (
  shard smallint not null,
  patient uuid not null,
  id uuid not null,
  card uuid not null,
  name text not null,
  public_key jsonb not null,
  seed bytea not null,
  counter bigint not null default 0,
  since timestamptz not null,
  ended_at timestamptz,
  primary key (shard, patient, id)
);
create unique index vitale_device_id on vitale_device (shard, id);
create unique index vitale_device_one on vitale_device (shard, card) where ended_at is null;

-- What one right entry of the secret code opens for some minutes: making tokens again and again on the page.
create table vitale_unlock (
  digest bytea primary key,
  patient uuid not null,
  card uuid not null,
  person uuid not null,
  delegation uuid,
  until timestamptz not null
);

-- A token made here: good once, for some seconds.
create table vitale_showing (
  shard smallint not null,
  patient uuid not null,
  id uuid not null,
  card uuid not null,
  person uuid not null,
  person_name text not null,
  delegation uuid,
  reader uuid,
  opens boolean not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  primary key (shard, id)
);
create index vitale_showing_end on vitale_showing (expires_at);

-- What a contactless reader asks a card to answer to.
create table vitale_challenge (
  id uuid primary key,
  reader text not null,
  expires_at timestamptz not null
);

-- Receipts of use: who, where, when, what was returned (the names of the facts, never the facts).
create table vitale_use (
  shard smallint not null,
  patient uuid not null,
  id uuid not null,
  card uuid not null,
  at timestamptz not null,
  reader text not null,
  reader_name text not null,
  profession text not null,
  organization_name text not null default '',
  software text not null default '',
  medium text not null check (medium in ('qr', 'nfc')),
  way text not null check (way in ('online', 'device')),
  person uuid not null,
  person_name text not null,
  delegation uuid,
  returned text[] not null,
  access_until timestamptz,
  primary key (shard, patient, id)
);
create index vitale_use_person on vitale_use (person, at);

create table vitale_delegation (
  shard smallint not null,
  patient uuid not null,
  id uuid not null,
  card uuid not null,
  person uuid not null,
  person_name text not null,
  given_by uuid not null,
  given_by_name text not null,
  state text not null default 'pending' check (state in ('pending', 'accepted', 'refused', 'revoked')),
  asked_at timestamptz not null,
  answer_before timestamptz not null,
  until timestamptz not null,
  answered_at timestamptz,
  ended_at timestamptz,
  primary key (shard, patient, id)
);
create unique index vitale_delegation_id on vitale_delegation (shard, id);
create index vitale_delegation_person on vitale_delegation (person);

-- Rights as an insurer states them. In a demonstration they are invented, and say so.
create table vitale_rights (
  shard smallint not null,
  patient uuid not null,
  regime text not null,
  fund text not null,
  fund_name text not null,
  centre text not null,
  quality text not null,
  since date not null,
  until date not null,
  exempt_until date,
  source text not null,
  stated_at timestamptz not null,
  primary key (shard, patient)
);

grant select, insert, update, delete on
  vitale_card, vitale_check, vitale_device, vitale_unlock, vitale_showing, vitale_challenge, vitale_delegation,
  vitale_rights to ambroise_app;
-- A receipt is never rewritten; it goes with the space.
grant select, insert, delete on vitale_use to ambroise_app;
