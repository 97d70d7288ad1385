"""The versioned FHIR store on PostgreSQL. Every function wants a permit or a scope, so no check can be forgotten."""
