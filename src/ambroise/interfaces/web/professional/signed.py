"""A document that a professional writes in these pages and signs: one head, one filing, a former one replaced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from msgspec import Struct

from ambroise.interfaces.web.professional import signing
from ambroise.interfaces.web.professional.describing import with_format, with_visibility
from ambroise.interfaces.web.ui import dates
from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.api import INVISIBLE_REPRESENTATIVES, MASKED, Incoming, Record, Submission, write
from ambroise.trust.context import Context


class Paper(Struct, frozen=True):
    """What is signed: its type and title, the document of the same author that it replaces, the act of signing.

    `format` is said where the models of the document do not tell it.
    """

    type: write.Coded
    title: str
    act: UUID
    former: str | None = None
    format: str | None = None


def act_of(form: Any) -> UUID:
    """The number drawn when the page was opened: signed twice, it is filed once."""
    try:
        return UUID(str(form.acte.data))
    except ValueError:
        raise Refusal(Kind.INVALID, "FORM_FORGED", "The number of this form is not one of ours.") from None


async def file_signed(
    tx: Transaction, ctx: Context, record: Record, patient: UUID, paper: Paper, written: Callable[[write.Head], bytes]
) -> UUID:
    """Write the document under its head and file it, as the next version of the former one when there is one."""
    now = dates.local(ctx.now())
    former, version = await record.former(tx, ctx, paper.former) if paper.former else (None, None)
    head = write.Head(
        f"2.25.{paper.act.int}",
        paper.type,
        paper.title,
        now,
        now,
        await signing.patient_of(tx, patient),
        await signing.author_of(tx, ctx),
        replaces=version,
    )
    # What hid the former one hides the new one: nobody comes to see what the patient had masked.
    labels = [one for one in (MASKED, INVISIBLE_REPRESENTATIVES) if former and one in former.visibility]
    described = with_visibility(patient, labels)
    if paper.format:
        described = with_format(described, paper.format)
    submitted = await record.submit(tx, ctx, Submission((Incoming(written(head), None, described),)))
    return submitted.documents[0].document
