-- The key under which a caller tells a space something once; most notices have none.
alter table notification add column once text;
create unique index notification_once on notification (shard, patient, once) where once is not null;
