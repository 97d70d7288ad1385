-- What somebody proved by a certificate on the mTLS port, on the way back to the browser that began: good once, a minute.
create table sign_on_certificate (
  proof_hash bytea primary key,
  request bytea not null references sign_on_request (reference_hash) on delete cascade,
  account uuid not null references account (id) on delete cascade,
  expires_at timestamptz not null
);

grant select, insert, update, delete on sign_on_certificate to ambroise_app;
