-- Invitations to act in somebody's space, and their answers. What is accepted stands in access_relation.
create table relation_invitation (
  shard smallint not null,
  patient uuid not null,
  id uuid not null,
  kind text not null check (kind in ('representative', 'carer')),
  invitee uuid not null,
  invitee_name text not null,
  invited_by uuid not null,
  inviter_name text not null,
  scope text not null,
  ends_at timestamptz,
  state text not null default 'pending' check (state in ('pending', 'accepted', 'refused', 'withdrawn')),
  sent_at timestamptz not null,
  expires_at timestamptz not null,
  answered_at timestamptz,
  primary key (shard, patient, id)
);
create index relation_invitation_invitee on relation_invitation (invitee, state, sent_at);

-- Who is trained and enrolled to help on the spot (médiateurs numériques en santé).
create table mediator (
  person uuid primary key,
  name text not null,
  place text not null,
  enrolled_at timestamptz not null,
  enrolled_by text not null,
  ended_at timestamptz
);

-- A code by which the holder of a space lets one mediator in, once. Only its hash is kept.
create table mediation_code (
  digest bytea primary key,
  patient uuid not null,
  content boolean not null,
  made_at timestamptz not null,
  expires_at timestamptz not null,
  used_by uuid,
  used_at timestamptz
);
create index mediation_code_patient on mediation_code (patient);

grant select, insert, update, delete on relation_invitation, mediator, mediation_code to ambroise_app;
