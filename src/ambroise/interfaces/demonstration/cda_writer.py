"""Writes any document of the demonstration as a CDA R2 file of the CI-SIS."""

from __future__ import annotations

from datetime import timedelta

from ambroise.interfaces.demonstration import pdf_writer
from ambroise.interfaces.demonstration.cda_header import People
from ambroise.interfaces.demonstration.cda_reports import report_document
from ambroise.interfaces.demonstration.cda_sections import biology_body, prescription_body
from ambroise.interfaces.demonstration.documents import (
    Biology,
    Document,
    Prescription,
    Text,
    Vaccination,
    uid_of,
)
from ambroise.interfaces.demonstration.letters import letter
from ambroise.interfaces.demonstration.products import INTRAMUSCULAR, ROUTES
from ambroise.modules.record.api import write

_BIOLOGY = write.templates("1.3.6.1.4.1.19376.1.3.3", "1.2.250.1.213.1.1.1.55")
_PRESCRIPTION = write.templates(
    "1.3.6.1.4.1.19376.1.9.1.1.1", "1.3.6.1.4.1.19376.1.5.3.1.1.1", "1.2.250.1.213.1.1.1.39#2024.01"
)
_LAB = ' xmlns:lab="urn:oid:1.3.6.1.4.1.19376.1.3.2"'
_TREATING = write.code("functionCode", "PCP", "Médecin traitant", "2.16.840.1.113883.5.88")
_LEFT = write.Coded("16217701000119102", "deltoïde gauche", write.SNOMED)
_RIGHT = write.Coded("16217661000119109", "deltoïde droit", write.SNOMED)
_END = "</ClinicalDocument>\n"
# Prescriptions are structured from the year after the version of their model (2024.01): older ones came as scans.
_STRUCTURED_PRESCRIPTIONS_SINCE = 2025
# The number of a prescription: the issuer's prefix, then characters of a hash of the document's identifier.
_PRESCRIPTION_ROOT = "1.2.250.1.215.500.1.1"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class CdaWriter:
    """Writes the documents of one nation; the same document always gives the same bytes."""

    def __init__(self, *, pad_pdf_to: int = 0) -> None:
        self._people = People()
        self._header = write.Header()
        self._pad = pad_pdf_to

    def write(self, document: Document) -> bytes:
        """The CDA file, in UTF-8."""
        match document.content:
            case Text():
                return self._text(document)
            case Biology() as biology:
                return self._biology(document, biology)
            case Vaccination() as vaccination:
                return self._vaccination(document, vaccination)
            case Prescription() if document.moment.year < _STRUCTURED_PRESCRIPTIONS_SINCE:
                return self._text(document)
            case Prescription() as prescription:
                return self._prescription(document, prescription)
            case report:
                return report_document(self._header, self._people, document, report, self.pdf(document))

    def pdf(self, document: Document) -> bytes:
        """The page of a document alone."""
        return pdf_writer.write(letter(document), pad_to=self._pad)

    def _text(self, document: Document) -> bytes:
        return write.file_document(self._header, self._people.head(document), self.pdf(document))

    def _biology(self, document: Document, biology: Biology) -> bytes:
        header, people = self._header, self._people
        head = people.head(document, _BIOLOGY_TITLE)
        author = head.author
        if author is None:
            raise ValueError("a biology report has a biologist as its author")
        prescribed = document.started - timedelta(days=2)
        participants = header.participant(
            people.professional(biology.prescriber),
            "REF",
            prescribed,
            template=write.templates("1.3.6.1.4.1.19376.1.3.3.1.6"),
        ) + header.participant(people.professional(document.citizen.treating), "INF", None, function=_TREATING)
        chapters = list(dict.fromkeys(result.analysis.chapter for result in biology.results))
        moment = write.timestamp(document.moment)
        performed = f'<templateId root="1.3.6.1.4.1.19376.1.3.3.1.7"/><time><high value="{moment}"/></time>'
        acts = header.act(
            head,
            write.code("code", chapters[0].code, chapters[0].label, write.LOINC) + '<lab:statusCode code="completed"/>',
            document.started,
            document.moment,
            performer=performed + header.assigned(author),
        ) + "".join(
            "<documentationOf><serviceEvent>"
            f"{write.code('code', chapter.code, chapter.label, write.LOINC)}</serviceEvent></documentationOf>"
            for chapter in chapters[1:]
        )
        responsible = f"<responsibleParty>{header.assigned(author, setting=False)}</responsibleParty>"
        return (
            f"{header.open(head, _BIOLOGY, namespaces=_LAB)}{header.close(head, participants, acts, responsible)}"
            f"{biology_body(document, biology, self.pdf(document))}{_END}"
        ).encode()

    def _vaccination(self, document: Document, vaccination: Vaccination) -> bytes:
        vaccine = vaccination.vaccine
        muscle = vaccine.route == INTRAMUSCULAR
        injection = write.Injection(
            write.Vaccine(vaccine.name, vaccine.cis, atc=vaccine.atc, protects=vaccine.protects),
            document.moment.date(),
            write.BOOSTER if vaccination.booster else write.PRIMARY,
            vaccination.rank,
            vaccination.lot,
            write.Coded(vaccine.route, ROUTES[vaccine.route], write.EDQM),
            (_LEFT if vaccination.left else _RIGHT) if muscle else None,
        )
        return write.vaccination_note(self._header, self._people.head(document), injection)

    def _prescription(self, document: Document, prescription: Prescription) -> bytes:
        header, head = self._header, self._people.head(document)
        act_code = f'<id root="{_PRESCRIPTION_ROOT}" extension="{prescription_number(document)}"/>' + write.code(
            "code", document.type.code, document.type.label, write.LOINC
        )
        valid_until = document.moment + timedelta(days=prescription.days)
        act = header.act(head, act_code, document.moment, valid_until)
        return (
            f"{header.open(head, _PRESCRIPTION)}{header.close(head, acts=act)}"
            f"{prescription_body(document, prescription, self.pdf(document))}{_END}"
        ).encode()


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
