"""ORU^R01 and MDM: documents filed, replaced or withdrawn by the use cases of the record."""

from __future__ import annotations

import asyncio
import binascii
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import pybase64
from msgspec.structs import replace

from ambroise.interfaces.hl7v2.acknowledging import Note, Outcome, taken
from ambroise.interfaces.hl7v2.failures import failure
from ambroise.interfaces.hl7v2.message import Message
from ambroise.interfaces.hl7v2.patients import agree, identified, known
from ambroise.interfaces.hl7v2.profile import Act, Deposit, Document, Said, deposit_of, patient_of
from ambroise.interfaces.hl7v2.sender import Peer, author_of, context_of, senders_of_documents
from ambroise.interfaces.services import Services
from ambroise.kernel.db import Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.api import (
    INVISIBLE_PATIENT,
    INVISIBLE_REPRESENTATIVES,
    MASKED,
    Filed,
    Identifier,
    Incoming,
    Sort,
    Submission,
    read_cda,
    sniff,
)
from ambroise.trust.audit.entry import Event
from ambroise.trust.context import Context

_LARGE: Final = 1_000_000
_ORDER: Final = (MASKED, INVISIBLE_PATIENT, INVISIBLE_REPRESENTATIVES)


class Deposits:
    """The use case of a message that carries documents."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._record = services.record

    async def take(self, peer: Peer, message: Message) -> Outcome:
        """Do what the message asks, all of it or nothing."""
        deposit = deposit_of(message)
        if not deposit.says("DESTDMP"):
            text = "DESTDMP is not Y: nothing was filed, and this service sends no mail. Send it by your messaging."
            raise Refusal(Kind.UNPROCESSABLE, "NOT_FOR_THE_RECORD", text, element="OBX")
        said = patient_of(message)
        # A laboratory may send the same bytes in two OBX: they are one document of the submission.
        carried = {await _content(one): one for one in reversed(deposit.documents)}
        contents, documents = list(carried)[::-1], list(carried.values())[::-1]
        named = senders_of_documents(message) or author_of(contents[0])
        ctx = await context_of(self._services, peer, named, "PRT^1^5")
        if deposit.says("CONNEXION_SECRETE"):
            ctx = replace(ctx, secret=True)
        try:
            async with self._services.database.transaction() as tx:
                if deposit.act is Act.WITHDRAW:
                    filed = await self._withdraw(tx, ctx, said, contents)
                else:
                    filed = await self._file(tx, ctx, deposit, said, contents)
        except Refusal as refusal:
            raise _placed(refusal, documents) from None
        return taken(*_told(deposit.act, documents, filed), *_warnings(deposit))

    async def _file(
        self, tx: Transaction, ctx: Context, deposit: Deposit, said: Said, contents: Sequence[bytes]
    ) -> tuple[Filed, ...]:
        replaced = _replaced(deposit, contents)
        incoming = [Incoming(one, "text/xml", _metadata(deposit, said, replaced)) for one in contents]
        filed = (await self._record.submit(tx, ctx, Submission(tuple(incoming)))).documents
        identity = await known(tx, ctx, said)
        assert identity is not None  # noqa: S101 - the record has just found it.
        await agree(ctx, identity, said, self._services.gateway, Event.CREATE)
        if deposit.says("MODIF_CONF_CODE"):
            for one in filed:
                if one.replayed:
                    await self._show_as(tx, ctx, one.document, deposit.visibility)
        return filed

    async def _show_as(self, tx: Transaction, ctx: Context, document: UUID, wanted: frozenset[str]) -> None:
        """Bring who sees a document filed before to what the flags say now; it is withheld at its filing only."""
        current = (await self._record.document(tx, ctx, str(document))).visibility
        if (wanted - current) - {MASKED}:
            text = "A document is withheld when it is filed, never later: replace it by a new one."
            raise Refusal(Kind.UNPROCESSABLE, "WITHHOLDING_AT_FILING", text)
        if MASKED in wanted - current:
            await self._record.mask(tx, ctx, str(document))
        shown = {
            MASKED: self._record.unmask,
            INVISIBLE_PATIENT: self._record.disclose,
            INVISIBLE_REPRESENTATIVES: self._record.disclose_to_representatives,
        }
        for flag in _ORDER:
            if flag in current - wanted:
                await shown[flag](tx, ctx, str(document))

    async def _withdraw(
        self, tx: Transaction, ctx: Context, said: Said, contents: Sequence[bytes]
    ) -> tuple[Filed, ...]:
        """Withdraw the documents that the message carries, under the unique id of each."""
        patient = await identified(tx, ctx, said, self._services.gateway, Event.WITHDRAWN)
        ids = [read_cda(one).identifier.urn for one in contents]
        return tuple([await self._record.withdraw_under(tx, ctx, one, of=patient) for one in ids])


async def _content(document: Document) -> bytes:
    """The bytes of a document, which is a CDA. Refuses HL7_ENCODING, CDA_EXPECTED."""
    try:
        if len(document.encoded) > _LARGE:
            content = await asyncio.to_thread(pybase64.b64decode, document.encoded, validate=True)
        else:
            content = pybase64.b64decode(document.encoded, validate=True)
    except (binascii.Error, ValueError):
        text = "OBX-5.5 is not base64: send the bytes of the document, with nothing between them."
        raise failure("HL7_ENCODING", text, document.segment.at(5)) from None
    if sniff(content) is not Sort.XML:
        text = "The document is a CDA (CDA R2 in XML), whose header says what it is: put any other file inside one."
        raise failure("CDA_EXPECTED", text, document.segment.at(5))
    return content


def _metadata(deposit: Deposit, said: Said, replaced: Sequence[str]) -> dict[str, Any]:
    """What the message says beside the CDA; the header says the rest."""
    links = [{"code": "replaces", "target": {"identifier": _uri(one)}} for one in replaced]
    return {
        "resourceType": "DocumentReference",
        "subject": {"identifier": {"system": said.ins.system, "value": said.ins.matricule}},
        "securityLabel": [{"coding": [{"code": flag}]} for flag in sorted(deposit.visibility)],
        **({"relatesTo": links} if links else {}),
    }


def _replaced(deposit: Deposit, contents: Sequence[bytes]) -> list[str]:
    """What is replaced, by its unique id: TXA-13 says it, or the header of the CDA. Refuses REPLACED_MISSING."""
    own, parent = _identifier(deposit.unique_id), _identifier(deposit.parent)
    if own is not None:
        _check_own(own, contents)
    if deposit.act is not Act.REPLACE:
        return []
    if parent is None:
        if all(read_cda(one).replaces for one in contents):
            return []
        text = "A document that replaces another names it: relatedDocument (RPLC) in its header, or an OID in TXA-13."
        raise failure("REPLACED_MISSING", text, "TXA^1^13")
    return [parent.urn]


def _check_own(own: Identifier, contents: Sequence[bytes]) -> None:
    """The unique id that TXA-12 says is that of the CDA, as it is or with its extension after a dot."""
    for content in contents:
        real = read_cda(content).identifier
        if own.urn != real.urn and own.root != ".".join(part for part in (real.root, real.extension) if part):
            text = "TXA-12 is not the id of the document (ClinicalDocument/id): correct one of them."
            raise failure("METADATA_MISMATCH", text, "TXA^1^12")


def _identifier(said: str) -> Identifier | None:
    """An EI that is an OID or a UUID; local numbers, which some systems put there, name nothing here."""
    found = Identifier.parse(said) if said else None
    return found if found is not None and found.well_formed else None


def _uri(urn: str) -> dict[str, str]:
    return {"system": "urn:ietf:rfc:3986", "value": urn}


def _placed(refusal: Refusal, documents: Sequence[Document]) -> Refusal:
    """The refusal with the OBX that it is about, when a filing knows which one."""
    number = refusal.data.get("document")
    if isinstance(number, int) and number < len(documents):
        refusal.element = documents[number].segment.at(5)
    return refusal


def _told(act: Act, documents: Sequence[Document], filed: Sequence[Filed]) -> list[Note]:
    """What became of each document, with its ids, which stay the same when it is sent again."""
    done = "WITHDRAWN" if act is Act.WITHDRAW else "FILED"
    before = "WITHDRAWN_ALREADY" if act is Act.WITHDRAW else "ALREADY_FILED"
    return [
        Note(
            "I",
            "0",
            before if one.replayed else done,
            f"DocumentReference/{one.document}",
            document.segment.at(5),
            one.unique_id,
        )
        for document, one in zip(documents, filed, strict=True)
    ]


def _warnings(deposit: Deposit) -> list[Note]:
    """What was asked and is not done here."""
    found: list[Note] = []
    if deposit.flags & {"DESTMSSANTEPS", "DESTMSSANTEPAT"}:
        text = "Nothing was sent by MSSanté, which this service does not do yet: send the mail by your own messaging."
        found.append(Note("W", "0", "MSSANTE_NOT_SENT", text))
    for code in deposit.unknown:
        found.append(Note("W", "0", "FLAG_UNKNOWN", f"The flag {code[:40]} of MetaDMPMSS is not known here."))
    return found
