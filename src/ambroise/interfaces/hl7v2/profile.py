"""What a message of the French profiles says: its kind, its patient, its documents with their flags.

Sources: ANS, "Transmission d'un document CDA en HL7v2" (CISIS_CDA_HL7_V2: ORU^R01 in 2.5, MDM in 2.6) and its public
examples; IHE PAM, French extension; RNIV 1, statuses of identities.
"""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Final

from msgspec import Struct

from ambroise.interfaces.hl7v2.failures import failure
from ambroise.interfaces.hl7v2.message import Field, Message, Segment
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import Ins, Sex, Traits, birth_date_of
from ambroise.modules.identity.ins import INS_OIDS
from ambroise.modules.record.api import INVISIBLE_PATIENT, INVISIBLE_REPRESENTATIVES, MASKED

VERSIONS: Final = frozenset({"2.5", "2.5.1", "2.6"})
_QUALIFIED: Final = frozenset({"VALI", "QUAL"})
"""PID-32 of an identity that may carry an INS: validated in a system that calls INSi, or said to be qualified."""

VISIBILITY: Final = {
    "MASQUE_PS": MASKED,
    "INVISIBLE_PATIENT": INVISIBLE_PATIENT,
    "INVISIBLE_REP_LEGAUX": INVISIBLE_REPRESENTATIVES,
    "INVISIBLE_REPRESENTANTS_LEGAUX": INVISIBLE_REPRESENTATIVES,
}
_OTHER_FLAGS: Final = {
    "CONNEXION_SECRETE": "CONNEXION_SECRETE",
    "MODIF_CONF_CODE": "MODIF_CONF_CODE",
    "MODIF_CONFIDENTIALITYCODE": "MODIF_CONF_CODE",
    "DESTDMP": "DESTDMP",
    "DESTMSSANTEPS": "DESTMSSANTEPS",
    "DESTMSSANTEPAT": "DESTMSSANTEPAT",
    "ACK_RECEPTION": "ACK_RECEPTION",
    "ACK_LECTURE": "ACK_LECTURE_MSS",
    "ACK_LECTURE_MSS": "ACK_LECTURE_MSS",
}
_META: Final = "MetaDMPMSS"
_OF_MAIL: Final = "CORPSMAIL"
_XDM: Final = "XDM/1.0/DDM"
_TO_SOFTWARE: Final = "CISIS_CDA_HL7_LPS"
"""The profile of what arrived by MSSanté and goes on to software: no deposit."""


class Act(Enum):
    """What a message wants of its documents."""

    FILE = "F"
    REPLACE = "C"
    WITHDRAW = "D"


_ACTS: Final = {"T02": Act.FILE, "T10": Act.REPLACE, "T04": Act.WITHDRAW}


class Said(Struct, frozen=True):
    """The patient of a message: INS, and the traits that its PID says."""

    ins: Ins
    traits: Traits


class Document(Struct, frozen=True):
    """A CDA in base64, and the OBX that carries it."""

    encoded: str
    segment: Segment


class Deposit(Struct, frozen=True):
    """What an ORU or an MDM asks."""

    act: Act
    documents: tuple[Document, ...]
    visibility: frozenset[str]
    flags: frozenset[str]
    """The other flags that are Y."""
    unknown: tuple[str, ...]
    unique_id: str
    parent: str

    def says(self, flag: str) -> bool:
        return flag in self.flags


def check_header(message: Message, *, demonstration: bool) -> str:
    """The kind of a message, such as ORU or ADT; refuses versions and processing ids that are not taken."""
    header = message.header
    if not header.text(10):
        raise failure("HL7_FIELD_MISSING", "Give the message a control id (MSH-10).", header.at(10))
    if header.text(12) not in VERSIONS:
        taken = ", ".join(sorted(VERSIONS))
        raise failure("HL7_VERSION", f"Version {header.text(12) or 'unsaid'}: send one of {taken}.", header.at(12))
    if header.text(11) not in ("P", "D", "T"):
        raise failure("HL7_PROCESSING", "MSH-11 is P, D or T.", header.at(11))
    if header.text(11) != "P" and not demonstration:
        text = "Messages of training or of tests do not enter the records of real people: send P in MSH-11."
        raise failure("HL7_PROCESSING", text, header.at(11))
    return header.text(9)


def patient_of(message: Message) -> Said:
    """Whom a message is about. Refuses an identity without an INS, with several, or not said to be qualified."""
    pid = message.first("PID")
    if pid is None:
        raise failure("HL7_SEGMENT_MISSING", "The message has no PID.", "PID^1")
    found = {one for each in pid.field(3).each() if (one := _ins(each)) is not None}
    if len(found) != 1:
        many = "two different INS" if found else "no INS"
        text = f"PID-3 has {many}: give one matricule with the OID of its authority and the type INS."
        raise Refusal(Kind.UNPROCESSABLE, "INS_INVALID", text, element=pid.at(3))
    statuses = {each.part(1).upper() for each in pid.field(32).each()} - {""}
    if not statuses or not statuses <= _QUALIFIED:
        text = (
            f"PID-32 says {', '.join(sorted(statuses)) or 'nothing'}: an INS goes with a qualified identity only "
            "(VALI). Verify the identity, then send again."
        )
        raise Refusal(Kind.UNPROCESSABLE, "INS_NOT_QUALIFIED", text, element=pid.at(32))
    return Said(found.pop(), _traits(pid))


def deposit_of(message: Message) -> Deposit:
    """What an ORU or an MDM asks. Refuses one that carries no document, or flags that cannot be read."""
    kind, event = message.header.text(9), message.header.text(9, 2)
    txa = message.first("TXA")
    visibility: set[str] = set()
    flags: set[str] = set()
    unknown: list[str] = []
    documents: list[Document] = []
    told: set[str] = set()
    for obx in message.all("OBX"):
        code, system = obx.text(3), obx.text(3, 3)
        if code in VISIBILITY or code in _OTHER_FLAGS:
            told.add(_OTHER_FLAGS.get(code, code))
            if _is_yes(obx):
                (visibility if code in VISIBILITY else flags).add(VISIBILITY.get(code) or _OTHER_FLAGS[code])
        elif code.startswith(_OF_MAIL) or obx.text(3, 2).startswith(_XDM):
            continue
        elif obx.text(2) == "ED" and system != _META:
            documents.append(_document(obx))
        elif system == _META:
            unknown.append(code)
    if "DESTDMP" not in told and message.header.text(21, 2) != _TO_SOFTWARE:
        flags.add("DESTDMP")
    if not documents:
        raise failure("HL7_SEGMENT_MISSING", "No OBX of type ED carries a document.", "OBX^1^2")
    act = _act(kind, event, documents)
    return Deposit(
        act,
        tuple(documents),
        frozenset(visibility),
        frozenset(flags),
        tuple(unknown),
        txa.text(12) if txa else "",
        txa.text(13) if txa else "",
    )


def _act(kind: str, event: str, documents: list[Document]) -> Act:
    """What is to be done, which the event of an MDM and the status of each result must say alike."""
    statuses = {one.segment.text(11) for one in documents}
    status = statuses.pop() if len(statuses) == 1 else ""
    place = documents[0].segment.at(11)
    if status not in (one.value for one in Act):
        text = "OBX-11 of every document is F (final), C (it replaces another) or D (to be deleted), the same for all."
        raise failure("HL7_STATUS", text, place)
    act = Act(status)
    wanted = _ACTS.get(event) if kind == "MDM" else act
    if wanted is not act:
        assert wanted is not None  # noqa: S101 - other events were refused.
        text = f"An MDM^{event} carries documents with OBX-11 {wanted.value}, not {status}."
        raise failure("HL7_STATUS", text, place)
    return act


def _document(obx: Segment) -> Document:
    field = obx.field(5)
    if field.part(4).upper() != "BASE64":
        raise failure("HL7_ENCODING", "A document is in base64: OBX-5.4 is Base64, OBX-5.5 its bytes.", obx.at(5))
    return Document(field.data(5), obx)


def _is_yes(obx: Segment) -> bool:
    """A flag: anything but Y or N is refused, since what it hides must not be guessed."""
    said = obx.text(5).upper()
    if said not in ("Y", "N"):
        raise failure("HL7_FLAG", f"The flag {obx.text(3)} is Y or N, not {said[:20] or 'empty'}.", obx.at(5))
    return said == "Y"


def _ins(identifier: Field) -> Ins | None:
    """A CX that is an INS, by its type or by its authority."""
    oid = identifier.part(4, 2)
    if identifier.part(5) == "INS" or oid in INS_OIDS:
        return Ins(identifier.part(1), oid)
    return None


def _traits(pid: Segment) -> Traits:
    """The strict traits that PID says: legal name, first given name, birth date, sex, place of birth (COG)."""
    names = list(pid.field(5).each())
    legal = next((one for one in names if one.part(7) == "L"), names[0] if names else None)
    places = (one.part(9) for one in pid.field(11).each() if one.part(7) == "BDL")
    sex = pid.text(8).upper()
    return Traits(
        birth_name=(legal.part(1) if legal else "") or None,
        first_given=(legal.part(2) if legal else "") or None,
        birth_date=_birth_date(pid),
        sex=Sex(sex) if sex in ("M", "F") else Sex.UNDETERMINED if sex else None,
        birth_place=next(places, "") or None,
    )


def _birth_date(pid: Segment) -> date | None:
    said = pid.text(7)
    try:
        return birth_date_of(said) if said else None
    except ValueError:
        raise failure("HL7_DATE", "PID-7 is a date, YYYYMMDD.", pid.at(7)) from None
