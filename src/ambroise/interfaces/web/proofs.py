"""The proofs that go with a letter, on paper: of an objection, of a closing (CSP R. 1111-28 and R. 1111-36)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

from jinja2 import Environment
from msgspec import Struct

from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.ui.paper import printed
from ambroise.kernel.clock import Clock
from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Refusal
from ambroise.kernel.log import logger
from ambroise.modules.identity.api import identity_of
from ambroise.modules.letters.api import Attachment, Kind, Letter
from ambroise.modules.space.api import lives
from ambroise.trust.access.facts import SpaceState

_log = logger(__name__)

_PAPERS: Final[Mapping[Kind, tuple[frozenset[SpaceState], str, str]]] = {
    Kind.SPACE_OBJECTED: (frozenset({SpaceState.OPPOSED}), "citizen/objection_paper.html", "opposition.pdf"),
    Kind.SPACE_CLOSED: (
        frozenset({SpaceState.CLOSED, SpaceState.DELETING}),
        "citizen/closing_paper.html",
        "fermeture.pdf",
    ),
}


class Proofs(Struct, frozen=True):
    """Makes what a letter takes with it."""

    templates: Callable[[], Environment]
    clock: Clock

    async def of(self, tx: Transaction, letter: Letter) -> Attachment | None:
        """The proof of what a letter tells; None when it tells nothing to prove, or when the space has moved on."""
        if letter.kind not in _PAPERS or "patient" not in letter.details:
            return None
        states, template, name = _PAPERS[letter.kind]
        patient = UUID(letter.details["patient"])
        life = await lives.life(tx, patient)
        if life is None or life.state not in states:
            return None
        known = await identity_of(tx, patient)
        try:
            content = await printed(
                self.templates(),
                letter.language,
                template,
                life=life,
                known=known,
                proper=proper,
                now=self.clock.now(),
            )
        except Refusal as refusal:
            # Without the layout libraries the letter still leaves: the page it names gives the proof elsewhere.
            _log.warning("proof_not_attached", code=refusal.code)
            return None
        return Attachment(name, "application/pdf", content)
