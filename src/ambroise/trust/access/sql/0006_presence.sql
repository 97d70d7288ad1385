-- Access opened by presence: the patient showed a card or a code to a professional. It ends by itself, beside whatever
-- lasting consent there is: its rows have a team of their own, so that neither overwrites the other.
alter table access_grant drop constraint access_grant_via_check;
alter table access_grant add constraint access_grant_via_check
  check (via in ('consent', 'care_team', 'treating', 'patient', 'presence'));
