-- The emergency code of a person: what it opens, until when, how often it was opened. The code itself is not kept.
-- `digest` is looked up without knowing the patient: its own index, and rows few enough to need no shard of its own.
create table profile_emergency_code (
  shard smallint not null,
  patient uuid not null,
  digest bytea not null,
  sections text[] not null,
  made_at timestamptz not null,
  expires_at timestamptz not null,
  opened integer not null default 0,
  last_opened timestamptz,
  window_began timestamptz,
  window_opened integer not null default 0,
  primary key (shard, patient)
);
create unique index profile_emergency_code_digest on profile_emergency_code (digest);

grant select, insert, update, delete on profile_emergency_code to ambroise_app;
