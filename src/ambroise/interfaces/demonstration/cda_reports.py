"""The reports of the corridors as whole documents: the models that each declares, its header, its body, its page."""

from __future__ import annotations

from ambroise.interfaces.demonstration import cda_dispensation, cda_imaging, cda_stays
from ambroise.interfaces.demonstration.cda_header import People
from ambroise.interfaces.demonstration.documents import Document
from ambroise.interfaces.demonstration.reports import Discharge, Dispensation, Imaging, Report, Transfer
from ambroise.modules.record.api import write

_TREATING = write.code("functionCode", "PCP", "Médecin traitant", "2.16.840.1.113883.5.88")


def report_document(header: write.Header, people: People, document: Document, report: Report, pdf: bytes) -> bytes:
    """The CDA of a report."""
    head, ids = people.head(document), write.EntryIds(document.uid)
    treating = people.professional(document.citizen.treating)
    around = header.participant(treating, "INF", None, function=_TREATING)
    own = write.coded("code", head.type)
    match report:
        case Imaging():
            models, act = cda_imaging.MODELS, cda_imaging.imaging_act(report)
            sections = cda_imaging.imaging_sections(report, document.started, ids)
        case Discharge():
            models, act = cda_stays.DISCHARGE, cda_stays.STAY
            sections = cda_stays.discharge_sections(report, document.started, document.moment, ids)
        case Dispensation():
            models, act, around = cda_dispensation.MODELS, own, around + cda_dispensation.fulfilled(report)
            prescriber = header.author_of(people.professional(report.prescriber))
            sections = cda_dispensation.dispensation_section(report, document.moment, prescriber, ids)
        case Transfer():
            models, act = cda_stays.TRANSFER, cda_stays.SENT
            sections = cda_stays.transfer_sections(report, document.moment, ids)
    closing = header.close(head, around, header.act(head, act, document.started, document.moment))
    return write.assembled(header, head, models, write.structured(sections + write.pdf_copy(pdf, ids)), closing=closing)
