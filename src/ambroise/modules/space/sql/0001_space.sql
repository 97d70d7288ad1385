-- The dates of the life of a space. Its state is in access_space, which the rules read; a space opened and never
-- closed may have no row here.
create table space_life (
  shard smallint not null,
  patient uuid not null,
  due_at timestamptz,
  notified_at timestamptz,
  notified_by text check (notified_by in ('mail', 'post')),
  objected_at timestamptz,
  opened_at timestamptz,
  activated_at timestamptz,
  terms text,
  closed_at timestamptz,
  close_reason text,
  deletion_requested_at timestamptz,
  suspended_at timestamptz,
  suspicion text,
  died_on date,
  before_death text,
  purged_at timestamptz,
  primary key (shard, patient)
);
-- What must happen next, the most urgent first.
create index space_life_due on space_life (due_at, shard, patient) where due_at is not null;

grant select, insert, update, delete on space_life to ambroise_app;
