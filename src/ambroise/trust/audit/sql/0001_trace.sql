-- The trace: one row per patient concerned by each act. The application role may only add; `xid` and `era` are never its
-- to choose, so that a row cannot be slipped behind a seal.

create table trace (
  shard smallint not null,
  id uuid not null,
  patient uuid,
  at timestamptz not null,
  xid xid8 not null default pg_current_xact_id(),
  era integer not null default 1,
  actor_kind text not null,
  actor_id text not null,
  actor_name text not null,
  actor_role text,
  actor_specialty text,
  organization text,
  organization_name text,
  acting_for uuid,
  relation text,
  action text not null check (action in ('C', 'R', 'U', 'D', 'E')),
  event text not null,
  resource_type smallint,
  resource uuid,
  resource_kind integer,
  version integer,
  purpose text not null,
  reason text,
  rule text,
  outcome smallint not null,
  channel text not null,
  software text,
  request_id uuid not null,
  secret boolean not null,
  count integer,
  query text,
  details jsonb,
  primary key (shard, id)
);
create index trace_patient on trace (shard, patient, at, id) where patient is not null;
create index trace_order on trace (era, xid);

-- Each seal covers the rows of one era with from_xid <= xid < to_xid, and the seal before it.
create table trace_seal (
  number bigint primary key,
  era integer not null,
  from_xid xid8 not null,
  to_xid xid8 not null,
  rows bigint not null,
  digest bytea not null,
  previous bytea not null,
  at timestamptz not null,
  check (from_xid < to_xid)
);

-- Transaction numbers start over when a backup is restored into another cluster: each life of the data is one era.
create table trace_era (
  era integer primary key,
  started timestamptz not null default now()
);
insert into trace_era (era) values (1);

-- Seals whose rows the retention job removed: their digests stay in the chain.
create table trace_retired (
  seal bigint primary key references trace_seal (number),
  rows bigint not null,
  at timestamptz not null default now(),
  by_role text not null default current_user
);

create function trace_refuse() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and tg_table_name = 'trace'
      and current_setting('ambroise.retention', true) = 'on'
      and current_user = (select pg_get_userbyid(relowner) from pg_class where oid = tg_relid) then
    return old;
  end if;
  raise exception 'the trace is never changed: % on % is refused', lower(tg_op), tg_table_name
    using errcode = 'insufficient_privilege';
end
$$;

create trigger trace_no_change before update or delete on trace for each row execute function trace_refuse();
create trigger trace_no_truncate before truncate on trace for each statement execute function trace_refuse();
create trigger seal_no_change before update or delete on trace_seal for each row execute function trace_refuse();
create trigger seal_no_truncate before truncate on trace_seal for each statement execute function trace_refuse();

-- Run by the owner right after a restore, before anything is written.
create function trace_begin_era() returns integer language plpgsql as $$
declare
  fresh integer;
begin
  insert into trace_era (era) select max(era) + 1 from trace_era returning era into fresh;
  execute format('alter table trace alter column era set default %s', fresh);
  return fresh;
end
$$;
revoke execute on function trace_begin_era() from public;

-- Run by the owner: removes the rows of every seal made before this instant, and says so.
create function trace_retire(before timestamptz) returns bigint language plpgsql as $$
declare
  seal record;
  removed bigint;
  total bigint := 0;
begin
  perform set_config('ambroise.retention', 'on', true);
  for seal in
    select s.number, s.era, s.from_xid, s.to_xid
    from trace_seal s
    where s.at < before and not exists (select from trace_retired r where r.seal = s.number)
    order by s.number
  loop
    delete from trace t where t.era = seal.era and t.xid >= seal.from_xid and t.xid < seal.to_xid;
    get diagnostics removed = row_count;
    insert into trace_retired (seal, rows) values (seal.number, removed);
    total := total + removed;
  end loop;
  perform set_config('ambroise.retention', 'off', true);
  return total;
end
$$;
revoke execute on function trace_retire(timestamptz) from public;

grant select on trace, trace_seal, trace_era, trace_retired to ambroise_app;
grant insert (
  shard, id, patient, at, actor_kind, actor_id, actor_name, actor_role, actor_specialty, organization,
  organization_name, acting_for, relation, action, event, resource_type, resource, resource_kind, version, purpose,
  reason, rule, outcome, channel, software, request_id, secret, count, query, details
) on trace to ambroise_app;
grant insert on trace_seal to ambroise_app;
