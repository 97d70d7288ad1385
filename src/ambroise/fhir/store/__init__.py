"""The versioned FHIR store on PostgreSQL. Every function wants a permit or a scope: forgetting the check does not type."""
