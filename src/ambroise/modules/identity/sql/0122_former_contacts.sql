-- The contacts of an account before a change, sealed, so that "it was not me" gives them back.
alter table account_alert add column former_contacts bytea;
