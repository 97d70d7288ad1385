"""The directory as the API FHIR Annuaire Santé v2 publishes it: five types, read only, from the tables."""
