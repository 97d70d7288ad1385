-- Assertions by which clients proved who they are (private_key_jwt): each is good once, until it expires.
create table oauth_assertion (
  assertion_hash bytea primary key,
  expires_at timestamptz not null
);
create index oauth_assertion_expires on oauth_assertion (expires_at);

grant select, insert, delete on oauth_assertion to ambroise_app;
