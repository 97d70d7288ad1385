-- Notices that go by post: which were printed, and the sheets for the printer, sealed since they carry codes and addresses.
alter table space_life add column printed_at timestamptz;
create index space_life_to_print on space_life (due_at, shard, patient)
  where notified_by = 'post' and printed_at is null and due_at is not null;

create table space_printing (
  id uuid primary key,
  asked_by text not null,
  asked_at timestamptz not null,
  total integer not null,
  printed integer not null default 0,
  unaddressed integer not null default 0,
  finished_at timestamptz
);
create index space_printing_latest on space_printing (asked_at desc);

create table space_printing_sheet (
  printing uuid not null references space_printing (id) on delete cascade,
  number integer not null,
  letters integer not null,
  sealed bytea not null,
  primary key (printing, number)
);

grant select, insert, update, delete on space_printing, space_printing_sheet to ambroise_app;
