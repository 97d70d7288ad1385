-- The desk finds an access irregular; whether that person is blocked is for the patient to say, so the word changes.
update record_report set outcome = 'access_irregular' where outcome = 'access_blocked';
