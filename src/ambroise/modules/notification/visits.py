"""Telling the holder of a space that a professional came: one notice a visit, however much was read.

The reading itself writes nothing more than its trace: visits are read from the sealed trace, a minute later at most.
What a visit turns out to be (of documents, of vaccinations alone) is written on its one notice while it lasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.db import Transaction
from ambroise.modules.notification import repository
from ambroise.modules.notification.model import Code
from ambroise.trust.access.kinds import kinds
from ambroise.trust.audit.visits import Look, last_seal, looks_between
from ambroise.trust.gateway import Flags, Gateway

_MARK: Final = "visits"
_SEALS: Final = 20
_VACCINATION_TYPES: Final = ("11369-6", "87273-9")
"""Document types of the CI-SIS: immunization history, and vaccination note."""
_HIDDEN: Final = Flags.INVISIBLE_PATIENT | Flags.INVISIBLE_REPRESENTATIVES | Flags.DELETED
_ORDINARY: Final = 1


class Visits(Struct, frozen=True):
    """Tells of visits."""

    gateway: Gateway

    async def tell(self, tx: Transaction) -> int:
        """Tell of the visits sealed since the last run; how many began. Nothing before the first run is told."""
        last = await last_seal(tx)
        mark = await repository.mark_of(tx, _MARK)
        if mark is None or mark >= last:
            await repository.keep_mark(tx, _MARK, last)
            return 0
        upto = min(last, mark + _SEALS)
        began = 0
        looks = await looks_between(tx, mark, upto)
        for _, visit in groupby(sorted(looks, key=_whose), _whose):
            began += await self._tell(tx, list(visit))
        await repository.keep_mark(tx, _MARK, upto)
        return began

    async def _tell(self, tx: Transaction, looks: Sequence[Look]) -> int:
        """Tell of one professional in one record."""
        first = looks[0]
        begins = [one for one in looks if one.begins]
        shown = [one for one in looks if not one.secret]
        code = await self._code(tx, shown)
        for one in begins:
            # A visit in which every look is secret (connexion secrète) stays between the holder and the professional.
            await repository.insert(
                tx,
                one.patient,
                one.at,
                code.value if one is begins[-1] else Code.PROFESSIONAL_ACCESS.value,
                None,
                {"by": one.actor_name},
                not shown,
                f"visit {one.actor_id} {one.at.isoformat()}",
                _ORDINARY,
            )
        if not begins and code is not Code.PROFESSIONAL_ACCESS:
            await repository.deepen(tx, first.patient, f"visit {first.actor_id} ", code.value)
        return len(begins)

    async def _code(self, tx: Transaction, looks: Sequence[Look]) -> Code:
        """What the looks amount to; a document that is withheld from somebody on the holder's side counts for none."""
        numbers = {kinds().number(one) for one in _VACCINATION_TYPES}
        vaccinations = any(one.kind in numbers or (one.type or "").startswith("Immunization") for one in looks)
        documents = [one for one in looks if one.opened and one.type == "DocumentReference" and one.kind not in numbers]
        keys: set[UUID] = {key for one in documents for key in one.resources}
        labels = await self.gateway.labels(tx, "DocumentReference", sorted(keys)) if keys else []
        if any(not label.flags & _HIDDEN for label in labels):
            return Code.DOCUMENT_READ
        return Code.VACCINATION_READ if vaccinations else Code.PROFESSIONAL_ACCESS


def _whose(look: Look) -> tuple[UUID, str]:
    return look.patient, look.actor_id
