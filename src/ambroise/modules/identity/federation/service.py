"""The use cases of federation: leaving for a partner, coming back as somebody, being told that it is over."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, NoReturn
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import asdict

from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.log import logger
from ambroise.modules.identity import repository as accounts
from ambroise.modules.identity import tokens
from ambroise.modules.identity.enrolment.service import Enrolments
from ambroise.modules.identity.federation import asking, checking, people, repository
from ambroise.modules.identity.federation.model import (
    REQUEST_LASTS,
    Entered,
    Invalid,
    Linked,
    Partner,
    Proven,
    SignedOn,
    ToEnrol,
    Underway,
    refuse,
)
from ambroise.modules.identity.federation.remote import Remote
from ambroise.modules.identity.federation.transport import Unreachable
from ambroise.modules.identity.model import Account, AccountKind, Session
from ambroise.modules.identity.provider.api import Provider, Request
from ambroise.modules.identity.provider.model import Means
from ambroise.modules.identity.service import Identity
from ambroise.modules.identity.tracing import PatientAct
from ambroise.trust.audit.entry import DONE, REFUSED, Entry, InstanceEvent, record
from ambroise.trust.context import Citizen, Context, System

_log = logger(__name__)

_SEALED: Final = "federation"
_LOGOUT_KEPT: Final = timedelta(hours=1)
_HEX: Final = re.compile(r"[0-9a-f]{64}")
PATH: Final = "/connexion/par"
"""Where partners send people back, under the address of the instance."""


class Federation(Struct, frozen=True):
    """Our side of every partner. `addresses`: those by which people may reach us, the usual one first."""

    identity: Identity
    enrolments: Enrolments
    provider: Provider
    partners: Mapping[str, Partner]
    addresses: tuple[str, ...]
    remotes: Mapping[str, Remote] = field(default_factory=dict[str, Remote])

    @staticmethod
    def over(
        identity: Identity,
        enrolments: Enrolments,
        provider: Provider,
        partners: Mapping[str, Partner],
        addresses: tuple[str, ...],
    ) -> Federation:
        """Build it for the partners of an instance."""
        remotes = {id: Remote(partner, identity.clock) for id, partner in partners.items()}
        return Federation(identity, enrolments, provider, partners, addresses, remotes)

    def offered(self, *kinds: AccountKind) -> list[Partner]:
        """The partners that know people of these kinds."""
        return [one for one in self.partners.values() if one.people in kinds]

    async def begin(self, id: str, browser: str, address: str, following: str, request: str = "") -> str:
        """Where to send a browser, to come back to `following`, or to answer a request of our own provider.

        Raises PAGE_NOT_FOUND, PARTNER_UNREACHABLE.
        """
        remote = self._remote(id)
        state, underway = asking.begun(remote.partner, self._here(address) + f"{PATH}/{id}/retour", following, request)
        try:
            target = await asking.address(remote, state, underway)
        except Unreachable as error:
            self._unreachable(remote.partner, error)
        now = self.identity.clock.now()
        sealed = self.identity.sealer.seal(_SEALED, json.dumps(asdict(underway)).encode())
        async with self.identity.database.transaction() as tx:
            await repository.insert_request(
                tx, tokens.digest(state), id, tokens.digest(browser), sealed, now, now + REQUEST_LASTS
            )
        return target

    async def arrive(self, id: str, answer: Mapping[str, str], browser: str) -> Entered | SignedOn | ToEnrol:
        """Let in whom a partner sends back.

        Raises FEDERATION_ENDED, FEDERATION_REFUSED, FEDERATION_FAILED, FEDERATION_TOKEN_INVALID,
        FEDERATION_ACR_TOO_LOW, FEDERATION_PERSON_UNKNOWN, FEDERATION_CITIZEN_UNKNOWN, FEDERATION_LINK_CONFLICT,
        FEDERATION_NO_IDENTIFIER, PARTNER_UNREACHABLE, ACCOUNT_SUSPENDED, SIGN_ON_ENDED.
        """
        remote = self._remote(id)
        underway = await self._taken(remote.partner, answer.get("state", ""), browser)
        await self._check_answer(remote, answer)
        try:
            proven = await asking.proven(remote, answer["code"], underway, self.identity.clock)
        except Unreachable as error:
            self._unreachable(remote.partner, error)
        except Invalid as error:
            await self._invalid(remote.partner, str(error))
        if underway.request:
            return await self._sign_on(proven, await self.provider.signing_on.request(underway.request, browser))
        return await self._enter(proven, underway)

    async def came_from(self, token: str) -> tuple[Partner, str] | None:
        """The partner that a session came from, and the reference by which to leave it too; None when from none."""
        digest = tokens.digest(token)
        async with self.identity.database.reader() as reader:
            found = await repository.origin_of(reader, digest)
        return (self.partners[found[0]], digest.hex()) if found is not None and found[0] in self.partners else None

    async def farewell(self, id: str, reference: str, address: str) -> str | None:
        """Where who left us leaves a partner too (RP-Initiated Logout); None when it has no such address."""
        remote = self._remote(id)
        async with self.identity.database.reader() as reader:
            found = await repository.origin_of(reader, bytes.fromhex(reference)) if _HEX.fullmatch(reference) else None
        if found is None or found[0] != id:
            return None
        id_token = self.identity.sealer.unseal(_SEALED, found[1]).decode()
        try:
            return await asking.farewell(remote, id_token, self._here(address) + f"{PATH}/{id}/sortie")
        except Unreachable as error:
            self._unreachable(remote.partner, error)

    async def told(self, id: str, logout_token: str) -> int:
        """End what a partner says is over; how many sessions. Raises PARTNER_UNKNOWN, LOGOUT_TOKEN_INVALID."""
        remote, now = self._remote(id), self.identity.clock.now()
        try:
            claims = await checking.logout_token(remote, logout_token, now)
        except Invalid as error:
            raise Refusal(Kind.INVALID, "LOGOUT_TOKEN_INVALID", f"The logout token breaks a rule: {error}.") from error
        except Unreachable as error:
            self._unreachable(remote.partner, error)
        issuer = remote.partner.issuer
        async with self.identity.database.transaction() as tx:
            if not await repository.hear(tx, issuer, tokens.digest(claims["jti"]), now + _LOGOUT_KEPT):
                raise Refusal(Kind.INVALID, "LOGOUT_TOKEN_INVALID", "This logout token was heard already.")
            subject, sid = _digest(claims.get("sub")), _digest(claims.get("sid"))
            closed = await repository.close_sessions(tx, issuer, subject, sid, now)
            for account in set(closed):
                found = await accounts.credentials(tx, account=account)
                if found is not None:
                    await self._trace(tx, found.account, PatientAct.PARTNER_SIGNED_OUT, {"partner": id})
            sign_ons = await repository.sign_ons_of(tx, issuer, subject, sid)
        for one in sign_ons:
            await self.provider.leaving.leave(one, None)
        return len(closed) + len(sign_ons)

    async def links(self, account: Account) -> list[Linked]:
        """The providers by which this person may enter, the oldest link first."""
        async with self.identity.database.reader() as reader:
            found = await repository.links_of(reader, account.id)
        return [Linked(issuer, self._names(issuer, account.kind), linked, used) for issuer, linked, used in found]

    async def unlink(self, session: Session, issuer: str) -> None:
        """Forget who this person is to a provider, traced; what came in by it ends, save this session.

        Raises LINK_UNKNOWN.
        """
        account, now = session.account, self.identity.clock.now()
        async with self.identity.database.transaction() as tx:
            if not await repository.unlink(tx, issuer, account.id):
                raise Refusal(Kind.NOT_FOUND, "LINK_UNKNOWN", "This account is not linked to that provider.")
            closed = await repository.close_others(tx, issuer, account.id, session.id, now)
            details = {"issuer": issuer, "closed": closed}
            await self._trace(tx, account, PatientAct.PARTNER_UNLINKED, details)
            sign_ons = await repository.sign_ons_by(tx, issuer, account.id)
        for one in sign_ons:
            await self.provider.leaving.leave(one, None)

    async def sweep(self, tx: Transaction) -> None:
        """Forget what is over."""
        await repository.sweep(tx, self.identity.clock.now())

    # Steps

    async def _taken(self, partner: Partner, state: str, browser: str) -> Underway:
        """The sign-in that this browser began at this very partner: no other's answer is taken for its own."""
        async with self.identity.database.transaction() as tx:
            kept = await repository.take_request(
                tx, tokens.digest(state), partner.id, tokens.digest(browser), self.identity.clock.now()
            )
        if kept is None:
            refuse(Kind.GONE, "FEDERATION_ENDED", "This sign-in is over, or began in another browser.", partner)
        return Underway(**json.loads(self.identity.sealer.unseal(_SEALED, kept)))

    async def _check_answer(self, remote: Remote, answer: Mapping[str, str]) -> None:
        """The answer is the partner's own (RFC 9207), and a code."""
        partner = remote.partner
        try:
            named = (await remote.metadata()).names_itself
        except Unreachable as error:
            self._unreachable(partner, error)
        if answer.get("iss", None if named else partner.issuer) != partner.issuer:
            await self._invalid(partner, "iss of the answer")
        if answer.get("error") == "access_denied":
            refuse(Kind.FORBIDDEN, "FEDERATION_REFUSED", "The person, or the provider, refused.", partner)
        if "error" in answer or not answer.get("code"):
            _log.warning("partner_error", partner=partner.id, error=answer.get("error", "")[:80])
            refuse(Kind.FORBIDDEN, "FEDERATION_FAILED", "The provider answered with an error.", partner)

    async def _enter(self, proven: Proven, underway: Underway) -> Entered | ToEnrol:
        partner = proven.partner
        if partner.people is AccountKind.CITIZEN:
            patient = await self._citizen_without_account(proven)
            if patient is not None:
                return ToEnrol(await self.enrolments.begin_proven(patient))
        async with self.identity.database.transaction() as tx:
            account = await self._identified(tx, proven)
            signed = await self.identity.enter(tx, account)
            subject, sid = tokens.digest(proven.subject), _digest(proven.sid)
            sealed = self.identity.sealer.seal(_SEALED, proven.id_token.encode())
            await repository.note_session(
                tx, tokens.digest(signed.token), partner.id, partner.issuer, subject, sid, sealed
            )
        return Entered(signed, underway.next)

    async def _sign_on(self, proven: Proven, request: Request) -> SignedOn:
        """Answer a request of our own provider: the means is the partner."""
        partner, token = proven.partner, secrets.token_urlsafe(32)
        if partner.people is not AccountKind.PROFESSIONAL:
            refuse(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "This provider knows no professional.")
        async with self.identity.database.transaction() as tx:
            account = await self._identified(tx, proven)
            signing_on = self.provider.signing_on
            made = await signing_on.open(tx, account, Means.DELEGATED, request.client.id, token=token)
            subject, sid = tokens.digest(proven.subject), _digest(proven.sid)
            await repository.note_sign_on(tx, made.id, partner.issuer, subject, sid)
        return SignedOn(token, request.reference)

    async def _identified(self, tx: Transaction, proven: Proven) -> Account:
        """The account of somebody, linked the first time, traced."""
        partner, now, subject = proven.partner, self.identity.clock.now(), tokens.digest(proven.subject)
        account, known = await self._account(tx, proven)
        await people.usable(tx, account.id)
        if known is None and not await repository.link(tx, partner.issuer, subject, account.id, now):
            self._conflict(partner)
        await repository.use_link(tx, partner.issuer, subject, now)
        details = {"partner": partner.id, "acr": proven.acr, "amr": list(proven.amr)}
        if known is None:
            await self._trace(tx, account, PatientAct.PARTNER_LINKED, details)
        await self._trace(tx, account, PatientAct.PARTNER_SIGNED_IN, details)
        return account

    async def _account(self, tx: Transaction, proven: Proven) -> tuple[Account, UUID | None]:
        """Whose account it is, and the one that the subject was linked to. The two never differ."""
        partner = proven.partner
        known = await repository.linked(tx, partner.issuer, tokens.digest(proven.subject))
        if partner.people is AccountKind.PROFESSIONAL:
            account = await people.professional(tx, self.identity, proven)
            if known is not None and known != account.id:
                self._conflict(partner)
            return account, known
        if known is not None:
            return await people.usable(tx, known), known
        patient = await people.citizen(tx, proven)
        found = await self.identity.account_of(tx, patient=patient) if patient is not None else None
        if found is None:
            refuse(Kind.FORBIDDEN, "FEDERATION_CITIZEN_UNKNOWN", "No identity here is exactly this one.", partner)
        return found, None

    async def _citizen_without_account(self, proven: Proven) -> UUID | None:
        """A citizen identified for certain, who has yet to open an account."""
        async with self.identity.database.reader() as reader:
            if await repository.linked(reader, proven.partner.issuer, tokens.digest(proven.subject)) is not None:
                return None
            patient = await people.citizen(reader, proven)
            if patient is None or await self.identity.account_of(reader, patient=patient) is not None:
                return None
            return patient

    async def _invalid(self, partner: Partner, rule: str) -> NoReturn:
        """Refuse an answer that breaks a rule, and keep a trace of it."""
        _log.warning("partner_token_refused", partner=partner.id, rule=rule)
        ctx = Context(
            System("federation"), self.identity.clock, channel="web", demonstration=self.identity.demonstration
        )
        async with self.identity.database.transaction() as tx:
            details = {"partner": partner.id, "rule": rule}
            await record(tx, ctx, Entry("E", InstanceEvent("partner_refused"), outcome=REFUSED, details=details))
        if rule == "acr":
            refuse(Kind.FORBIDDEN, "FEDERATION_ACR_TOO_LOW", "The level of the identification is too low.", partner)
        refuse(
            Kind.FORBIDDEN, "FEDERATION_TOKEN_INVALID", f"The answer of the provider breaks a rule: {rule}.", partner
        )

    async def _trace(self, tx: Transaction, account: Account, event: PatientAct, details: Mapping[str, Any]) -> None:
        actor = (
            Citizen(account.patient, account.display_name) if account.patient is not None else account.as_professional()
        )
        ctx = Context(
            actor, self.identity.clock, channel="web", software="portal", demonstration=self.identity.demonstration
        )
        await record(tx, ctx, Entry("E", event, patient=account.patient, outcome=DONE, details=details))

    def _names(self, issuer: str, kind: AccountKind) -> tuple[str, ...]:
        return tuple(one.name for one in self.offered(kind) if one.issuer == issuer)

    def _conflict(self, partner: Partner) -> NoReturn:
        refuse(
            Kind.CONFLICT, "FEDERATION_LINK_CONFLICT", "This subject and this account are linked to others.", partner
        )

    def _remote(self, id: str) -> Remote:
        remote = self.remotes.get(id)
        if remote is None:
            raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "No provider has this name here.")
        return remote

    def _unreachable(self, partner: Partner, error: Unreachable) -> NoReturn:
        _log.warning("partner_unreachable", partner=partner.id, why=str(error))
        refuse(Kind.UNAVAILABLE, "PARTNER_UNREACHABLE", "The provider does not answer.", partner)

    def _here(self, address: str) -> str:
        """The address by which somebody came, when it is one of ours."""
        return address if address in self.addresses else self.addresses[0]


def _digest(value: Any) -> bytes | None:
    return tokens.digest(value) if isinstance(value, str) and value else None
