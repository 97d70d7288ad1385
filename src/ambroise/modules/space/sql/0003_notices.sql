-- The codes of letters about a space: who holds one may object without an account, and fetch the proof of an objection.
create table space_notice (
  code_hash bytea primary key,
  patient uuid not null,
  ends_at timestamptz not null
);
create index space_notice_ends on space_notice (ends_at);

grant select, insert, delete on space_notice to ambroise_app;
