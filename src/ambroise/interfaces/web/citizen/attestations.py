"""The paper that says somebody helps, declined, or helps no more: filed among the documents of the person helped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from ambroise.interfaces.web.citizen.filing import metadata
from ambroise.interfaces.web.citizen.views import NewDocument
from ambroise.interfaces.web.lives import Lives
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.i18n import N_, gettext
from ambroise.interfaces.web.ui.paper import paper
from ambroise.interfaces.web.ui.visit import Visit
from ambroise.kernel.errors import Refusal
from ambroise.kernel.log import logger
from ambroise.modules.identity.api import identity_of
from ambroise.modules.record.api import Incoming, Submission
from ambroise.trust.context import Context, System

_log = logger(__name__)

TITLES: Final[Mapping[str, str]] = {
    "accepter": N_("Attestation : aide acceptée"),
    "decliner": N_("Attestation : aide déclinée"),
    "finir": N_("Attestation : aide arrêtée par la personne aidée"),
    "quitter": N_("Attestation : aide arrêtée par la personne qui aide"),
}


class Attested(Struct, frozen=True):
    """What a paper says."""

    gesture: str
    patient: UUID
    helper: str
    what: str
    reach: str = ""
    until: datetime | None = None


async def attest(lives: Lives, visit: Visit, one: Attested) -> None:
    """File the paper. What it attests is done already: that a paper cannot be made is noted, and changes nothing."""
    title = gettext(TITLES[one.gesture])
    async with lives.database.reader() as reader:
        known = await identity_of(reader, one.patient)
    holder = proper(known.display_name) if known else ""
    values = {
        "title": title,
        "holder": holder,
        "helper": proper(one.helper),
        "what": one.what,
        "reach": one.reach,
        "until": one.until,
        "now": visit.now,
    }
    try:
        content = await paper(visit, "citizen/attestation_paper.html", **values)
        new = NewDocument(content, "application/pdf", title, "DOC_ADM", dates.as_day(visit.now), masked=False)
        # The service writes it, not the person helped.
        described = {**metadata(one.patient, holder, new, "application/pdf"), "author": [{"display": "Ambroise"}]}
        ctx = Context(System("relations"), visit.context().clock, channel="job", demonstration=visit.site.demonstration)
        async with lives.database.transaction() as tx:
            await lives.record.submit(tx, ctx, Submission((Incoming(content, None, described),)))
    except Refusal as refusal:
        _log.warning("attestation_not_filed", code=refusal.code, patient=str(one.patient))
