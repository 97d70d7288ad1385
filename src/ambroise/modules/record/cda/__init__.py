"""CDA R2 documents of the CI-SIS: read, describe, show, and take structured facts out of them."""
