-- People by the beginning of any words: an index that one condition for all the words can walk, in place of the trigrams,
-- which `like all (…)` could not.
create index directory_professional_words on directory_professional using gin (to_tsvector('simple', search));
drop index directory_professional_search;
