-- What a draft is for: a rule that is not there yet, another version of one, or the end of one.
alter table prevention_draft add column gesture text not null default 'change' check (gesture in ('new', 'change', 'end'));
