-- The portal of professionals is a client like others, reached in process: it has no secret to keep, and no registered
-- address, so that nobody else can ask in its name.
insert into oauth_client (id, name, authentication, redirect_uris, grants, scopes, registered_by, created_at)
values ('portail', 'Ambroise', 'none', '{}', '{authorization_code}', '{openid}', 'ambroise', now());

-- A sign-in to the portal under way. `sealed` holds the PKCE verifier and where to go next.
create table portal_request (
  state_hash bytea primary key,
  browser bytea not null,
  sealed bytea not null,
  expires_at timestamptz not null
);

-- The sessions of the portal that came from a sign-on: they end with it.
create table portal_session (
  token_hash bytea primary key references session (token_hash) on update cascade on delete cascade,
  sign_on uuid not null references sign_on (id) on delete cascade
);
create index portal_session_sign_on on portal_session (sign_on);

grant select, insert, update, delete on portal_request, portal_session to ambroise_app;
