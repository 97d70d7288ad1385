"""Writes the pages of a copy: what one reads first, the lists of documents, the history, the choices."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from jinja2 import Environment
from markupsafe import Markup
from msgspec import Struct
from msgspec.structs import replace

from ambroise.interfaces.web import sentences
from ambroise.interfaces.web.accesses import events
from ambroise.interfaces.web.citizen.space import STATES
from ambroise.interfaces.web.files import XML
from ambroise.interfaces.web.ui import i18n
from ambroise.interfaces.web.ui.i18n import N_, gettext
from ambroise.kernel.log import logger
from ambroise.modules.portability.api import Listed, Names, Summary
from ambroise.modules.record.api import ClinicalDocument, Document, Sort, Words, attachment, read_cda, render, sniff
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.audit.history import TraceLine

_log = logger(__name__)

_PER_PAGE: Final = 200
_GRANTS: Final = {
    "authorised": N_("peut lire, selon son métier"),
    "treating": N_("médecin traitant"),
    "administrator": N_("médecin administrateur"),
    "blocked": N_("bloqué"),
}
_RELATIONS: Final = {
    "representative": N_("représentant légal"),
    "carer": N_("aidant"),
    "mediator": N_("médiateur"),
}
_README: Final = """AMBROISE

FRANÇAIS
Ceci est la copie d'un dossier de santé. Pour la lire : décompressez tout le fichier dans un dossier, puis ouvrez
index.html avec un navigateur. Aucune connexion n'est nécessaire.

  index.html        par où commencer
  documents/        les documents, tels qu'ils ont été déposés ; une page .html les montre quand il le faut
  documents-*.html  la liste des documents
  historique/       qui a lu ou changé quoi (pages lisibles, et AuditEvent en NDJSON)
  reglages.html     les accords, les blocages, les personnes qui aident (et reglages.json)
  fhir/             toutes les informations en FHIR R4, NDJSON : une ressource par ligne
  manifest.json     chaque fichier avec sa taille et son empreinte SHA-256

Des résultats qui doivent d'abord être annoncés par un professionnel ne sont dans aucune copie avant de l'avoir été.
Ces fichiers sont des données de santé : gardez-les dans un endroit sûr. Personne ne peut vous obliger à les montrer
pour un contrat (code de la santé publique, L. 1111-18).

ENGLISH
This is the copy of a health record. To read it, unpack the whole file into a folder, then open index.html with a
browser. It needs no network.

  index.html        where to begin
  documents/        the documents as they were filed; a page .html shows those that a browser does not
  documents-*.html  the list of documents
  history/          who read or changed what (readable pages, and AuditEvents as NDJSON)
  settings.html     consents, blocks, people who help (and settings.json)
  fhir/             everything as FHIR R4, NDJSON: one resource a line
  manifest.json     each file with its size and its SHA-256 digest

Results that a professional must tell in person first are in no copy before that.
These files are health data: keep them in a safe place. Nobody may ask for them as a condition of a contract.
"""


class _Inside:
    """The files that a document carries, under names of files beside its page."""

    def __init__(self, document: ClinicalDocument, name: str) -> None:
        self._document = document
        self._name = name
        self.found: dict[str, tuple[str, bytes]] = {}

    def address(self, identifier: str) -> str:
        if identifier not in self.found:
            file = attachment(self._document, identifier)
            if file is None:
                return "#"
            sort = sniff(file.content)
            # A browser runs what it finds in XML; a reader of files inside documents wants to see them only.
            extension = ".txt" if sort is Sort.XML else mimetypes.guess_extension(sort.value) or ".bin"
            self.found[identifier] = (f"{self._name}-{len(self.found) + 1}{extension}", file.content)
        return self.found[identifier][0]


class Pages(Struct, frozen=True):
    """Implements the scribe of the module of copies."""

    templates: Callable[[], Environment]

    def document(self, language: str, document: Document, content: bytes, name: str) -> Sequence[tuple[str, bytes]]:
        """A page that shows a structured document (CDA) with the files inside it; other sorts open by themselves."""
        if document.media_type not in XML:
            return ()
        i18n.speak(language)
        try:
            clinical = read_cda(content)
            files = _Inside(clinical, name)
            said = Words(gettext("Image du document"), gettext("Fichier joint"), gettext("Rien n’est écrit ici."))
            shown = render(clinical, words=said, file_url=files.address, level=2)
        except Exception:
            # A document that our own reader does not understand leaves as it is: a copy is never refused for it.
            _log.warning("copy_not_rendered", document=document.id)
            return ()
        html = Markup(shown.html)  # noqa: S704 - made safe by the record's renderer.
        page = self._page(language, "copies/document.html", document=document, html=html)
        return [(f"{name}.html", page), *files.found.values()]

    def history(
        self, language: str, me: UUID, lines: Sequence[TraceLine], named: Mapping[str, Document], page: int, more: bool
    ) -> bytes:
        """One page of the history of accesses, its sentences without links."""
        i18n.speak(language)
        told = [sentences.line(replace(event, document=None)) for event in events(lines, me, named, frozenset())]
        return self._page(language, "copies/history.html", lines=told, number=page, more=more)

    def settings(self, language: str, facts: Mapping[str, Any]) -> bytes:
        """Who may see what, who helps, what was chosen."""
        i18n.speak(language)
        space = facts.get("space")
        return self._page(
            language,
            "copies/settings.html",
            facts=facts,
            state=gettext(STATES[SpaceState(space["state"])][2]) if space else "",
            states={name: gettext(said) for name, said in _GRANTS.items()},
            relations={name: gettext(said) for name, said in _RELATIONS.items()},
        )

    def index(self, summary: Summary) -> Sequence[tuple[str, bytes]]:
        """The first page, the lists of documents, and what to read first."""
        language = summary.export.language
        made: list[tuple[str, bytes]] = [("README.txt", _README.encode())]
        pages: list[tuple[str, datetime, datetime]] = []
        for start in range(0, len(summary.documents), _PER_PAGE):
            rows: Sequence[Listed] = summary.documents[start : start + _PER_PAGE]
            number = len(pages) + 1
            path = f"documents-{number:03}.html"
            made.append((path, self._page(language, "copies/documents.html", documents=rows, number=number)))
            pages.append((path, rows[0].date, rows[-1].date))
        asker = summary.export.asker
        other = asker.kind != "citizen" or asker.id != str(summary.export.patient)
        made.append(
            (
                "index.html",
                self._page(
                    language, "copies/index.html", summary=summary, pages=pages, other=other, names=Names.of(language)
                ),
            )
        )
        return made

    def _page(self, language: str, template: str, **values: Any) -> bytes:
        i18n.speak(language)
        return self.templates().get_template(template).render(language=language, **{"root": "", **values}).encode()
