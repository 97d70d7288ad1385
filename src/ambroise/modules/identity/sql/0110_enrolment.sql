-- Codes sent to an address, good once: by what they prove (`subject` is an enrolment or an account). `sealed` holds the code
-- and the address; `pace` is the digest under which two sends keep 30 seconds apart.
create table one_time_code (
  subject uuid not null,
  purpose text not null,
  sealed bytea not null,
  pace bytea not null,
  sent_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  tries smallint not null default 0,
  primary key (subject, purpose)
);
create index one_time_code_pace on one_time_code (pace, sent_at desc);

-- Somebody who is opening an account, from one browser. Contacts and traits are sealed; the row leaves within a day.
create table enrolment (
  token_hash bytea primary key,
  id uuid not null unique,
  step text not null,
  patient uuid not null,
  sealed bytea not null,
  sends smallint not null default 0,
  begun_at timestamptz not null,
  ends_at timestamptz not null
);
create index enrolment_ends on enrolment (ends_at);

-- The contacts that the holder of an account proved to have.
create table account_contact (
  account uuid not null references account (id) on delete cascade,
  channel text not null check (channel in ('mail', 'sms')),
  sealed bytea not null,
  verified_at timestamptz not null,
  primary key (account, channel)
);

-- The serial number of the carte Vitale of a person, as a digest of the number and the space.
create table vital_card (
  shard smallint not null,
  patient uuid not null,
  serial_hash bytea not null,
  primary key (shard, patient, serial_hash)
);

grant select, insert, update, delete on one_time_code, enrolment, account_contact, vital_card to ambroise_app;
