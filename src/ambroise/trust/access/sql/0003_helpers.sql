-- Mediators besides representatives and carers; how far a relation goes; on what it rests.
alter table access_relation drop constraint access_relation_kind_check;
alter table access_relation add constraint access_relation_kind_check
  check (kind in ('representative', 'carer', 'mediator'));
-- see: a carer reads only. act: a carer or a representative also does. screens, content: what a mediator is shown.
alter table access_relation add column scope text not null default 'act'
  check (scope in ('see', 'act', 'screens', 'content'));
alter table access_relation add column basis text not null default 'declared'
  check (basis in ('declared', 'parent', 'guardianship', 'invitation', 'on_the_spot'));
