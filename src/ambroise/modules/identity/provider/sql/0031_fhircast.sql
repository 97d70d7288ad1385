-- FHIRcast: software that follows the context of a professional's session, through a WebSocket whose address is a secret.
create table cast_subscription (
  endpoint_hash bytea primary key,
  family uuid not null references oauth_family (id) on delete cascade,
  events text[] not null,
  expires_at timestamptz not null
);
create index cast_subscription_family on cast_subscription (family);
create index cast_subscription_expires on cast_subscription (expires_at);

grant select, insert, update, delete on cast_subscription to ambroise_app;
