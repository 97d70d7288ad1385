"""The feed checks that need no database: who wrote it, what its metadata says, whether both descriptions agree.

Each refusal has its own code; the order in which they run is told by `service.submit`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from ambroise.kernel.errors import Issue, Kind, Refusal
from ambroise.modules.record import entry, tables
from ambroise.modules.record.cda.metadata import DocumentMetadata, code_problems
from ambroise.modules.record.cda.model import Code, Identifier
from ambroise.modules.record.model import ARCHIVED_EXTENSION, INVISIBLE_PATIENT, VISIBILITY_CODES
from ambroise.trust.context import Citizen, Context, Professional, System

Json = Mapping[str, Any]

PROFESSIONALS = "1.2.250.1.71.4.2.1"
STRUCTURES = "1.2.250.1.71.4.2.2"


def said_by(header: DocumentMetadata) -> frozenset[str]:
    """The national ids of the people and structures that a CDA header names as responsible for it."""
    actors = [author.actor for author in header.authors]
    actors.append(header.legal_authenticator.actor)
    structures = [actor.organization for actor in actors if actor.organization]
    if header.custodian and any(PROFESSIONALS in {item.root for item in actor.identifiers} for actor in actors):
        # The keeper of a citizen's own document answers for its safety, not for its content.
        structures.append(header.custodian)
    holders = [*(actor.identifiers for actor in actors), *(structure.identifiers for structure in structures)]
    return frozenset(
        item.extension
        for identifiers in holders
        for item in identifiers
        if item.extension and item.root in (PROFESSIONALS, STRUCTURES)
    )


def authors_said(metadata: Json) -> frozenset[str]:
    """The national ids that the sender's metadata names: contained authors, authenticator, custodian."""
    found: set[str] = set()
    contained = {item.get("id"): item for item in metadata.get("contained", ())}
    holders: list[Json] = [*metadata.get("author", ())]
    holders += [metadata[name] for name in ("authenticator", "custodian") if metadata.get(name)]
    for holder in holders:
        _collect(holder, contained, found, depth=0)
    return frozenset(found)


def check_author(ctx: Context, responsible: frozenset[str]) -> None:
    """Refuse (AUTHOR_MISMATCH) a document whose author is neither the caller nor of the caller's structure.

    The instance's own token is exempt, and a citizen's document has no professional author.
    """
    match ctx.actor:
        case System():
            return
        case Professional() as actor:
            if actor.id in responsible or (actor.organization and actor.organization in responsible):
                return
        case Citizen():
            if not responsible:
                return
        case _:
            pass
    raise Refusal(
        Kind.FORBIDDEN,
        "AUTHOR_MISMATCH",
        "The document's author is not the caller, nor of the caller's structure: file it with the author's own "
        "access, or correct the author.",
        element="DocumentReference.author",
    )


def check_agreement(metadata: Json, header: DocumentMetadata, same_patient: bool) -> None:
    """Refuse (METADATA_MISMATCH) metadata that contradicts the document on patient, unique id, type, author or date."""
    wrong: list[str] = [] if same_patient else ["DocumentReference.subject"]
    unique_id = entry.unique_id_of(metadata)
    if unique_id and Identifier.parse(unique_id) != header.identifier:
        wrong.append("DocumentReference.masterIdentifier")
    type_code = entry.code_of(metadata.get("type"))
    if type_code and type_code != header.type.code:
        wrong.append("DocumentReference.type")
    said, written = authors_said(metadata), said_by(header)
    if said and written and not said & written:
        wrong.append("DocumentReference.author")
    if metadata.get("date") and not _same_date(str(metadata["date"]), header.creation.fhir):
        wrong.append("DocumentReference.date")
    if wrong:
        raise Refusal(
            Kind.UNPROCESSABLE,
            "METADATA_MISMATCH",
            f"The metadata and the document's header disagree on {', '.join(wrong)}: correct one of them.",
            element=wrong[0],
            issues=[
                Issue("error", "business-rule", "differs from the document's header", element, "METADATA_MISMATCH")
                for element in wrong
            ],
        )


REQUIRED: Sequence[tuple[str, str]] = (
    ("DocumentReference.masterIdentifier", "the unique id"),
    ("DocumentReference.type", "the type"),
    ("DocumentReference.category", "the class"),
    ("DocumentReference.date", "the date of creation"),
    ("DocumentReference.author", "an author"),
    ("DocumentReference.content.attachment.title", "the title"),
    ("DocumentReference.content.attachment.language", "the language"),
    ("DocumentReference.content.format", "the format"),
    ("DocumentReference.context.period.start", "the beginning of the act"),
    ("DocumentReference.context.facilityType", "the kind of facility"),
    ("DocumentReference.context.practiceSetting", "the practice setting"),
)
_STEPS = {element: tuple(element.split(".")[1:]) for element, _ in REQUIRED}


def check_metadata(resource: Json) -> None:
    """Refuse metadata that is not complete (METADATA_MISSING) or whose codes are not those of the tables.

    Every problem is named at once; the refusal carries the code of the first.
    """
    issues = [
        Issue("error", "required", f"Say {what}.", element, "METADATA_MISSING")
        for element, what in REQUIRED
        if not _at(resource, _STEPS[element])
    ]
    issues += _code_issues(resource)
    if issues:
        raise Refusal(
            Kind.UNPROCESSABLE,
            issues[0].details_code or "METADATA_INVALID",
            "; ".join(f"{issue.expression}: {issue.diagnostics}" for issue in issues),
            element=issues[0].expression,
            issues=issues,
        )


def check_labels(ctx: Context, labels: Iterable[Json], header: DocumentMetadata | None) -> None:
    """Refuse labels other than N and the three flags: unknown ones, and levels that the record would not keep.

    JDV_J08 also has R and V. The shared record holds level N with flags only, and does not file a document as less
    confidential than its author says.
    """
    codes = [str(coding.get("code", "")) for coding in entry.codings_of(labels)]
    codes += [level.code for level in header.confidentiality] if header else []
    for code in codes:
        if code == "N" or code in VISIBILITY_CODES:
            continue
        known = tables.contains("confidentiality", code)
        said = "is a level that the record does not hold" if known else "is not a code of JDV_J08"
        raise Refusal(
            Kind.UNPROCESSABLE,
            "CONFIDENTIALITY_UNSUPPORTED" if known else "CONFIDENTIALITY_UNKNOWN",
            f"{code} {said}: use N and the flags {', '.join(sorted(VISIBILITY_CODES))}.",
            element="DocumentReference.securityLabel",
        )
    if INVISIBLE_PATIENT in codes and not isinstance(ctx.actor, Professional | System):
        raise Refusal(
            Kind.UNPROCESSABLE,
            "WITHHOLDING_RESERVED",
            "Only a professional withholds a document from the patient, when it is filed.",
            element="DocumentReference.securityLabel",
        )


_CHANGEABLE = frozenset({"status"})
_PARTS = frozenset({"identifier", "meta", "extension", "securityLabel"})
"""Where what a client may change stands beside what it may not."""
_KEPT_META = ("profile", "tag", "security", "source")


def check_change(before: Json, after: Json) -> None:
    """Refuse (METADATA_IMMUTABLE) a change of anything but status, visibility and archiving, naming every element.

    The version, its instant and its entryUUID are the record's own: a client may leave them out or send back those it
    read. Tags and profiles that are left out stay (R4 resource.html#tag-updates).
    """
    names = sorted({*before, *after} - _CHANGEABLE - _PARTS)
    changed = [name for name in names if before.get(name) != after.get(name)]
    if _named(after, before) != _named(before, before):
        changed.append("identifier")
    changed += [f"meta.{name}" for name in _KEPT_META if _adds(before, after, name)]
    if _extensions(after) != _extensions(before):
        changed.append("extension")
    if not _levels(after) <= _levels(before):
        changed.append("securityLabel")
    if changed:
        elements = [f"DocumentReference.{name}" for name in changed]
        raise Refusal(
            Kind.UNPROCESSABLE,
            "METADATA_IMMUTABLE",
            f"{', '.join(changed)} cannot change once filed: file a document that replaces this one.",
            element=elements[0],
            issues=[
                Issue("error", "business-rule", "cannot change once filed", element, "METADATA_IMMUTABLE")
                for element in elements
            ],
        )


def _named(resource: Json, stored: Json) -> list[Json]:
    """The identifiers, without the entryUUIDs of the stored version and of those before it."""
    known = stored.get("identifier", ())
    own = [item for item in known if entry.kind_of(item) == "entryUUID" or entry.is_former(item)]
    return [item for item in resource.get("identifier", ()) if item not in own]


def _adds(before: Json, after: Json, name: str) -> bool:
    """Whether a part of meta says something that the stored one does not."""
    said, kept = after.get("meta", {}).get(name), before.get("meta", {}).get(name)
    if isinstance(said, list):
        return any(item not in (kept or ()) for item in cast("list[Any]", said))
    return said is not None and said != kept


def _extensions(resource: Json) -> list[Json]:
    """The extensions, without the one that archives."""
    return [item for item in resource.get("extension", ()) if item.get("url") != ARCHIVED_EXTENSION]


def _levels(resource: Json) -> frozenset[str]:
    """The security labels that are not visibility flags."""
    codes = {str(coding.get("code")) for coding in entry.codings_of(resource.get("securityLabel", ()))}
    return frozenset(codes - VISIBILITY_CODES)


def _code_issues(resource: Json) -> list[Issue]:
    category = resource.get("category") or [None]
    context: Json = resource.get("context", {})
    content = entry.first(resource.get("content"))
    problems = code_problems(
        type_=_code(resource.get("type")) or Code("", ""),
        class_=_code(category[0]),
        format_=content.get("format", {}).get("code"),
        facility=_code(context.get("facilityType")),
        practice_setting=_code(context.get("practiceSetting")),
        confidentiality=(),
    )
    elements = {
        "type": "DocumentReference.type",
        "class": "DocumentReference.category",
        "format": "DocumentReference.content.format",
        "facility": "DocumentReference.context.facilityType",
        "practiceSetting": "DocumentReference.context.practiceSetting",
    }
    return [
        Issue(item.severity, item.code, item.diagnostics, elements[item.expression or "type"], item.details_code)
        for item in problems
        if _at(resource, _STEPS[elements[item.expression or "type"]])
    ]


def _code(concept: Any) -> Code | None:
    coding = entry.coding_of(concept)
    if not coding:
        return None
    return Code(str(coding.get("code", "")), tables.system_oid(str(coding.get("system", ""))), coding.get("display"))


def _at(holder: Any, path: Sequence[str]) -> Any:
    found: Any = holder
    for name in path:
        here: Json = entry.first(found) if isinstance(found, list) else found or {}
        found = here.get(name)
    return found


def _collect(holder: Json, contained: Mapping[Any, Json], found: set[str], depth: int) -> None:
    """Gather the national ids of an actor reference and of what it points to inside the resource."""
    if depth > 4:
        return
    given: Any = holder.get("identifier")
    identifiers: list[Json] = [given] if isinstance(given, Mapping) else list(given or ())
    for identifier in identifiers:
        if str(identifier.get("system", "")).removeprefix("urn:oid:") in (PROFESSIONALS, STRUCTURES):
            found.add(str(identifier.get("value", "")))
    reference = str(holder.get("reference", ""))
    if reference.startswith("#") and reference[1:] in contained:
        _collect(contained[reference[1:]], contained, found, depth + 1)
    for name in ("practitioner", "organization"):
        if isinstance(holder.get(name), Mapping):
            _collect(holder[name], contained, found, depth + 1)


def _same_date(said: str, written: str) -> bool:
    """Two dates agree when the less precise one holds the other; instants are compared across offsets."""
    if "T" in said and "T" in written:
        first, second = datetime.fromisoformat(said), datetime.fromisoformat(written)
        if (first.tzinfo is None) == (second.tzinfo is None):
            return first.replace(microsecond=0) == second.replace(microsecond=0)
    shortest = min(len(said.split("T")[0]), len(written.split("T")[0]))
    return said[:shortest] == written[:shortest]
