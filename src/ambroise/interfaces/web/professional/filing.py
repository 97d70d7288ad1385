"""Depositing a file by hand: a document that says itself what it is, one that the professional describes, or a zip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from ambroise.interfaces.web.files import fileable, sniffed
from ambroise.interfaces.web.professional.describing import labels, metadata
from ambroise.interfaces.web.professional.views import Deposit, Deposited
from ambroise.interfaces.web.records import Records, row_of
from ambroise.interfaces.xdm.archive import is_zip
from ambroise.interfaces.xdm.filing import Taken, Zips
from ambroise.interfaces.xds.values import Cx
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import identity_of
from ambroise.modules.record.api import Filed, Incoming, Record, Submission
from ambroise.trust.context import Context

_CDA: Final = "text/xml"


class Filing:
    """Takes the files of the deposit page."""

    def __init__(self, records: Records, record: Record, zips: Zips) -> None:
        self._records = records
        self._record = record
        self._zips = zips

    async def deposit(self, ctx: Context, patient: UUID, deposit: Deposit) -> Sequence[Deposited]:
        """Deposit one file."""
        if is_zip(deposit.content):
            return await self._unpack(ctx, patient, deposit)
        content = await fileable(deposit.content)
        media_type = sniffed(content)
        async with self._records.database.transaction() as tx:
            described = (
                labels(patient, deposit)
                if media_type == _CDA
                else await metadata(tx, ctx, patient, deposit, content, media_type)
            )
            submitted = await self._record.submit(tx, ctx, Submission((Incoming(content, None, described),)))
        return [await self._done(ctx, patient, submitted.documents)]

    async def _unpack(self, ctx: Context, patient: UUID, deposit: Deposit) -> Sequence[Deposited]:
        if deposit.masked or deposit.withheld or deposit.hidden_from_representatives:
            # What was asked here would not be done: nobody may believe that it was.
            text = "An XDM zip says itself who sees its documents: deposit it without these choices."
            raise Refusal(Kind.INVALID, "XDM_VISIBILITY", text)
        async with self._records.database.reader() as reader:
            known = await identity_of(reader, patient)
        if known is None or known.ins is None:
            raise Refusal(Kind.UNPROCESSABLE, "INS_NOT_QUALIFIED", "The identity of this person is not qualified.")
        only = Cx(known.ins.matricule, known.ins.oid)
        taken = await self._zips.file(ctx, deposit.content, only=only)
        return [await self._told(ctx, patient, one) for one in taken]

    async def _told(self, ctx: Context, patient: UUID, taken: Taken) -> Deposited:
        part = taken.folder.rpartition("/")[2]
        if taken.refusal is not None:
            return Deposited(refusal=taken.refusal, part=part)
        signed = taken.checked.signature
        return await self._done(ctx, patient, [filed for _, filed in taken.filed], part, signed.name if signed else "")

    async def _done(
        self, ctx: Context, patient: UUID, filed: Sequence[Filed], part: str = "", signed_by: str = ""
    ) -> Deposited:
        ids = [str(one.document) for one in filed]
        found = await self._records.named(ctx, patient, ids)
        rows = [row_of(found[id], ctx) for id in ids if id in found]
        return Deposited(rows, part=part, there=all(one.replayed for one in filed), signed_by=signed_by)
