#!/bin/sh
# Send a CDA document to a demonstration instance, as the professional who wrote it.
#
#   examples/clients/send.sh [FILE] [ADDRESS]
set -eu

file=${1:-examples/documents/letter.xml}
address=${2:-http://localhost:8080}
token=${AMBROISE_TOKEN:-$(.venv/bin/ambroise token --as professional:01234567897)}

curl --fail-with-body --silent --show-error \
  --request POST \
  --header "Authorization: Bearer $token" \
  --header "Content-Type: application/xml" \
  --data-binary "@$file" \
  --write-out '\n%{http_code} %header{location}\n' \
  "$address/fhir/DocumentReference/\$generate-metadata"
