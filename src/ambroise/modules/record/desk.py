"""How the desk ends a report: the consequence, the note and the notice, in one transaction."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec.structs import replace

from ambroise.fhir.json import decode
from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import Change, join, trust_lines
from ambroise.modules.record import reports, repository
from ambroise.modules.record.model import Outcome, Report, Traced
from ambroise.modules.record.service import Record
from ambroise.trust.context import Context
from ambroise.trust.gateway import Gateway


class Desk:
    """The use cases of operators who end reports."""

    def __init__(self, record: Record, gateway: Gateway) -> None:
        self._record = record
        self._gateway = gateway

    async def end(
        self, tx: Transaction, ctx: Context, id: UUID, outcome: Outcome, note: str, other: str | None = None
    ) -> Report:
        """Carry out how a report ends and close it.

        `other` is what the outcome needs besides: the space to keep for MERGED, either of the two; the new matricule
        for INS_CHANGED.
        """
        found = await reports.open_report(tx, ctx, id)
        match outcome:
            case Outcome.MOVED_OUT:
                await self._move_out(tx, ctx, found)
            case Outcome.MERGED:
                kept, reported = reports.as_id(other or found.subject), reports.as_id(found.subject)
                await join(tx, ctx, reported if kept == found.patient else found.patient, kept)
            case Outcome.INS_CHANGED:
                await self._change_ins(tx, ctx, found, other)
            case Outcome.TRAITS_CORRECTED:
                await _expect_corrected(tx, found)
            case _:
                pass
        closed = await reports.close(tx, ctx, found, outcome, note)
        await self._gateway.trace(tx, ctx, replace(reports.told("U", Traced.REPORT_CLOSED, closed), rule="operator"))
        return closed

    async def _move_out(self, tx: Transaction, ctx: Context, found: Report) -> None:
        """Withdraw a misfiled document and free its unique id: its author files it again where it belongs."""
        await self._record.withdraw(tx, ctx, found.subject)
        await repository.free_unique_id(tx, found.patient, reports.as_id(found.subject))

    async def _change_ins(self, tx: Transaction, ctx: Context, found: Report, matricule: str | None) -> None:
        """Give the Patient the new matricule, under the same authority; the registry follows."""
        stored = await self._gateway.read(tx, ctx, "Patient", str(found.patient))
        resource: dict[str, Any] = decode(stored.body)
        wanted = matricule or str(found.details.get("matricule", ""))
        changed = [{**item, "value": wanted} if _is_ins(item) else item for item in resource.get("identifier", ())]
        if changed == resource.get("identifier"):
            raise Refusal(Kind.INVALID, "INS_UNCHANGED", "Give the new matricule: this one is the present one.")
        resource["identifier"] = changed
        await self._gateway.update(tx, ctx, resource, if_match=stored.version)


async def _expect_corrected(tx: Transaction, found: Report) -> None:
    """The desk corrects an identity on its own page, with its proofs; here it only says that this was done."""
    lines = await trust_lines(tx, found.patient)
    if not any(one.change is Change.TRAIT_CORRECTED and one.at >= found.reported_at for one in lines):
        text = "No trait was corrected since this was reported: correct the identity first."
        raise Refusal(Kind.CONFLICT, "TRAITS_NOT_CORRECTED", text)


def _is_ins(identifier: dict[str, Any]) -> bool:
    return str(identifier.get("system", "")).startswith("urn:oid:1.2.250.1.213.1.4.")
