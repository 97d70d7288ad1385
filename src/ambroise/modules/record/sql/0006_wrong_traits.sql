-- Professionals ask the desk to correct the traits of an identity.
alter table record_report drop constraint record_report_kind_check;
alter table record_report add constraint record_report_kind_check check (
  kind in ('misfiled_document', 'unrecognised_access', 'duplicate_identity', 'changed_ins', 'wrong_traits')
);
