"""Writes any document of the demonstration as a CDA R2 file of the CI-SIS."""

from __future__ import annotations

from datetime import timedelta

from ambroise.interfaces.demonstration import pdf_writer
from ambroise.interfaces.demonstration.cda_header import LOINC, Header, code, timestamp
from ambroise.interfaces.demonstration.cda_sections import (
    base64,
    biology_body,
    prescription_body,
    templates,
    vaccination_body,
)
from ambroise.interfaces.demonstration.documents import (
    Biology,
    Document,
    Prescription,
    Text,
    Vaccination,
    uid_of,
)
from ambroise.interfaces.demonstration.letters import letter

_SCANNED = templates("1.3.6.1.4.1.19376.1.2.20")
_BIOLOGY = templates("1.3.6.1.4.1.19376.1.3.3", "1.2.250.1.213.1.1.1.55")
_VACCINATION = templates("1.3.6.1.4.1.19376.1.5.3.1.1.18.1.2") + (
    '<templateId root="1.2.250.1.213.1.1.1.46" extension="2023.01"/>'
)
_PRESCRIPTION = templates("1.3.6.1.4.1.19376.1.9.1.1.1", "1.3.6.1.4.1.19376.1.5.3.1.1.1") + (
    '<templateId root="1.2.250.1.213.1.1.1.39" extension="2024.01"/>'
)
_LAB = ' xmlns:lab="urn:oid:1.3.6.1.4.1.19376.1.3.2"'
_TREATING = code("functionCode", "PCP", "Médecin traitant", "2.16.840.1.113883.5.88")
_END = "</ClinicalDocument>\n"
# Prescriptions are structured from the year after the version of their model (2024.01): older ones came as scans.
_STRUCTURED_PRESCRIPTIONS_SINCE = 2025
# The number of a prescription: the issuer's prefix, then characters of a hash of the document's identifier.
_PRESCRIPTION_ROOT = "1.2.250.1.215.500.1.1"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class CdaWriter:
    """Writes the documents of one nation; the same document always gives the same bytes."""

    def __init__(self, *, pad_pdf_to: int = 0) -> None:
        self._header = Header()
        self._pad = pad_pdf_to

    def write(self, document: Document) -> bytes:
        """The CDA file, in UTF-8."""
        match document.content:
            case Text():
                text = self._text(document)
            case Biology() as biology:
                text = self._biology(document, biology)
            case Vaccination() as vaccination:
                text = self._vaccination(document, vaccination)
            case Prescription() if document.moment.year < _STRUCTURED_PRESCRIPTIONS_SINCE:
                text = self._text(document)
            case Prescription() as prescription:
                text = self._prescription(document, prescription)
        return text.encode()

    def pdf(self, document: Document) -> bytes:
        """The page of a document alone."""
        return pdf_writer.write(letter(document), pad_to=self._pad)

    def _text(self, document: Document) -> str:
        header = self._header
        return (
            f"{header.open(document, _SCANNED)}{header.close(document)}"
            '<component><nonXMLBody><text mediaType="application/pdf" representation="B64">'
            f"{base64(self.pdf(document))}</text></nonXMLBody></component>{_END}"
        )

    def _biology(self, document: Document, biology: Biology) -> str:
        header, author, citizen = self._header, document.author, document.citizen
        if author is None:
            raise ValueError("a biology report has a biologist as its author")
        prescribed = document.started - timedelta(days=2)
        participants = header.participant(
            biology.prescriber, "REF", prescribed, template=templates("1.3.6.1.4.1.19376.1.3.3.1.6")
        ) + header.participant(citizen.treating, "INF", None, function=_TREATING)
        chapters = list(dict.fromkeys(result.analysis.chapter for result in biology.results))
        performed = (
            f'<templateId root="1.3.6.1.4.1.19376.1.3.3.1.7"/><time><high value="{timestamp(document.moment)}"/></time>'
        )
        acts = header.act(
            document,
            code("code", chapters[0].code, chapters[0].label, LOINC) + '<lab:statusCode code="completed"/>',
            document.started,
            document.moment,
            performer=performed + header.assigned(author),
        ) + "".join(
            f"<documentationOf><serviceEvent>{code('code', c.code, c.label, LOINC)}</serviceEvent></documentationOf>"
            for c in chapters[1:]
        )
        responsible = f"<responsibleParty>{header.assigned(author, setting=False)}</responsibleParty>"
        return (
            f"{header.open(document, _BIOLOGY, namespaces=_LAB, title=_BIOLOGY_TITLE)}{participants}{acts}"
            f"{header.replacement(document)}{header.encounter(document, responsible)}"
            f"{biology_body(document, biology, self.pdf(document))}{_END}"
        )

    def _vaccination(self, document: Document, vaccination: Vaccination) -> str:
        header = self._header
        return (
            f"{header.open(document, _VACCINATION)}{header.close(document)}"
            f"{vaccination_body(document, vaccination, header)}{_END}"
        )

    def _prescription(self, document: Document, prescription: Prescription) -> str:
        header = self._header
        act_code = f'<id root="{_PRESCRIPTION_ROOT}" extension="{prescription_number(document)}"/>' + code(
            "code", document.type.code, document.type.label, LOINC
        )
        valid_until = document.moment + timedelta(days=prescription.days)
        act = header.act(document, act_code, document.moment, valid_until)
        return (
            f"{header.open(document, _PRESCRIPTION)}{header.close(document, act=act)}"
            f"{prescription_body(document, prescription, self.pdf(document))}{_END}"
        )


# The CI-SIS fixes the title of a biology report.
_BIOLOGY_TITLE = "Compte rendu d'examens biologiques"


def prescription_number(document: Document) -> str:
    """The unique number of a prescription: 01, fifteen characters of a hash, and a check character."""
    number = int(uid_of("prescription", document.uid).rpartition(".")[2])
    body = "01" + "".join(_CROCKFORD[number >> shift & 31] for shift in range(0, 75, 5))
    return body + _check_character(body)


_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _check_character(body: str) -> str:
    """Check character of ISO 7064, mod 37,36."""
    product = 36
    for character in body:
        product = (product + _ALPHABET.index(character)) % 36 or 36
        product = product * 2 % 37
    return _ALPHABET[(37 - product) % 36]
