"""Lets people into an instance: structures and professionals of the directory, citizens and their rights, accounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from msgspec import Struct

from ambroise.interfaces.demonstration.documents import Document
from ambroise.interfaces.demonstration.model import (
    INS_TEST_OID,
    Citizen,
    Nation,
    Operator,
    Organization,
    Professional,
    Role,
)
from ambroise.interfaces.demonstration.patients import patient_resource
from ambroise.interfaces.demonstration.population import professional_for
from ambroise.interfaces.demonstration.professions import PROFESSIONS
from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Refusal
from ambroise.modules.directory import api as directory
from ambroise.modules.identity.api import (
    AccountKind,
    Identity,
    Ins,
    NewAccount,
    Situation,
    identity_of,
    identity_under,
    open_for,
)
from ambroise.modules.relations.api import majority
from ambroise.trust.access.people import Party
from ambroise.trust.context import Context, Relation
from ambroise.trust.context import Professional as Actor

if TYPE_CHECKING:
    from ambroise.trust.gateway import Gateway

_MAJORITY = 18
# Who writes once about somebody is not of the care team; who only measures is not either.
_TEAM_WRITES_AT_LEAST = 2
_NOT_OF_THE_TEAM = frozenset({Role.GP, Role.BIOLOGIST, Role.RADIOLOGIST, Role.EMERGENCY})

# The order of the sign-in list, and what it says of each known person.
_NOTES = {
    "diabetic": "Diabète de type 2 suivi depuis plusieurs années ; aide aussi son père.",
    "elderly": "Insuffisance cardiaque, un résultat en attente de consultation d'annonce.",
    "pregnant": "Grossesse en cours ; représente son fils.",
    "child": "Trois ans, vaccins et examens de l'enfant.",
    "father": "Père de famille en bonne santé.",
    "sixties": "La soixantaine : bilan de prévention et dépistages à faire.",
    "test-identity": "Identité de test publique des documents d'exemple.",
    "gp": "Médecin traitant des personnes de cette liste.",
    "cardiologist": "Cardiologue autorisé.",
    "pharmacist": "Pharmacienne de l'équipe de soins.",
    "nurse": "Infirmier de l'équipe de soins.",
    "stranger": "Dermatologue d'une autre ville, sans autorisation.",
    "regulator": "Médecin régulatrice du centre 15.",
    "sample-author": "Auteur des documents d'exemple publics.",
    "desk": "Accueil des citoyens : demandes, identités, signalements.",
}
_RANKS = {star: rank for rank, star in enumerate(_NOTES, 1)}


def actor_of(professional: Professional) -> Actor:
    """A professional of the nation as an actor."""
    return Actor(
        id=professional.id_nat,
        rpps=professional.rpps,
        name=f"{professional.given} {professional.family}",
        profession=professional.profession,
        profession_system=professional.profession_system,
        specialty=professional.specialty,
        organization=professional.organization.id_nat,
        organization_name=professional.organization.name,
        role_title=PROFESSIONS[professional.role].label,
    )


class Newcomers(Struct, frozen=True):
    """Adds people; whoever is there already is left as he or she is."""

    gateway: Gateway
    identity: Identity
    ctx: Context

    async def structure(self, tx: Transaction, organization: Organization) -> None:
        """Add a structure to the directory."""
        address = organization.address
        structure = directory.Structure(
            organization.id_nat,
            organization.name,
            organization.facility,
            organization.setting,
            f"{address.number} {address.street}",
            address.postal_code,
            address.city,
            organization.phone,
            organization.email,
            organization.test_identity,
        )
        await directory.register_structure(tx, self.ctx, self.gateway, structure)

    async def professional(self, tx: Transaction, professional: Professional) -> None:
        """Add a professional to the directory, with an account."""
        label = PROFESSIONS[professional.role].label
        entry = directory.ProfessionalEntry(
            professional.rpps,
            professional.family,
            professional.given,
            professional.profession,
            professional.profession_system,
            professional.specialty,
            label,
            professional.sex,
            professional.title,
            professional.phone,
            professional.test_identity,
        )
        situation = directory.Situation(professional.organization.id_nat, label)
        await directory.register(tx, self.ctx, self.gateway, entry, (situation,))
        actor = actor_of(professional)
        await self._account(
            tx,
            NewAccount(
                AccountKind.PROFESSIONAL,
                f"{professional.rpps}@demonstration.example",
                actor.name,
                professional=actor.id,
                situations=(
                    Situation(
                        actor.profession,
                        actor.profession_system,
                        actor.specialty,
                        actor.organization,
                        actor.organization_name,
                        actor.role_title,
                    ),
                ),
                demonstration=True,
                demonstration_rank=_RANKS.get(professional.star or ""),
                demonstration_note=_NOTES.get(professional.star or "") or label.removesuffix(" (SM)"),
            ),
        )

    async def operator(self, tx: Transaction, operator: Operator) -> None:
        """Add an account of the desk."""
        await self._account(
            tx,
            NewAccount(
                AccountKind.OPERATOR,
                f"{operator.identifier}@demonstration.example",
                operator.name,
                duties=frozenset(operator.duties),
                demonstration=True,
                demonstration_rank=_RANKS["desk"],
                demonstration_note=_NOTES["desk"],
            ),
        )

    async def citizen(
        self, tx: Transaction, citizen: Citizen, team: Sequence[Professional], *, with_account: bool
    ) -> UUID:
        """Open the space of a citizen, with the treating doctor and a care team; the key of the space."""
        known = await identity_under(tx, Ins(citizen.matricule, INS_TEST_OID))
        if known is not None:
            return known.patient
        resource = patient_resource(citizen)
        stored = await self.gateway.create(tx, self.ctx, resource)
        patient = stored.key
        if await identity_of(tx, patient) is None:
            await open_for(tx, self.ctx, patient, resource)
        await self._rights(tx, citizen, team, patient)
        if with_account:
            await self._citizen_account(tx, citizen, patient)
        return patient

    async def _citizen_account(self, tx: Transaction, citizen: Citizen, patient: UUID) -> None:
        await self._account(
            tx,
            NewAccount(
                AccountKind.CITIZEN,
                citizen.email,
                citizen.display,
                patient=patient,
                demonstration=True,
                demonstration_rank=_RANKS.get(citizen.star or ""),
                demonstration_note=_NOTES.get(citizen.star or ""),
            ),
        )

    async def family(
        self, tx: Transaction, today: date, citizen: Citizen, people: dict[str, Citizen], patients: dict[str, UUID]
    ) -> None:
        """Let parents represent their minor children, and carers act for whom they care."""
        if citizen.age_on(today) < _MAJORITY:
            for parent in (citizen.mother, citizen.father):
                await self._relation(tx, citizen, parent, "representative", people, patients)
        for carer in citizen.carers:
            await self._relation(tx, citizen, carer, "carer", people, patients)

    async def _relation(
        self,
        tx: Transaction,
        citizen: Citizen,
        other: str | None,
        relation: Relation,
        people: dict[str, Citizen],
        patients: dict[str, UUID],
    ) -> None:
        if other not in patients:
            return
        await self.gateway.rights.set_relation(
            tx,
            self.ctx,
            patients[citizen.matricule],
            patients[other],
            relation,
            person_name=people[other].display,
            until=majority(citizen.birth_date) if relation == "representative" else None,
            basis="parent" if relation == "representative" else "declared",
        )

    async def _rights(self, tx: Transaction, citizen: Citizen, team: Sequence[Professional], patient: UUID) -> None:
        rights = self.gateway.rights
        await rights.declare_treating(tx, self.ctx, patient, Party.of(actor_of(citizen.treating)))
        members = [Party.of(actor_of(member)) for member in team]
        await rights.authorise_care_team(tx, self.ctx, patient, uuid5(patient, "care-team"), members)

    async def _account(self, tx: Transaction, account: NewAccount) -> None:
        """Create an account unless an interrupted load did."""
        try:
            await self.identity.create_account(tx, account)
        except Refusal as refusal:
            if refusal.code != "SIGN_IN_NAME_TAKEN":
                raise


def care_team(nation: Nation, citizen: Citizen, documents: Iterable[Document]) -> list[Professional]:
    """The care team beside the treating doctor: the known circle, the pharmacist, and who writes more than once."""
    written = Counter(document.author for document in documents if document.author is not None)
    pharmacist = professional_for(nation.territories[citizen.territory], citizen, Role.PHARMACIST)
    often = (
        who for who, count in written.items() if count >= _TEAM_WRITES_AT_LEAST and who.role not in _NOT_OF_THE_TEAM
    )
    return [who for who in dict.fromkeys((*citizen.circle, pharmacist, *often)) if who is not citizen.treating]
