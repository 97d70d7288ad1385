#!/bin/sh
# Creates the role of the application, which owns nothing; run once by the database image on an empty volume.
set -eu
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -v password="$(cat /run/secrets/app)" <<'SQL'
create role ambroise_app login password :'password';
grant connect on database ambroise to ambroise_app;
SQL
