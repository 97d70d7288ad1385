-- Why an account is suspended: `departed` when its professional left the directory, and comes back with that person.
alter table account add column suspended_for text;
