-- A code by which somebody who is with a professional lets that professional into the record, once. Only its hash is kept.
create table vitale_meeting (
  digest bytea primary key,
  patient uuid not null,
  expires_at timestamptz not null,
  used_by text,
  used_at timestamptz
);
create index vitale_meeting_patient on vitale_meeting (patient);

grant select, insert, update, delete on vitale_meeting to ambroise_app;
