"""Files what comes from elsewhere: the words that stay with each document, and the paper of what is data alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from jinja2 import Environment
from markupsafe import Markup
from msgspec import Struct

from ambroise.interfaces.web.citizen.filing import metadata
from ambroise.interfaces.web.citizen.views import NewDocument
from ambroise.interfaces.web.ui import i18n
from ambroise.interfaces.web.ui.i18n import N_, gettext
from ambroise.interfaces.web.ui.paper import printed
from ambroise.modules.portability.api import Brought, ImportSort, Paper, Section
from ambroise.modules.record.api import CITIZEN_TYPES

SORTS: Final[Mapping[ImportSort, str]] = {
    ImportSort.IPS_FHIR: N_("un résumé médical international (IPS, FHIR)"),
    ImportSort.IPS_CDA: N_("un résumé médical (CDA)"),
    ImportSort.COPY: N_("une copie d’un autre espace Ambroise"),
}


def title_of(paper: Paper) -> str:
    """Its title; what was told in a profile has none of its own."""
    return paper.title or gettext("Mon profil médical")


class Filing(Struct, frozen=True):
    """Implements the filer of the module of copies."""

    templates: Callable[[], Environment]

    def metadata(self, space: UUID, name: str, paper: Paper, media_type: str, origin_words: str) -> Mapping[str, Any]:
        """The DocumentReference with which the citizen files one; its comment says from where it comes."""
        category = paper.category if paper.category in CITIZEN_TYPES else "AUTR_DOC"
        new = NewDocument(b"", media_type, title_of(paper)[:120], category, paper.day, paper.masked)
        told = ". ".join(filter(None, (origin_words, paper.origin)))
        return {**metadata(space, name, new, media_type), "description": told}

    def origin(self, language: str, brought: Brought) -> str:
        """Where it comes from, in a sentence that stays with each document."""
        i18n.speak(language)
        sort = gettext(SORTS[brought.sort])
        if brought.origin:
            return gettext("Repris par moi depuis %(sort)s : %(origin)s", sort=sort, origin=brought.origin)
        return gettext("Repris par moi depuis %(sort)s", sort=sort)

    async def pdf(self, language: str, paper: Paper, origin_words: str, sections: Sequence[Section]) -> bytes:
        """A summary as a PDF, for those that come as data alone."""
        i18n.speak(language)
        told = [(one.title, Markup(one.html)) for one in sections]  # noqa: S704 - made safe when it was read.
        return await printed(
            self.templates(),
            language,
            "copies/summary_paper.html",
            paper=paper,
            title=title_of(paper),
            origin=origin_words,
            sections=told,
        )
