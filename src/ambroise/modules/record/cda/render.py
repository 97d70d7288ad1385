"""Show a CDA document: its header as facts, its body as an HTML fragment that a strict page can hold.

The fragment has sections in order with headings, no style, no script, no address outside the page's own host; images
and files keep an address that the caller chooses. A sanitiser passes over it all, should the renderer ever be wrong.
The page writes the header itself, from `header_facts`, in its own words.
"""

from collections.abc import Callable
from enum import StrEnum

import nh3
from markupsafe import escape
from msgspec import Struct

from ambroise.modules.record.cda.model import Actor, ClinicalDocument, Moment
from ambroise.modules.record.cda.narrative import Media, Narrative, Words
from ambroise.modules.record.cda.nodes import HL7, Element, attribute, many, one, text
from ambroise.modules.record.cda.parse import BODY, attachment, file_names
from ambroise.modules.record.content.sniff import Sort, sniff

__all__ = ["Fact", "FactKey", "JoinedFile", "Rendered", "Section", "Words", "header_facts", "render"]

_IMAGES = frozenset({Sort.JPEG, Sort.PNG})
_MAX_SHOWN_TEXT = 500_000
_KIND_OF_FILE = "69764-9"  # LOINC: document type, as the models of the CI-SIS say of an attached document.
_TAGS = frozenset(
    {"a", "br", "caption", "del", "div", "em", "img", "ins", "li", "ol", "p", "pre", "section", "small", "span"}
    | {"strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"}
    | {f"h{level}" for level in range(1, 7)}
)
_ATTRIBUTES = {
    "*": {"id", "class"},
    "a": {"href"},
    "div": {"tabindex", "role", "aria-labelledby"},
    "img": {"src", "alt"},
    "section": {"aria-labelledby"},
    "td": {"colspan", "rowspan", "data-label"},
    "th": {"colspan", "rowspan", "scope", "data-label"},
}


class Section(Struct, frozen=True):
    """One section of the body: its anchor in the fragment, its title, its level of heading."""

    anchor: str
    title: str
    level: int


class JoinedFile(Struct, frozen=True):
    """A file that the document carries; `content_type` comes from its bytes, never from what was declared."""

    identifier: str
    content_type: str
    title: str | None
    in_body: bool
    size: int


class Rendered(Struct, frozen=True):
    """A body ready to be shown. `files` are those that the page may offer beside it, the PDF of an N1 first."""

    html: str
    sections: tuple[Section, ...]
    files: tuple[JoinedFile, ...]


class FactKey(StrEnum):
    """What a fact of the header is about; the page has the words."""

    PATIENT = "patient"
    BORN = "born"
    SEX = "sex"
    INS = "ins"
    MADE = "made"
    AUTHOR = "author"
    LEGAL_AUTHENTICATOR = "legal_authenticator"
    CUSTODIAN = "custodian"
    ACT = "act"
    ACT_DATE = "act_date"
    PLACE = "place"
    RECIPIENT = "recipient"
    REPLACES = "replaces"
    VERSION = "version"


class Fact(Struct, frozen=True):
    """One line of the header; a moment is left to the page to write."""

    key: FactKey
    value: str | Moment


def render(
    document: ClinicalDocument, *, words: Words, file_url: Callable[[str], str], level: int = 2, prefix: str = "cda-"
) -> Rendered:
    """Render the body. `file_url` gives the address where the page serves a file of the document by its identifier.

    `level` is the level of the first headings. Raises Refusal BASE64_INVALID when a file inside cannot be decoded.
    """
    kinds: dict[str, tuple[Sort, int]] = {}

    def looked_at(identifier: str) -> tuple[Sort, int]:
        if identifier not in kinds:
            found = attachment(document, identifier)
            kinds[identifier] = (sniff(found.content), len(found.content)) if found else (Sort.UNKNOWN, 0)
        return kinds[identifier]

    def kind(identifier: str) -> Sort:
        return looked_at(identifier)[0]

    titles = _titles(document)
    regions = _regions(document)
    names = file_names(document)

    def media(reference: str) -> Media | None:
        identifier = regions.get(reference, reference)
        if identifier not in names:
            return None
        return Media(identifier, file_url(identifier), kind(identifier) in _IMAGES, titles.get(identifier))

    narrative = Narrative(words, media, prefix)
    sections: list[Section] = []
    body = one(document.source.root, "component/structuredBody")
    if body is None:
        html = _unstructured(document, kind(BODY), words, file_url(BODY))
    else:
        html = "".join(_section(item, narrative, sections, level) for item in many(body, "component/section"))
    files = tuple(
        JoinedFile(
            identifier, kind(identifier).value, titles.get(identifier), identifier == BODY, looked_at(identifier)[1]
        )
        for identifier in names
        if identifier == BODY or kind(identifier) not in _IMAGES or identifier not in narrative.shown
    )
    return Rendered(_sanitised(html), tuple(sections), files)


def header_facts(document: ClinicalDocument) -> tuple[Fact, ...]:
    """The header in the order in which a reader wants it."""
    patient = document.patient
    found: list[Fact] = []

    def add(key: FactKey, value: str | Moment | None) -> None:
        if value:
            found.append(Fact(key, value))

    used = patient.used_name if patient.used_name != patient.birth_name else None
    names = f"{patient.birth_name} ({used})" if used else patient.birth_name
    add(FactKey.PATIENT, " ".join(part for part in (patient.used_given or patient.first_given, names) if part))
    add(FactKey.BORN, patient.birth_date)
    add(FactKey.SEX, patient.sex)
    add(FactKey.INS, patient.ins.extension if patient.ins else None)
    add(FactKey.MADE, document.effective_time)
    for author in document.authors:
        add(FactKey.AUTHOR, _who(author.actor))
    add(FactKey.LEGAL_AUTHENTICATOR, _who(document.legal_authenticator.actor))
    add(FactKey.CUSTODIAN, document.custodian.name if document.custodian else None)
    for event in document.service_events:
        add(FactKey.ACT, event.code.label if event.code else None)
    add(FactKey.ACT_DATE, next((event.period.low for event in document.service_events if event.period.low), None))
    add(FactKey.PLACE, document.encounter.facility_name)
    for recipient in document.recipients:
        add(FactKey.RECIPIENT, _who(recipient))
    for replaced in document.replaces:
        add(FactKey.REPLACES, replaced.xds)
    add(FactKey.VERSION, str(document.version) if document.version else None)
    return tuple(found)


def _who(actor: Actor) -> str | None:
    device = actor.device and " ".join(part for part in (actor.device.model, actor.device.software) if part)
    parts = (
        actor.person.display if actor.person else None,
        device,
        actor.code.display if actor.code else None,
        actor.organization.name if actor.organization else None,
    )
    return ", ".join(part for part in parts if part) or None


def _section(element: Element, narrative: Narrative, sections: list[Section], level: int) -> str:
    words = one(element, "text")
    said = words is not None and _says(words)
    below = many(element, "component/section")
    if not said and not below and text(element, "title") is None:
        # Models ask for sections that a document has no use for: without title nor words, there is nothing to read.
        return ""
    title = text(element, "title") or attribute(element, "displayName", "code")
    label = None
    head = ""
    if title:
        label = f"{narrative.prefix}section-{len(sections) + 1}"
        sections.append(Section(label, title, level))
        head = f'<h{level} id="{label}">{escape(title)}</h{level}>'
    inside = narrative.html(words, label) if words is not None and said else ""
    under = min(level + 1, 6) if title else level
    inside += "".join(_section(item, narrative, sections, under) for item in below)
    if title and not inside:
        inside = f'<p class="cda-note">{escape(narrative.words.nothing)}</p>'
    named = f' aria-labelledby="{label}"' if label else ""
    return f'<section{named} class="cda-section">{head}{inside}</section>'


def _says(words: Element) -> bool:
    return bool(text(words)) or any(item.tag == f"{{{HL7}}}renderMultiMedia" for item in words.iter())


def _unstructured(document: ClinicalDocument, kind: Sort, words: Words, url: str) -> str:
    if kind in _IMAGES:
        return f'<span class="cda-image"><img src="{escape(url)}" alt="{escape(document.title or words.image)}"></span>'
    if kind is Sort.TEXT and (found := attachment(document, BODY)) and len(found.content) <= _MAX_SHOWN_TEXT:
        return f'<pre class="cda-text">{escape(_decoded(found.content))}</pre>'
    return f'<p><a class="cda-file" href="{escape(url)}">{escape(document.title or words.file)}</a></p>'


def _decoded(content: bytes) -> str:
    for codec in ("utf-8-sig", "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252"):
        try:
            return content.decode(codec)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _titles(document: ClinicalDocument) -> dict[str, str]:
    """What each joined file is called: the kind it is said to be, the section where it is alone, or its organizer."""
    found: dict[str, str] = {}
    for organizer in document.source.root.iter("{urn:hl7-org:v3}organizer"):
        kinds = [one(item, "value") for item in many(organizer, "component/observation") if _is_kind_of_file(item)]
        files = [item.get("ID") for item in many(organizer, "component/observationMedia")]
        if len(kinds) == len(files) == 1 and files[0] and (kind := attribute(kinds[0], "displayName")):
            found[files[0]] = kind
    for section in document.source.root.iter("{urn:hl7-org:v3}section"):
        title = text(section, "title")
        media = [
            identifier
            for entry in many(section, "entry")
            for item in entry.iter("{urn:hl7-org:v3}observationMedia")
            if (identifier := item.get("ID"))
        ]
        if title and len(media) == 1:
            found.setdefault(media[0], title)
    for organizer in document.source.root.iter("{urn:hl7-org:v3}organizer"):
        title = attribute(organizer, "displayName", "code")
        for media in many(organizer, "component/observationMedia"):
            identifier = media.get("ID")
            if identifier and title:
                found.setdefault(identifier, title)
    return found


def _is_kind_of_file(observation: Element) -> bool:
    return attribute(observation, "code", "code") == _KIND_OF_FILE


def _regions(document: ClinicalDocument) -> dict[str, str]:
    """A region of interest stands for the image that it belongs to."""
    found: dict[str, str] = {}
    for region in document.source.root.iter("{urn:hl7-org:v3}regionOfInterest"):
        identifier = region.get("ID")
        media = one(region, "entryRelationship/observationMedia")
        if identifier and media is not None and media.get("ID"):
            found[identifier] = media.get("ID", "")
    return found


def _sanitised(html: str) -> str:
    return nh3.clean(
        html,
        tags=set(_TAGS),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        url_schemes={"https", "blob"},
        link_rel=None,
    )
