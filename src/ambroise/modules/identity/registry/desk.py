"""How the desk changes the trust of an identity: rule, registry, history, Patient and trace in one transaction."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from ambroise.fhir.json import decode
from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.ins import Ins, Traits, check_ins
from ambroise.modules.identity.registry import repository
from ambroise.modules.identity.registry.model import PatientIdentity, require_complete
from ambroise.modules.identity.registry.reliability import with_trust
from ambroise.modules.identity.registry.repository import TrustLine
from ambroise.modules.identity.registry.trust import Change, Trust, check_proof
from ambroise.modules.identity.tracing import PatientAct
from ambroise.trust.access.rules import Rule
from ambroise.trust.audit.entry import Entry, record
from ambroise.trust.context import Context, Operator, System
from ambroise.trust.gateway import Gateway

DUTY: Final = "identity"
_GENDERS: Final = {"M": "male", "F": "female", "I": "unknown"}


class IdentityDesk:
    """The use cases of operators who answer for identities (identitovigilance)."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def recovered(self, tx: Transaction, ctx: Context, patient: UUID, ins: Ins) -> PatientIdentity:
        """INSi answered with this INS. Refuses INS_KNOWN when it leads to another space, INSI_NOT_ALLOWED."""
        known = await self._known(tx, ctx, patient)
        check_ins(ins, demonstration=ctx.demonstration)
        change = Change.INS_REPLACED if known.ins not in (None, ins) else Change.INS_RECOVERED
        return await self._apply(tx, ctx, known, known.trust.recovered(ins), change, asked=True)

    async def checked(
        self, tx: Transaction, ctx: Context, patient: UUID, proof: str, companion: str | None = None
    ) -> PatientIdentity:
        """An identity document was seen. Refuses PROOF_INSUFFICIENT, IDENTITY_DOUBTFUL."""
        known = await self._known(tx, ctx, patient)
        check_proof(proof, companion)
        trust = known.trust.checked()
        shown = f"{proof}+{companion}" if companion else proof
        return await self._apply(tx, ctx, known, trust, Change.DOCUMENT_CHECKED, proof=shown)

    async def denied(self, tx: Transaction, ctx: Context, patient: UUID) -> PatientIdentity:
        """INSi does not confirm the identity: its INS is dropped and leads nowhere."""
        known = await self._known(tx, ctx, patient)
        return await self._apply(tx, ctx, known, known.trust.denied(), Change.VERIFICATION_FAILED, asked=True)

    async def corrected(
        self, tx: Transaction, ctx: Context, patient: UUID, traits: Traits, note: str
    ) -> PatientIdentity:
        """A strict trait is corrected: the identity is provisional again."""
        known = await self._known(tx, ctx, patient)
        require_complete(traits)
        if traits == known.traits:
            raise Refusal(Kind.INVALID, "TRAITS_UNCHANGED", "These are the traits that the registry already holds.")
        return await self._apply(tx, ctx, known, known.trust.reset(), Change.TRAIT_CORRECTED, note=note, traits=traits)

    async def doubted(self, tx: Transaction, ctx: Context, patient: UUID, note: str) -> PatientIdentity:
        """Somebody doubts who this is."""
        known = await self._known(tx, ctx, patient)
        return await self._apply(tx, ctx, known, known.trust.doubted(), Change.DOUBTED, note=note)

    async def settled(self, tx: Transaction, ctx: Context, patient: UUID, note: str) -> PatientIdentity:
        """The doubt is lifted."""
        known = await self._known(tx, ctx, patient)
        return await self._apply(tx, ctx, known, known.trust.settled(), Change.DOUBT_LIFTED, note=note)

    async def fictitious(self, tx: Transaction, ctx: Context, patient: UUID, note: str) -> PatientIdentity:
        """This person does not exist."""
        known = await self._known(tx, ctx, patient)
        return await self._apply(tx, ctx, known, known.trust.fictitious(), Change.DECLARED_FICTITIOUS, note=note)

    async def homonym(self, tx: Transaction, ctx: Context, patient: UUID, *, marked: bool) -> PatientIdentity:
        """Warn (or warn no more) that somebody else has nearly the same traits."""
        known = await self._known(tx, ctx, patient)
        change = Change.HOMONYM_MARKED if marked else Change.HOMONYM_UNMARKED
        return await self._apply(tx, ctx, known, known.trust.homonym(marked), change)

    async def _known(self, tx: Transaction, ctx: Context, patient: UUID) -> PatientIdentity:
        require_duty(ctx)
        known = await repository.identity_of(tx, patient)
        if known is None:
            raise Refusal(Kind.NOT_FOUND, "NO_SUCH_PATIENT", "The registry knows nobody under this id.")
        if known.merged_into is not None:
            raise Refusal(Kind.CONFLICT, "JOINED_ALREADY", "This identity was joined to another one: work on that one.")
        return known

    async def _apply(
        self,
        tx: Transaction,
        ctx: Context,
        known: PatientIdentity,
        trust: Trust,
        change: Change,
        *,
        proof: str | None = None,
        note: str | None = None,
        traits: Traits | None = None,
        asked: bool = False,
    ) -> PatientIdentity:
        if trust == known.trust and traits is None and not asked:
            raise Refusal(Kind.CONFLICT, "TRUST_UNCHANGED", "The identity already is as asked.")
        changed = known.trusted(trust)
        if traits is not None:
            changed = replace(changed, traits=traits)
        await self._lead(tx, ctx, known, trust)
        await repository.update(tx, changed, ctx.now())
        line = TrustLine(
            at=ctx.now(),
            change=change,
            status=trust.status,
            attributes=trust.attributes,
            ins=trust.ins or known.ins,
            proof=proof,
            by=ctx.actor.name,
            note=note or None,
        )
        await repository.add_line(tx, known.patient, line)
        details = {"change": change.value, "from": known.status.value, "to": trust.status.value}
        entry = Entry(
            "U", PatientAct.IDENTITY_TRUST, known.patient, "Patient", rule=Rule.OPERATOR.value, details=details
        )
        await record(tx, ctx, entry)
        await self._say(tx, ctx, changed, traits, asked=asked)
        return changed

    async def _lead(self, tx: Transaction, ctx: Context, known: PatientIdentity, trust: Trust) -> None:
        """Make matricules lead where they now should."""
        before, after = known.ins, trust.ins
        if before == after:
            return
        if after is not None:
            holder = await repository.patient_of(tx, after)
            if holder is not None and holder != known.patient:
                raise Refusal(
                    Kind.CONFLICT, "INS_KNOWN", "Another space is open under this INS: this may be a duplicate."
                )
            if holder is None:
                await repository.lead(tx, after, known.patient, ctx.now())
        if before is not None and after is not None:
            await repository.retire(tx, before, ctx.now())
        elif before is not None:
            await repository.drop_lead(tx, before)

    async def _say(
        self, tx: Transaction, ctx: Context, changed: PatientIdentity, traits: Traits | None, *, asked: bool
    ) -> None:
        """Have the Patient resource say the same."""
        stored = await self._gateway.read(tx, ctx, "Patient", str(changed.patient))
        today = ctx.now().date() if asked else None
        resource = with_trust(decode(stored.body), changed.trust, ctx.now(), today)
        if traits is not None:
            resource = with_traits(resource, traits)
        await self._gateway.update(tx, ctx, resource, if_match=stored.version)


def require_duty(ctx: Context) -> None:
    """Refuse (DUTY_REQUIRED) who does not answer for identities."""
    allowed = isinstance(ctx.actor, System) or (isinstance(ctx.actor, Operator) and DUTY in ctx.actor.duties)
    if not allowed:
        raise Refusal(Kind.FORBIDDEN, "DUTY_REQUIRED", f"This takes an operator with the duty `{DUTY}`.")


def with_traits(patient: dict[str, Any], traits: Traits) -> dict[str, Any]:
    """The same Patient under these strict traits."""
    names = [name for name in patient.get("name", ()) if name.get("use") != "official"]
    official: dict[str, Any] = {"use": "official", "family": traits.birth_name, "given": [traits.first_given]}
    if traits.given_names:
        url = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-birth-list-given-name"
        official = {"extension": [{"url": url, "valueString": traits.given_names}], **official}
    changed = {**patient, "name": [official, *names]}
    if traits.birth_date is not None:
        changed["birthDate"] = traits.birth_date.isoformat()
    if traits.sex is not None:
        changed["gender"] = _GENDERS[traits.sex.value]
    return changed
