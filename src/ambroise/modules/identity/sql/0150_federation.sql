-- Signing in through the providers of others (Pro Santé Connect, a hospital, FranceConnect+).

-- A sign-in under way at another provider. `sealed` holds the nonce, the PKCE verifier and where to come back.
create table federation_request (
  state_hash bytea primary key,
  partner text not null,
  browser bytea not null,
  sealed bytea not null,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index federation_request_expires on federation_request (expires_at);

-- Who a subject of another issuer is here: linked once, then known by it.
create table federation_link (
  issuer text not null,
  subject_hash bytea not null,
  account uuid not null references account (id) on delete cascade,
  linked_at timestamptz not null,
  used_at timestamptz not null,
  primary key (issuer, subject_hash),
  unique (issuer, account)
);
create index federation_link_account on federation_link (account);

-- The sessions that came from another provider, so that it may end them (back-channel) and that leaving may go on there.
-- `sealed` holds its id_token.
create table federation_session (
  token_hash bytea primary key references session (token_hash) on delete cascade,
  partner text not null,
  issuer text not null,
  subject_hash bytea not null,
  sid_hash bytea,
  sealed bytea not null
);
create index federation_session_subject on federation_session (issuer, subject_hash);

-- Logout tokens already heard: each counts once.
create table federation_logout (
  issuer text not null,
  jti_hash bytea not null,
  expires_at timestamptz not null,
  primary key (issuer, jti_hash)
);

-- FranceConnect gives no INS: people are looked for by their birth.
create index identity_registry_birth on identity_registry (birth_date, birth_place);

grant select, insert, update, delete on federation_request, federation_link, federation_session, federation_logout
to ambroise_app;
