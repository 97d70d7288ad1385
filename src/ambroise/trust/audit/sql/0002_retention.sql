-- Run by the owner: retires the seals made before an instant, all of whose rows concern nobody, or people whose space was
-- destroyed before it. A seal is the smallest thing that can go: its digest stays, and the chain still verifies.
create function trace_retire_ended(before timestamptz, remove boolean, out seals bigint, out lines bigint)
language plpgsql as $$
declare
  one record;
  removed bigint;
begin
  seals := 0;
  lines := 0;
  perform set_config('ambroise.retention', 'on', true);
  for one in
    select s.number, s.era, s.from_xid, s.to_xid, s.rows
    from trace_seal s
    where s.at < before
      and not exists (select from trace_retired r where r.seal = s.number)
      and not exists (
        select from trace t
        join access_space p on p.shard = t.shard and p.patient = t.patient
        where t.era = s.era
          and t.xid >= s.from_xid
          and t.xid < s.to_xid
          and (p.state <> 'purged' or p.state_since >= before)
      )
    order by s.number
  loop
    if remove then
      delete from trace t where t.era = one.era and t.xid >= one.from_xid and t.xid < one.to_xid;
      get diagnostics removed = row_count;
      insert into trace_retired (seal, rows) values (one.number, removed);
    end if;
    seals := seals + 1;
    lines := lines + one.rows;
  end loop;
  perform set_config('ambroise.retention', 'off', true);
end
$$;
revoke execute on function trace_retire_ended(timestamptz, boolean) from public;
