"""An IHE XDM zip (ITI-32) of chosen documents of one patient, as their reader may see them."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any, Final
from uuid import UUID, uuid4
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from lxml import etree
from msgspec import Struct
from msgspec.structs import replace

from ambroise.fhir.json import decode
from ambroise.interfaces.services import Services
from ambroise.interfaces.soap import to_bytes
from ambroise.interfaces.xds import people
from ambroise.interfaces.xds.ebrim import Association, RegistryObject, code, write_association, write_object
from ambroise.interfaces.xds.entries import entry_of
from ambroise.interfaces.xds.finding import Finder
from ambroise.interfaces.xds.names import (
    ENTRY_TYPE,
    HAS_MEMBER,
    LCM,
    RIM,
    SET_AUTHOR,
    SET_CONTENT_TYPE,
    SET_PATIENT,
    SET_SOURCE,
    SET_UNIQUE_ID,
    SUBMISSION_SET,
    repository_id,
    tag,
)
from ambroise.interfaces.xds.values import Cx, Xcn, Xon, hl7_time
from ambroise.kernel.db import Database
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.api import may_act
from ambroise.trust.context import Citizen, Context, Professional
from ambroise.trust.gateway import Gateway

Json = dict[str, Any]
MOST: Final = 100
"""Documents that one zip holds."""
_TIMES: Final = 4
_FOLDER: Final = "IHE_XDM/SUBSET01"
_SUFFIXES: Final = {
    "application/xml": "XML",
    "text/xml": "XML",
    "application/pdf": "PDF",
    "image/jpeg": "JPG",
    "image/tiff": "TIF",
    "text/plain": "TXT",
    "application/rtf": "RTF",
    "text/rtf": "RTF",
}
# Not filed for a stay or a visit (JDV_J59 of the CI-SIS: what the patient class N of PV1-2 becomes).
_CONTENT_TYPE: Final = ("97", "1.2.250.1.213.2.2", "97")
_SET: Final = "SubmissionSet01"


class Chosen(Struct, frozen=True):
    """One document on its way out: its description, its bytes, the name of its file beside METADATA.XML."""

    entry: RegistryObject
    content: bytes
    file: str


class Exports:
    """Makes XDM zips. Each document passes the door as any reading of it, and leaves the same trace."""

    def __init__(self, database: Database, gateway: Gateway, repository: str, *, most: int = 200_000_000) -> None:
        """`repository`: the OID of where the documents come from; `most`: bytes of documents in one zip."""
        self._database = database
        self._gateway = gateway
        self._repository = repository
        self._most = most

    @classmethod
    def on(cls, services: Services) -> Exports:
        """Those of an instance."""
        settings = services.settings
        repository = repository_id(settings.repository_oid, services.installation.id)
        return cls(services.database, services.gateway, repository, most=_TIMES * settings.document_max_bytes)

    async def of(self, ctx: Context, ids: Sequence[str], *, patient: UUID | None = None) -> bytes:
        """The zip of these documents (logical ids); `patient` is the only one that they may be about.

        Refuses XDM_NOTHING, XDM_TOO_MANY, XDM_SEVERAL_PATIENTS, TOO_LARGE, and what reading each of them refuses.
        """
        wanted = list(dict.fromkeys(ids))
        if not wanted:
            raise Refusal(Kind.INVALID, "XDM_NOTHING", "Choose at least one document.")
        if len(wanted) > MOST:
            raise Refusal(Kind.INVALID, "XDM_TOO_MANY", f"A zip holds at most {MOST} documents: make several.")
        chosen: list[Chosen] = []
        patients: set[Cx] = set()
        left = self._most
        async with self._database.reader() as reader:
            finder = Finder(self._gateway, reader, ctx, None)
            for number, id in enumerate(wanted, start=1):
                stored, content = await self._gateway.document_content(reader, ctx, id)
                if patient is not None and stored.label.patient != patient:
                    raise Refusal(Kind.NOT_FOUND, "NO_SUCH_DOCUMENT", "This patient has no such document.")
                left -= len(content)
                if left < 0:
                    text = f"These documents have more than {self._most} bytes: make several zips."
                    raise Refusal(Kind.TOO_LARGE, "TOO_LARGE", text)
                resource: Json = decode(stored.body)
                named = await finder.patient_of(resource, self._repository)
                patients.add(named)
                made = entry_of(resource, named, self._repository)
                chosen.append(await asyncio.to_thread(_chosen, number, made, content))
        if len(patients) > 1:
            text = "A zip is about one patient: choose documents of one record."
            raise Refusal(Kind.UNPROCESSABLE, "XDM_SEVERAL_PATIENTS", text)
        metadata = _metadata(chosen, _set(ctx, patients.pop(), self._repository))
        return await asyncio.to_thread(_packed, chosen, metadata, ctx.now())


def _chosen(number: int, made: RegistryObject, content: bytes) -> Chosen:
    """The file of a document has a name that any disk takes; where it stands is said by its metadata (slot URI)."""
    suffix = _SUFFIXES.get(made.mime_type or "", "BIN")
    # The page of the zip links to it: what a browser could run opens there as a text.
    file = f"DOC{number:04}.{'TXT' if suffix == 'XML' and may_act(content) else suffix}"
    own = {
        "hash": (hashlib.sha1(content, usedforsecurity=False).hexdigest(),),
        "size": (str(len(content)),),
        "URI": (file,),
    }
    slots = {name: values for name, values in made.slots.items() if name != "repositoryUniqueId"}
    return Chosen(replace(made, slots={**slots, **own}), content, file)


def _set(ctx: Context, patient: Cx, source: str) -> RegistryObject:
    """The SubmissionSet: who made the zip, when, of whom."""
    return RegistryObject(
        id=_SET,
        name="Export de documents",
        description=None,
        slots={"submissionTime": (hl7_time(ctx.now().isoformat()),)},
        classifications=(
            people.classification(SET_AUTHOR, _author(ctx, patient)),
            code(SET_CONTENT_TYPE, *_CONTENT_TYPE),
            code(SUBMISSION_SET, "", "", None),
        ),
        external={
            SET_PATIENT: str(patient),
            SET_SOURCE: source,
            SET_UNIQUE_ID: f"2.25.{uuid4().int}",
        },
    )


def _author(ctx: Context, patient: Cx) -> dict[str, tuple[str, ...]]:
    actor = ctx.actor
    if isinstance(actor, Professional):
        given, _, family = actor.name.partition(" ")
        person = Xcn(actor.id, family or given, given, authority="1.2.250.1.71.4.2.1", kind="D", type="IDNPS")
        place = Xon(actor.organization_name or "", actor.organization or "", "1.2.250.1.71.4.2.2")
        return {"authorPerson": (str(person),), **({"authorInstitution": (str(place),)} if place.id else {})}
    name = actor.name if isinstance(actor, Citizen) else "Ambroise"
    given, _, family = name.partition(" ")
    return {"authorPerson": (str(Xcn(patient.value, family or given, given, authority=patient.authority, kind="D")),)}


def _metadata(chosen: Sequence[Chosen], made: RegistryObject) -> bytes:
    """METADATA.XML: the request that would file these documents (SubmitObjectsRequest of ebRS 3.0)."""
    request = etree.Element(tag(LCM, "SubmitObjectsRequest"), nsmap={"lcm": LCM, "rim": RIM})
    listed = etree.SubElement(request, tag(RIM, "RegistryObjectList"))
    listed.extend([write_object(one.entry, "ExtrinsicObject") for one in chosen])
    listed.append(write_object(made, "RegistryPackage"))
    for number, one in enumerate(chosen, start=1):
        link = Association(f"Member{number:04}", HAS_MEMBER, _SET, one.entry.id, {"SubmissionSetStatus": ("Original",)})
        listed.append(write_association(link))
    return to_bytes(request)


def _packed(chosen: Sequence[Chosen], metadata: bytes, at: datetime) -> bytes:
    files = {
        "INDEX.HTM": _index(chosen, at).encode(),
        "README.TXT": _README.replace("\n", "\r\n").encode("ascii"),
        f"{_FOLDER}/METADATA.XML": metadata,
        **{f"{_FOLDER}/{one.file}": one.content for one in chosen},
    }
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as written:
        for name, content in files.items():
            entry = ZipInfo(name, at.timetuple()[:6])
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            written.writestr(entry, content)
    return out.getvalue()


def _index(chosen: Sequence[Chosen], at: datetime) -> str:
    """The page that a person opens first; it says nothing of the patient that the documents do not say."""
    rows = "".join(
        f"<tr><td>{escape(_day(one.entry))}</td>"
        f'<td><a href="{_FOLDER}/{one.file}">{escape(one.entry.name or one.file)}</a></td>'
        f"<td>{escape(_kind(one.entry))}</td><td>{escape(one.file)}</td></tr>\n"
        for one in chosen
    )
    return (
        '<!DOCTYPE html>\n<html lang="fr">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n<title>Documents de santé</title>\n'
        "<style>body{font-family:sans-serif;margin:2rem;max-width:60rem}"
        "td,th{padding:.4rem .8rem;text-align:left;border-bottom:1px solid #999}</style>\n</head>\n<body>\n"
        f"<h1>Documents de santé</h1>\n<p>Exportés le {at:%d/%m/%Y}. Ce sont des données confidentielles.</p>\n"
        '<table>\n<caption>Documents de ce fichier</caption>\n<thead><tr><th scope="col">Date</th>'
        '<th scope="col">Document</th><th scope="col">Type</th><th scope="col">Fichier</th></tr></thead>\n'
        f'<tbody>\n{rows}</tbody>\n</table>\n<p><a href="README.TXT">Lisez-moi</a></p>\n</body>\n</html>\n'
    )


def _day(made: RegistryObject) -> str:
    written = made.slot("creationTime") or ""
    return f"{written[6:8]}/{written[4:6]}/{written[:4]}" if len(written) >= 8 else written


def _kind(made: RegistryObject) -> str:
    return next((one.display or one.code for one in made.under(ENTRY_TYPE)), "")


_README: Final = """Documents de sante, au format IHE XDM (ITI-32).

Ouvrez INDEX.HTM pour voir la liste des documents et les lire.
Un logiciel de soins lit IHE_XDM/SUBSET01/METADATA.XML, qui decrit chaque document.

Fait par Ambroise. Gardez ce fichier en lieu sur : il contient des donnees de sante.
"""
