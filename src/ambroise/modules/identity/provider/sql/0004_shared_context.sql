-- What a professional carries from one tool to another: one context each, sealed, that ends with the sign-on.
create table shared_context (
  account uuid primary key references account (id) on delete cascade,
  sign_on uuid not null references sign_on (id) on delete cascade,
  schema_id text not null,
  bag bytea not null,
  client text not null,
  shared_at timestamptz not null,
  expires_at timestamptz not null
);
create index shared_context_sign_on on shared_context (sign_on);

grant select, insert, update, delete on shared_context to ambroise_app;
