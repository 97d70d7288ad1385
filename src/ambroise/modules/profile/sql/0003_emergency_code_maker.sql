-- Who made the code for somebody else: once they act there no more, it opens nothing. Null: the holder made it.
alter table profile_emergency_code add column made_by uuid;
