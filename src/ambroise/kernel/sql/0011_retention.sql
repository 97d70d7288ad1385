-- What the daily purge removed, by kind of data. Counts only.
create table retention_run (
  kind text primary key,
  removed_last bigint not null,
  removed_total bigint not null,
  run_at timestamptz not null
);

grant select, insert, update on retention_run to ambroise_app;
