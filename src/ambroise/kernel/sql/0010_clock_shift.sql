-- By how much a demonstration's clock is ahead. One row at most; a real installation never has it.
create table clock_shift (
  single boolean primary key default true check (single),
  ahead interval not null check (ahead >= interval '0'),
  moved_at timestamptz not null default now()
);

grant select, insert, update on clock_shift to ambroise_app;
