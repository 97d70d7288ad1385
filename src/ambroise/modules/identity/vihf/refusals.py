"""Why an assertion opens nothing, each reason with its code."""

from __future__ import annotations

from ambroise.kernel.errors import Kind, Refusal


def missing() -> Refusal:
    return _refusal("VIHF_MISSING", "Put one SAML 2.0 assertion (VIHF) in wsse:Security of the header.")


def malformed(what: str) -> Refusal:
    return _refusal("VIHF_MALFORMED", f"The assertion is not a VIHF: {what}.")


def signature() -> Refusal:
    return _refusal(
        "VIHF_SIGNATURE",
        "The signature of the assertion is not good: sign all of it, enveloped, with exclusive canonicalisation and "
        "SHA-256 or stronger (RSA or ECDSA), and send the certificate in its KeyInfo.",
    )


def certificate() -> Refusal:
    return _refusal(
        "VIHF_CERTIFICATE",
        "The certificate that signed is not of an authority believed here, is out of date or revoked.",
    )


def signer(what: str) -> Refusal:
    return _refusal("VIHF_SIGNER", f"The certificate that signed does not speak for what the assertion says: {what}.")


def too_old() -> Refusal:
    return _refusal("VIHF_EXPIRED", "The assertion is over: make a fresh one for each request.")


def too_early() -> Refusal:
    return _refusal("VIHF_NOT_YET", "The assertion is of later than now: set the clock of this machine.")


def audience() -> Refusal:
    return _refusal(
        "VIHF_AUDIENCE", "The assertion is for another service: leave the audience empty, or name this one."
    )


def resource() -> Refusal:
    return _refusal("VIHF_RESOURCE", "The assertion is for another resource: Ressource_URN is urn:dmp.")


def replayed() -> Refusal:
    return _refusal("VIHF_REPLAYED", "This assertion was used before: make a fresh one, with its own ID.")


def subject() -> Refusal:
    return _refusal(
        "VIHF_SUBJECT",
        "The directory knows nobody of that NameID (8 and the RPPS) in that structure (Identifiant_Structure).",
    )


def role() -> Refusal:
    return _refusal("VIHF_ROLE", "The first role of the assertion is not the profession that the directory knows.")


def purpose() -> Refusal:
    return _refusal("VIHF_PURPOSE", "PurposeOfUse is normal, bris_de_glace or centre_15 of 1.2.250.1.213.1.1.4.248.")


def patient() -> Refusal:
    return Refusal(
        Kind.FORBIDDEN,
        "VIHF_PATIENT",
        "The assertion is about another patient than the request: they name the same one, or it names none.",
    )


def _refusal(code: str, diagnostics: str) -> Refusal:
    return Refusal(Kind.UNAUTHENTICATED, code, diagnostics)
