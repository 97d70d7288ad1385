"""Filing what an XDM zip holds: each SubmissionSet by the use case of the record, whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ambroise.interfaces.services import Services
from ambroise.interfaces.xdm.archive import Archive, Limits
from ambroise.interfaces.xdm.reading import Subset, folders, read_subset
from ambroise.interfaces.xds.names import SET_PATIENT
from ambroise.interfaces.xds.packages import Submissions
from ambroise.interfaces.xds.signing import Checked, Signing
from ambroise.interfaces.xds.values import Cx
from ambroise.kernel.db import Database
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.api import Filed, Record
from ambroise.trust.context import Context
from ambroise.trust.gateway import Gateway

MEGABYTE: Final = 1_000_000
_TIMES: Final = 4
"""How many of the largest documents a zip may hold, in bytes."""


class Taken(Struct, frozen=True):
    """What became of one SubmissionSet: its documents with the file of each, or why it was refused."""

    folder: str
    filed: tuple[tuple[str, Filed], ...] = ()
    refusal: Refusal | None = None
    checked: Checked = Checked()
    """Its signature, found right and kept; or why it was passed over."""


class Zips:
    """Takes XDM zips in."""

    def __init__(
        self, database: Database, gateway: Gateway, record: Record, signing: Signing, *, most: int = 50 * MEGABYTE
    ) -> None:
        """`most`: bytes of the largest document."""
        self._database = database
        self._signing = signing
        self._record = record
        self._submissions = Submissions(gateway)
        self._limits = Limits(file=most, total=_TIMES * most)

    @classmethod
    def of(cls, services: Services) -> Zips:
        """Those of an instance."""
        most = services.settings.document_max_bytes
        signing = Signing.of_zips(services)
        return cls(services.database, services.gateway, services.record, signing, most=most)

    async def file(self, ctx: Context, content: bytes, *, only: Cx | None = None) -> Sequence[Taken]:
        """File every SubmissionSet of a zip, each in its transaction.

        `only` is the patient that they must be about. Raises the refusal of a zip that is unsafe as a whole.
        """
        archive = await asyncio.to_thread(Archive, content, self._limits)
        return [await self._take(ctx, archive, folder, only) for folder in folders(archive)]

    async def _take(self, ctx: Context, archive: Archive, folder: str, only: Cx | None) -> Taken:
        files: Sequence[str] = ()
        try:
            subset = await asyncio.to_thread(read_subset, archive, folder)
            files = subset.files
            if only is not None:
                _check_patient(subset, only)
            checked = await self._signing.check(ctx, subset.package, subset.contents)
            async with self._database.transaction() as tx:
                submission = await self._submissions.of(tx, ctx, subset.package, dict(subset.contents))
                submitted = await self._record.submit(tx, ctx, replace(submission, signature=checked.signature))
        except Refusal as refusal:
            number = refusal.data.get("document")
            if isinstance(number, int) and number < len(files):
                refusal.diagnostics = f"{files[number]}: {refusal.diagnostics}"
            return Taken(folder, refusal=refusal)
        pairs = tuple(zip(files, submitted.documents, strict=True))
        return Taken(folder, pairs, checked=checked)


def _check_patient(subset: Subset, only: Cx) -> None:
    named = Cx.parse(subset.package.set.external.get(SET_PATIENT) or "")
    if named is None or (named.value, named.authority) != (only.value, only.authority):
        text = "This zip is about another patient: open the record of that person, and file it there."
        raise Refusal(Kind.UNPROCESSABLE, "XDM_OTHER_PATIENT", text)
