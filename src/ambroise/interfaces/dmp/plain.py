"""The services of the DMP that are not HL7 V3: an element with fields, an answer with a status and a context."""

from __future__ import annotations

from datetime import UTC, datetime

from lxml import etree

from ambroise.interfaces.dmp.codes import OK, error_code
from ambroise.interfaces.soap import Element, text_of
from ambroise.interfaces.xds.endpoint import Answered
from ambroise.interfaces.xds.names import tag
from ambroise.kernel.errors import Kind, Refusal


class Output:
    """The answer to one operation, in the namespace of its service."""

    def __init__(self, namespace: str, operation: str) -> None:
        self._namespace = namespace
        self._root = etree.Element(tag(namespace, f"{operation}Response"), nsmap={"ns1": namespace})
        self.element = etree.SubElement(self._root, tag(namespace, "output"))

    def add(self, holder: Element, name: str, text: str | None = None) -> Element:
        """A field."""
        made = etree.SubElement(holder, tag(self._namespace, name))
        made.text = text
        return made

    def done(self, context: str = "") -> Answered:
        """What was asked is done."""
        return self._closed(OK, context)

    def refused(self, refusal: Refusal) -> Answered:
        """Nothing was done, and why."""
        for line in list(self.element):
            self.element.remove(line)
        return self._closed(error_code(refusal.code), f"{refusal.code}: {refusal.diagnostics}")

    def _closed(self, status: str, context: str) -> Answered:
        self.add(self.element, "status", status)
        self.add(self.element, "context", context or None)
        return Answered(self._root)


def field(body: Element, namespace: str, name: str, *values: str) -> str | None:
    """A field of a request, one of `values` when there are some. Raises DMP_MESSAGE."""
    said = text_of(body, namespace, name)
    if said is not None and values and said not in values:
        raise Refusal(Kind.INVALID, "DMP_MESSAGE", f"{name} is one of {', '.join(values)}.")
    return said


def moment(written: str) -> datetime:
    """An instant as these services write one, in UTC: a day, or down to the second. Raises DMP_MESSAGE."""
    for form in ("%Y%m%d%H%M%S", "%Y%m%d"):
        try:
            return datetime.strptime(written, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise Refusal(Kind.INVALID, "DMP_MESSAGE", "A date is YYYYMMDD or YYYYMMDDHHMMSS, in UTC.")


def written(at: datetime) -> str:
    """The same, to be read."""
    return at.astimezone(UTC).strftime("%Y%m%d%H%M%S")
