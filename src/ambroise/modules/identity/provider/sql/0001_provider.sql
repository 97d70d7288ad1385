-- The OpenID provider of professionals. Secrets, codes and tokens are kept as hashes only.

-- Software that may ask who somebody is.
create table oauth_client (
  id text primary key,
  name text not null,
  authentication text not null
    check (authentication in ('none', 'client_secret', 'private_key_jwt', 'tls_client_auth')),
  secret_hash bytea,
  redirect_uris text[] not null,
  post_logout_uris text[] not null default '{}',
  backchannel_logout_uri text,
  grants text[] not null,
  scopes text[] not null,
  jwks jsonb,
  tls_subject text,
  registered_by text not null,
  created_at timestamptz not null,
  disabled_at timestamptz,
  check ((authentication = 'client_secret') = (secret_hash is not null)),
  check ((authentication = 'private_key_jwt') = (jwks is not null)),
  check ((authentication = 'tls_client_auth') = (tls_subject is not null))
);

-- A request to sign in, between its arrival and its answer. `browser` binds it to the browser that began it;
-- a pushed one (RFC 9126) waits for its browser.
create table sign_on_request (
  reference_hash bytea primary key,
  client text not null references oauth_client (id) on delete cascade,
  asked jsonb not null,
  pushed boolean not null default false,
  browser bytea,
  created_at timestamptz not null,
  expires_at timestamptz not null
);

-- A professional who signed on: the session of the provider, shared by every client (SSO). A session opened without a
-- browser (CIBA) has no token.
create table sign_on (
  id uuid primary key,
  token_hash bytea unique,
  account uuid not null references account (id) on delete cascade,
  means text not null,
  acr text not null,
  amr text[] not null,
  situation smallint,
  authenticated_at timestamptz not null,
  idle_ends_at timestamptz not null,
  ends_at timestamptz not null,
  closed_at timestamptz
);
create index sign_on_account on sign_on (account);
create index sign_on_ends on sign_on (ends_at);

-- An approval asked on somebody's phone (e-CPS). `account` is null when the identifier is nobody's: it then waits in
-- vain, like one that nobody answers.
create table sign_on_approval (
  id uuid primary key,
  reference_hash bytea not null unique,
  account uuid references account (id) on delete cascade,
  client text not null references oauth_client (id) on delete cascade,
  request bytea references sign_on_request (reference_hash) on delete cascade,
  channel text not null check (channel in ('MOBILE', 'CARD')),
  number text not null,
  scopes text[] not null,
  issuer text not null,
  acr text not null,
  state text not null check (state in ('pending', 'approved', 'denied')),
  mistakes smallint not null default 0,
  situation smallint,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  answered_at timestamptz,
  used_at timestamptz,
  polled_at timestamptz,
  wait_seconds smallint not null
);
create index sign_on_approval_pending on sign_on_approval (account, created_at) where state = 'pending';
create index sign_on_approval_expires on sign_on_approval (expires_at);

-- What a professional agreed that a client be told.
create table oauth_consent (
  account uuid not null references account (id) on delete cascade,
  client text not null references oauth_client (id) on delete cascade,
  scopes text[] not null,
  given_at timestamptz not null,
  primary key (account, client)
);

-- What one authorization gave: every token that comes from it ends with it. `sign_on` is null for a client acting by
-- itself.
create table oauth_family (
  id uuid primary key,
  client text not null references oauth_client (id) on delete cascade,
  sign_on uuid not null references sign_on (id) on delete cascade,
  issuer text not null,
  scopes text[] not null,
  situation smallint not null,
  nonce text,
  thumbprint text,
  created_at timestamptz not null,
  ends_at timestamptz not null,
  revoked_at timestamptz,
  revoked_why text
);
create index oauth_family_sign_on on oauth_family (sign_on);
create index oauth_family_ends on oauth_family (ends_at);

-- Authorization codes: good once. A second use ends the family.
create table oauth_code (
  code_hash bytea primary key,
  family uuid not null references oauth_family (id) on delete cascade,
  redirect_uri text not null,
  challenge text,
  expires_at timestamptz not null,
  used_at timestamptz
);

-- Refresh tokens: each is used once and replaced. A second use ends the family.
create table oauth_refresh (
  token_hash bytea primary key,
  family uuid not null references oauth_family (id) on delete cascade,
  issued_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz
);
create index oauth_refresh_family on oauth_refresh (family);

grant select, insert, update, delete on
  oauth_client, sign_on_request, sign_on, sign_on_approval, oauth_consent, oauth_family, oauth_code, oauth_refresh
to ambroise_app;
