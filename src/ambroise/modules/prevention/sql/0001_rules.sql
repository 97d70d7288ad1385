-- Versions of the rules of prevention. What was published is never rewritten: a version that has not begun is withdrawn.
create table prevention_rule (
  rule text not null,
  number integer not null,
  -- The edition of the table that came with the software; none for what the desk published.
  edition text,
  body jsonb not null,
  effective date not null,
  reason text not null default '',
  published timestamptz not null,
  published_by text not null,
  published_name text not null,
  withdrawn timestamptz,
  withdrawn_by text,
  withdrawn_name text,
  primary key (rule, number)
);
create unique index prevention_rule_edition on prevention_rule (rule, edition) where edition is not null;

grant select, insert on prevention_rule to ambroise_app;
grant update (withdrawn, withdrawn_by, withdrawn_name) on prevention_rule to ambroise_app;

-- What somebody of the desk is writing: one draft a rule.
create table prevention_draft (
  rule text primary key,
  body jsonb not null,
  reason text not null default '',
  written_by text not null,
  written_name text not null,
  updated timestamptz not null
);
grant select, insert, update, delete on prevention_draft to ambroise_app;

-- When to look at somebody's calendar again, and what waits for them: rebuilt by a job, read by the home page.
create table prevention_watch (
  shard smallint not null,
  patient uuid not null,
  next_at date not null,
  waiting jsonb not null default '[]',
  primary key (shard, patient)
);
create index prevention_watch_next on prevention_watch (next_at, shard, patient);
grant select, insert, update, delete on prevention_watch to ambroise_app;
