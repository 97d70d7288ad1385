-- A helper may give a folder the name of one that is kept from them: refusing it would tell that it is there.
drop index record_folder_name;
