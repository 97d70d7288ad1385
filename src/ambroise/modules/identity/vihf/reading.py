"""Reading an assertion that was verified: only what was signed is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lxml import etree

from ambroise.modules.identity.vihf import model, refusals
from ambroise.modules.identity.vihf.model import SAML, Mode, Role, Vihf
from ambroise.trust.context import Purpose

Element = etree._Element  # pyright: ignore[reportPrivateUsage]
_STATEMENT, _ATTRIBUTE, _VALUE, _CONDITIONS, _RESTRICTION, _AUDIENCE = (
    f"{{{SAML}}}{name}"
    for name in (
        *("AttributeStatement", "Attribute", "AttributeValue"),
        *("Conditions", "AudienceRestriction", "Audience"),
    )
)
_SKEW = timedelta(minutes=2)
"""How far the clocks of two machines may be apart."""


def read(root: Element, now: datetime, lifetime: timedelta, audiences: frozenset[str]) -> tuple[Vihf, Mode]:
    """The assertion, checked against the time and the audience. Raises a refusal of `refusals`."""
    if root.get("Version") != "2.0" or not root.get("ID"):
        raise refusals.malformed("it is of SAML 2.0 and has an ID")
    expires = _check_times(root, now, lifetime)
    _check_audience(root, audiences)
    said = _Attributes(root)
    if said.text("Ressource_URN") != model.DMP:
        raise refusals.resource()
    purpose, reason = _purpose(said)
    written = said.text("Authentification_Mode")
    if written not in Mode.__members__.values():
        raise refusals.malformed("Authentification_Mode is DIRECTE, INDIRECTE or INDIRECTE_RENFORCEE")
    vihf = Vihf(
        id=str(root.get("ID")),
        subject=_text(root.find(f"{{{SAML}}}Subject/{{{SAML}}}NameID")),
        structure=said.text("Identifiant_Structure"),
        roles=tuple(Role(one.get("code", ""), one.get("codeSystem", "")) for one in said.coded(model.ROLE, "Role")),
        purpose=purpose,
        reason=reason,
        patient=said.text(model.RESOURCE_ID),
        secret=_is_secret(said),
        software=" ".join(part for part in (said.text("LPS_Nom"), said.text("LPS_Version")) if part) or None,
        expires=expires,
    )
    return vihf, Mode(written)


def issuer_of(root: Element) -> str:
    """Who says that it made the assertion."""
    return _text(root.find(f"{{{SAML}}}Issuer"))


class _Attributes:
    """The values of the attributes, by name whatever its capitals (the guides write the same name in two ways)."""

    def __init__(self, root: Element) -> None:
        self._values: dict[str, list[Element]] = {}
        for statement in root.iterchildren(_STATEMENT):
            for one in statement.iterchildren(_ATTRIBUTE):
                values = self._values.setdefault(str(one.get("Name", "")).lower(), [])
                values.extend(one.iterchildren(_VALUE))

    def text(self, name: str) -> str | None:
        """The text of the one value of this name."""
        found = self._values.get(name.lower(), [])
        if len(found) > 1:
            raise refusals.malformed(f"{name} is there twice")
        return _text(found[0]) or None if found else None

    def coded(self, name: str, element: str) -> list[Element]:
        """The HL7 coded values of this name."""
        found = self._values.get(name.lower(), [])
        return [one for value in found for one in value.iterchildren(f"{{{model.HL7}}}{element}")]


def _purpose(said: _Attributes) -> tuple[Purpose, str | None]:
    """The mode of access, and why, which the originalText of the coded value says."""
    found = said.coded(model.PURPOSE, "PurposeOfUse")
    code = found[0].get("code") if len(found) == 1 else None
    if code not in Purpose.__members__.values() or found[0].get("codeSystem") != model.ACCESS_MODES:
        raise refusals.purpose()
    return Purpose(code), _text(found[0].find(f"{{{model.HL7}}}originalText")) or None


def _is_secret(said: _Attributes) -> bool:
    coded = [one.get("code") for one in said.coded(model.CONFIDENTIALITY, "ConfidentialityCode")]
    return model.SECRET in coded or said.text(model.CONFIDENTIALITY) == model.SECRET


def _check_times(root: Element, now: datetime, lifetime: timedelta) -> datetime:
    """When the assertion ends: a while after it was made, or sooner when it says so."""
    made = _instant(root.get("IssueInstant"))
    if made is None:
        raise refusals.malformed("IssueInstant is an instant")
    begins, ends = made, made + lifetime
    for conditions in root.iterchildren(_CONDITIONS):
        begins = max(begins, _instant(conditions.get("NotBefore")) or begins)
        ends = min(ends, _instant(conditions.get("NotOnOrAfter")) or ends)
    if now < begins - _SKEW:
        raise refusals.too_early()
    if now >= ends + _SKEW:
        raise refusals.too_old()
    return ends + _SKEW


def _check_audience(root: Element, audiences: frozenset[str]) -> None:
    """Every restriction must name us; the guide of the DMP leaves them empty, which restricts nothing."""
    for conditions in root.iterchildren(_CONDITIONS):
        for restriction in conditions.iterchildren(_RESTRICTION):
            named = {_text(one) for one in restriction.iterchildren(_AUDIENCE)} - {""}
            if named and not named & audiences:
                raise refusals.audience()


def _instant(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise refusals.malformed(f"{text[:40]} is not an instant") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _text(element: Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""
