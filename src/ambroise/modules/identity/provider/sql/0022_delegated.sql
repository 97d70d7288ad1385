-- The sign-ons that came from a provider of others, so that it may end them (back-channel).
create table federation_sign_on (
  sign_on uuid primary key references sign_on (id) on delete cascade,
  issuer text not null,
  subject_hash bytea not null,
  sid_hash bytea
);
create index federation_sign_on_subject on federation_sign_on (issuer, subject_hash);

grant select, insert, update, delete on federation_sign_on to ambroise_app;
