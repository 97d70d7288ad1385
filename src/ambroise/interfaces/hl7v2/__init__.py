"""HL7 v2 over MLLP, as software of hospitals and laboratories sends documents (ORU, MDM) and consents (ADT)."""
