-- What professionals asked of patients who were not there. A request is no right: rights are in access_grant.
create table consent_request (
  shard smallint not null,
  patient uuid not null,
  id uuid not null,
  actor bigint not null,
  actor_id text not null,
  actor_name text not null,
  actor_role text not null,
  actor_specialty text,
  organization_name text,
  reason text not null,
  asked_at timestamptz not null,
  expires_at timestamptz not null,
  -- Asked by somebody whom the patient blocked: kept, so that it looks like any other to who asked, and shown to nobody.
  silent boolean not null default false,
  answer text check (answer in ('accepted', 'refused')),
  answered_at timestamptz,
  answered_by text,
  primary key (shard, patient, id)
);
create index consent_request_actor on consent_request (actor, asked_at);
grant select, insert, update, delete on consent_request to ambroise_app;
