-- The desk lists spaces by state, the longest in it first.
create index access_space_state on access_space (state, state_since, shard, patient);
