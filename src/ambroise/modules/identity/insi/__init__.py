"""The INSi service: finding and verifying national health identities (guide SEL-MP-043)."""
