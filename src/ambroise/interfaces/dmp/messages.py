"""HL7 V3 messages: what a request says, and the answer around what a transaction writes (acknowledgement, query)."""

from __future__ import annotations

from copy import deepcopy
from typing import Final
from uuid import uuid4

from lxml import etree
from msgspec import Struct

from ambroise.interfaces.dmp.codes import HL7, codes, error_code, system
from ambroise.interfaces.soap import Element, child, children
from ambroise.interfaces.xds.names import tag
from ambroise.interfaces.xds.values import Cx
from ambroise.kernel.clock import Clock
from ambroise.kernel.errors import Kind, Refusal

XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"


class Id(Struct, frozen=True):
    """An instance identifier (II)."""

    root: str
    extension: str = ""


class Message(Struct, frozen=True):
    """A request: who sends it under which id, why (TRE_R271), and its query, if it is one."""

    id: Id
    sender: Id
    software: str
    reason: str
    control: Element
    query: Element | None

    @property
    def query_id(self) -> Id:
        """The id of the query, which its answer repeats."""
        found = child(self.query, HL7, "queryId") if self.query is not None else None
        return _id(found) if found is not None else Id("")


class Names(Struct, frozen=True):
    """How the answers of this instance name it, and when they are made."""

    oid: str
    clock: Clock
    demonstration: bool


def read(body: Element, *, reasons: tuple[str, ...] = ()) -> Message:
    """The message in a body. Raises DMP_MESSAGE when it is not of its interaction, or asks for nothing known here."""
    interaction = etree.QName(body).localname
    named = child(body, HL7, "interactionId")
    own, control = child(body, HL7, "id"), child(body, HL7, "controlActProcess")
    if named is None or named.get("extension") != interaction or own is None or not own.get("root") or control is None:
        raise _malformed(f"an {interaction} has an id, the interactionId of its name and a controlActProcess")
    reason = child(control, HL7, "reasonCode")
    said = reason.get("code", "") if reason is not None else ""
    if reasons and (reason is None or said not in reasons or reason.get("codeSystem") != system("request")):
        raise _malformed(f"reasonCode is one of {', '.join(reasons)} of {system('request')}")
    device = body.find(f"{tag(HL7, 'sender')}/{tag(HL7, 'device')}")
    sender = child(device, HL7, "id") if device is not None else None
    name = child(device, HL7, "softwareName") if device is not None else None
    return Message(
        _id(own),
        _id(sender) if sender is not None else Id(""),
        ((name.text or "").strip() if name is not None else "")[:100],
        said,
        control,
        child(control, HL7, "queryByParameter"),
    )


def patient_in(holder: Element | None, path: str) -> Cx:
    """The patient whose INS stands at a path. Raises DMP_MESSAGE when none does, or several do."""
    found = holder.findall(path) if holder is not None else []
    ids = [_id(one) for one in found if one.get("root") and one.get("extension")]
    if len(ids) != 1:
        raise _malformed("name one patient by the INS and its OID")
    return Cx(ids[0].extension, ids[0].root, "NH")


def path_of(*names: str) -> str:
    """A path of elements of HL7 V3."""
    return "/".join(tag(HL7, name) for name in names)


def answer(names: Names, message: Message, interaction: str, refusal: Refusal | None = None) -> tuple[Element, Element]:
    """An answer to a message, and its controlActProcess to fill in; with a refusal it says why nothing was done."""
    root = etree.Element(tag(HL7, interaction), nsmap={None: HL7, "xsi": XSI})
    root.set("ITSVersion", "XML_1.0")
    add(root, "id", root=names.oid, extension=str(uuid4()))
    add(root, "creationTime", value=names.clock.now().strftime("%Y%m%d%H%M%S+0000"))
    add(root, "interactionId", root=system("interaction"), extension=interaction)
    add(root, "processingCode", code="T" if names.demonstration else "P")
    add(root, "processingModeCode", code="T")
    add(root, "acceptAckCode", code="NE")
    _device(root, "receiver", "RCV", message.sender, message.software)
    _device(root, "sender", "SND", Id(names.oid), "Ambroise")
    _acknowledge(root, message, interaction, refusal)
    control = add(root, "controlActProcess", classCode="CACT", moodCode="EVN")
    if message.reason:
        shown = codes()["requests"][message.reason]
        add(control, "reasonCode", code=message.reason, codeSystem=system("request"), displayName=shown)
    return root, control


def answer_query(control: Element, message: Message, response: str, total: int | None = None) -> None:
    """Close the answer to a query: OK, NF (nobody) or AE, how many, and, where they are counted, what was asked."""
    acknowledged = add(control, "queryAck")
    asked = message.query_id
    add(acknowledged, "queryId", root=asked.root, extension=asked.extension)
    add(acknowledged, "queryResponseCode", code=response)
    if total is None:
        return
    for name, value in (("Total", total), ("Current", total), ("Remaining", 0)):
        add(acknowledged, f"result{name}Quantity", value=str(value))
    if message.query is not None:
        control.append(deepcopy(message.query))


def attention(root: Element, keyword: str, system_of_keyword: str, kind: str, **value: str) -> None:
    """A line of attention, which stands before the acknowledgement."""
    line = etree.Element(tag(HL7, "attentionLine"))
    add(line, "keyWordText", code=keyword, codeSystem=system(system_of_keyword))
    add(line, "value", **value).set(tag(XSI, "type"), kind)
    acknowledgement = child(root, HL7, "acknowledgement")
    assert acknowledgement is not None  # noqa: S101
    acknowledgement.addprevious(line)


def add(holder: Element, name: str, text: str | None = None, /, **attributes: str) -> Element:
    """A child of HL7 V3; empty attributes are left out."""
    made = etree.SubElement(holder, tag(HL7, name), {key: value for key, value in attributes.items() if value})
    made.text = text
    return made


def _acknowledge(root: Element, message: Message, interaction: str, refusal: Refusal | None) -> None:
    code = "AE" if refusal else "AA"
    made = add(root, "acknowledgement")
    if interaction == "PRPA_IN201306UV02":
        # The Patient Demographics Query is of the edition of 2008, which has an element here (IHE ITI TF-2, 3.47).
        add(made, "typeCode", code=code)
    else:
        made.set("typeCode", code)
    target = add(made, "targetMessage")
    add(target, "id", root=message.id.root, extension=message.id.extension)
    if refusal is not None:
        detail = add(made, "acknowledgementDetail", typeCode="E")
        add(detail, "code", code=error_code(refusal.code))
        add(detail, "text", f"{refusal.code}: {refusal.diagnostics}")


def _device(root: Element, name: str, kind: str, id: Id, software: str) -> None:
    device = add(add(root, name, typeCode=kind), "device", classCode="DEV", determinerCode="INSTANCE")
    add(device, "id", root=id.root, extension=id.extension)
    add(device, "softwareName", software or None)


def observations(patient: Element | None) -> dict[str, bool]:
    """The administrative observations about a patient that are true or false."""
    found: dict[str, bool] = {}
    for one in children(patient, HL7, "subjectOf") if patient is not None else ():
        code, value = (one.find(path_of("administrativeObservation", name)) for name in ("code", "value"))
        if code is not None and value is not None and value.get("value") in ("true", "false"):
            found[code.get("code", "")] = value.get("value") == "true"
    return found


def _id(element: Element) -> Id:
    return Id(element.get("root", ""), element.get("extension", ""))


def _malformed(text: str) -> Refusal:
    return Refusal(Kind.INVALID, "DMP_MESSAGE", f"Read the messages of HL7 V3 again: {text}.")
