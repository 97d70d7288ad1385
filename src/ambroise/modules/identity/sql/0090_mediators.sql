-- A session may also act as a digital mediator.
alter table session drop constraint session_relation_check;
alter table session add constraint session_relation_check check (relation in ('representative', 'carer', 'mediator'));
