-- Mails that came back, and the addresses that gave mails back: known by a keyed digest, never in clear.
alter table letter add column digest bytea, add column returned_at timestamptz, add column status text,
  add column held_at timestamptz;

create table letter_giving_back (
  digest bytea primary key,
  returns smallint not null,
  first_at timestamptz not null,
  paused_at timestamptz,
  status text not null
);
grant select, insert, update, delete on letter_giving_back to ambroise_app;
