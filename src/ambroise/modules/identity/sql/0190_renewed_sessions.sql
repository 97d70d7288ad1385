-- A session that gets a new token, its holder having shown again who they are, is still the one that came from a provider.
alter table federation_session
  drop constraint federation_session_token_hash_fkey,
  add constraint federation_session_token_hash_fkey
    foreign key (token_hash) references session (token_hash) on update cascade on delete cascade;
