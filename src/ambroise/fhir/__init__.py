"""The FHIR R4 standard: its JSON, its definitions, its checks and its paths. Knows neither a country nor a user."""
