-- Mails and SMS of accounts. `sealed` holds the address and the details; a real instance empties it once sent.
create table letter (
  id uuid primary key,
  channel text not null check (channel in ('mail', 'sms')),
  kind text not null,
  language text not null,
  sealed bytea,
  written_at timestamptz not null,
  sent_at timestamptz
);
create index letter_written on letter (written_at desc, id desc);

grant select, insert, update, delete on letter to ambroise_app;
