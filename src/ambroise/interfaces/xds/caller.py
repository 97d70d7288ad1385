"""Who calls: the assertion of the header, and what the directory says of that person in that structure."""

from __future__ import annotations

from datetime import timedelta

from lxml import etree
from msgspec import Struct

from ambroise.interfaces.services import Services
from ambroise.interfaces.soap import Element, children
from ambroise.interfaces.xds.names import WSSE
from ambroise.interfaces.xds.values import Cx
from ambroise.kernel.crypto.certificates import Authorities, Revocations
from ambroise.modules.identity.vihf.api import Assertions, Use, Vihf, refusals
from ambroise.trust.context import Context, Professional

_ASSERTION = "{urn:oasis:names:tc:SAML:2.0:assertion}Assertion"


class Caller(Struct, frozen=True):
    """The context of one request, and the use of its assertion, without which nothing is answered.

    `patient` is the CX of the one patient that the assertion is about, if it says so.
    """

    context: Context
    patient: str | None
    use: Use


class Callers:
    """Makes the context of a request from its header. What a person may do is read at each request, not here."""

    def __init__(self, services: Services, assertions: Assertions) -> None:
        self._services = services
        self._assertions = assertions

    @classmethod
    def of(cls, services: Services, *paths: str) -> Callers:
        """Those who call these addresses of this instance."""
        assertions = Assertions(
            services.database,
            services.clock,
            *believed(services),
            audiences=(services.public_url, *(services.public_url + path for path in paths), "urn:dmp"),
            lifetime=timedelta(minutes=services.settings.vihf_minutes),
        )
        return cls(services, assertions)

    async def identify(self, header: Element | None) -> Caller:
        """The caller, whose assertion is not used up yet. Raises UNAUTHENTICATED with a code VIHF_*."""
        security = children(header, WSSE, "Security") if header is not None else []
        found = [one for each in security for one in each.iterfind(_ASSERTION)]
        if len(found) != 1:
            raise refusals.missing()
        believed = self._assertions.believe(etree.tostring(found[0], with_tail=False))
        actor = await self._professional(believed.vihf)
        return Caller(self._context(believed.vihf, actor), believed.vihf.patient, believed.use)

    async def _professional(self, vihf: Vihf) -> Professional:
        rpps = vihf.subject.removeprefix("8") if vihf.subject.startswith("8") else None
        actor = await self._services.authenticator.professional(rpps, vihf.structure) if rpps else None
        if actor is None or actor.id != vihf.subject:
            raise refusals.subject()
        if not vihf.roles or (vihf.roles[0].code, vihf.roles[0].system) != (actor.profession, actor.profession_system):
            raise refusals.role()
        return actor

    def _context(self, vihf: Vihf, actor: Professional) -> Context:
        return Context(
            actor=actor,
            clock=self._services.clock,
            purpose=vihf.purpose,
            reason=vihf.reason,
            secret=vihf.secret,
            channel="xds",
            software=vihf.software,
            demonstration=self._services.demonstration,
        )


def believed(services: Services) -> tuple[Authorities, Revocations]:
    """Whose certificates are believed, and those that are not any more."""
    settings = services.settings
    authority, revocations = settings.mtls_authority_file, settings.mtls_revocations_file
    if authority is None and services.demonstration:
        authority, revocations = settings.demonstration_pki / "ca.pem", settings.demonstration_pki / "crl.pem"
    return Authorities(authority), Revocations(revocations)


def check_patient(caller: Caller, written: str | None) -> None:
    """Refuse (VIHF_PATIENT) a request about another patient than the one that its assertion names."""
    named, asked = Cx.parse(caller.patient or ""), Cx.parse(written or "")
    if named is not None and (asked is None or (named.value, named.authority) != (asked.value, asked.authority)):
        raise refusals.patient()
