-- SMART App Launch: where software is opened from a record, and what an authorization carries of it.
alter table oauth_client add column launch_uri text;
alter table oauth_family add column patient uuid, add column encounter text;

-- A professional opens other software on a patient: good once, for that professional and that software, minutes.
create table smart_launch (
  launch_hash bytea primary key,
  client text not null references oauth_client (id) on delete cascade,
  account uuid not null references account (id) on delete cascade,
  patient uuid not null,
  encounter text,
  expires_at timestamptz not null
);
create index smart_launch_expires on smart_launch (expires_at);

-- Whom a shared context is about, as the INS in it led to: what software that starts by itself is told.
alter table shared_context add column patient uuid;

grant select, insert, update, delete on smart_launch to ambroise_app;
