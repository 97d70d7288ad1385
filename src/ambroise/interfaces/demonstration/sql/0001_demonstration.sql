-- Which nation a demonstration instance holds, so that a load that was interrupted goes on with the same one.
create table demonstration_nation (
  one boolean primary key default true check (one),
  seed text not null,
  population integer not null,
  until date not null,
  started timestamptz not null,
  finished timestamptz
);

grant select, insert, update on demonstration_nation to ambroise_app;
