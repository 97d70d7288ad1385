-- The base of reference of national identities, that the INSi service answers from: everybody, with a space or not. The
-- shard is the hash of the matricule. `name_key` is the birth name without accents, hyphens or apostrophes; `holder` the
-- 13 characters of the policy holder (ouvrant droit) on whose carte Vitale the person stands, `birth_rank` the rank
-- among twins there.
create table insi_person (
  shard smallint not null,
  matricule text not null,
  oid text not null,
  birth_name text not null,
  given_names text not null,
  sex text not null check (sex in ('M', 'F')),
  birth_date date not null,
  birth_place text,
  name_key text not null,
  holder text not null,
  birth_rank smallint not null default 1,
  primary key (shard, matricule, oid)
);
create index insi_person_traits on insi_person (name_key, birth_date, sex);
create index insi_person_card on insi_person (holder, birth_date);

-- The matricules that a person had before, with the time they were the right one where it is known.
create table insi_former (
  shard smallint not null,
  matricule text not null,
  oid text not null,
  current_matricule text not null,
  current_oid text not null,
  since date,
  until date,
  primary key (shard, matricule, oid)
);
create index insi_former_current on insi_former (current_matricule, current_oid);

-- Whoever holds a space already is in the base.
insert into insi_person (shard, matricule, oid, birth_name, given_names, sex, birth_date, birth_place, name_key, holder)
select m.shard, r.matricule, r.oid, upper(r.birth_name), upper(coalesce(nullif(r.given_names, ''), r.first_name)), r.sex,
       r.birth_date, r.birth_place,
       btrim(regexp_replace(
         translate(upper(r.birth_name), 'ÀÂÄÁÃÇÉÈÊËÎÏÍÌÔÖÓÒÕÙÛÜÚŸÑ', 'AAAAACEEEEIIIIOOOOOUUUUYN'), '[-'' ]+', ' ', 'g'
       )),
       left(r.matricule, 13)
from identity_registry r
join identity_matricule m on m.matricule = r.matricule and m.oid = r.oid
where r.sex in ('M', 'F')
  and r.merged_into is null
on conflict do nothing;

grant select, insert, update, delete on insi_person, insi_former to ambroise_app;
