"""Write CDA R2 documents of the CI-SIS: a header from values, sections of words and entries, the bytes of a file.

    header = Header()
    content = file_document(header, Head(…), pdf)                       # a letter as a PDF (level 1)
    content = letter(header, Head(…), (Words(code, title, texts), …))    # titled sections
    content = vaccination_note(header, Head(…), Injection(…))
    content = medical_synthesis(header, Head(…), treating, Synthesis(problems=(Line("Asthme", …),), …))
    content = patient_summary(header, Head(…), treating, PatientSummary(problems=(Line("Asthme", …),), …))
    content = prevention_plan(header, Head(…), PreventionPlan("Bilan prévention", (Aim("Tabac", "Arrêter"),)))
    content = assembled(header, head, templates(…), structured(section(…) + pdf_copy(pdf, ids)))

The narrative is what a reader signs; entries point into it.
"""

from ambroise.modules.record.cda.write.documents import SCANNED, Words, assembled, file_document, letter
from ambroise.modules.record.cda.write.entries import Line
from ambroise.modules.record.cda.write.header import ENCOUNTERS, PATIENT_EXPRESSION, Header, coded, telecom
from ambroise.modules.record.cda.write.model import Address, Coded, Former, Head, Patient, Professional, Structure
from ambroise.modules.record.cda.write.patient_summary import (
    PATIENT_SUMMARY_TYPE,
    PatientSummary,
    patient_summary,
)
from ambroise.modules.record.cda.write.pieces import (
    ATC,
    CIM_10,
    CIP,
    CIS,
    EDQM,
    FR,
    INTERPRETATION,
    LOINC,
    PCC,
    PRODUCT,
    SNOMED,
    TA_ASIP,
    EntryIds,
    base64,
    code,
    escape,
    original_text,
    paragraphs,
    pdf_copy,
    scanned,
    section,
    shown_day,
    structured,
    table,
    templates,
    timestamp,
)
from ambroise.modules.record.cda.write.prevention import (
    PREVENTION_PLAN_TYPE,
    Aim,
    PreventionPlan,
    Step,
    prevention_plan,
)
from ambroise.modules.record.cda.write.synthesis import SYNTHESIS_TYPE, Synthesis, medical_synthesis
from ambroise.modules.record.cda.write.vaccination import (
    BOOSTER,
    PRIMARY,
    Injection,
    Vaccine,
    vaccination_history,
    vaccination_note,
)

__all__ = [
    "ATC",
    "BOOSTER",
    "CIM_10",
    "CIP",
    "CIS",
    "EDQM",
    "ENCOUNTERS",
    "FR",
    "INTERPRETATION",
    "LOINC",
    "PATIENT_EXPRESSION",
    "PATIENT_SUMMARY_TYPE",
    "PCC",
    "PREVENTION_PLAN_TYPE",
    "PRIMARY",
    "PRODUCT",
    "SCANNED",
    "SNOMED",
    "SYNTHESIS_TYPE",
    "TA_ASIP",
    "Address",
    "Aim",
    "Coded",
    "EntryIds",
    "Former",
    "Head",
    "Header",
    "Injection",
    "Line",
    "Patient",
    "PatientSummary",
    "PreventionPlan",
    "Professional",
    "Step",
    "Structure",
    "Synthesis",
    "Vaccine",
    "Words",
    "assembled",
    "base64",
    "code",
    "coded",
    "escape",
    "file_document",
    "letter",
    "medical_synthesis",
    "original_text",
    "paragraphs",
    "patient_summary",
    "pdf_copy",
    "prevention_plan",
    "scanned",
    "section",
    "shown_day",
    "structured",
    "table",
    "telecom",
    "templates",
    "timestamp",
    "vaccination_history",
    "vaccination_note",
]
