-- Which letter carried a code: a notice that comes back by mail goes by post.
alter table space_notice add column letter uuid;
create index space_notice_letter on space_notice (letter) where letter is not null;
grant update (letter) on space_notice to ambroise_app;
