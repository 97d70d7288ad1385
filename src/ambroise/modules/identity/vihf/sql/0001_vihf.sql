-- Assertions (VIHF) that opened something: each is good once, until it expires.
create table vihf_used (
  assertion_hash bytea primary key,
  expires_at timestamptz not null
);
create index vihf_used_expires on vihf_used (expires_at);

grant select, insert, delete on vihf_used to ambroise_app;
