"""The body of a report of imaging (CR-IMG, CDA level 3): why, how, what was seen, and the study that a viewer opens."""

from __future__ import annotations

from datetime import datetime

from ambroise.interfaces.demonstration.cda_entries import heading
from ambroise.interfaces.demonstration.reports import Imaging
from ambroise.modules.record.api import write

code, escape, templates, timestamp = write.code, write.escape, write.templates, write.timestamp
LOINC, FR = write.LOINC, write.FR
DCM, DCM_UID, CCAM = "1.2.840.10008.2.16.4", "1.2.840.10008.2.6.1", "1.2.250.1.215.300.1"
MODELS = templates("1.2.840.10008.9.1", "1.2.840.10008.9.20", "1.2.840.10008.9.21", f"{FR}.1.45#2024.01")
"""What a report of imaging declares."""
MODALITY = code("name", "121139", "Modalité d'imagerie", DCM)


def imaging_act(report: Imaging) -> str:
    """The code of the documented act: LOINC, then the CCAM, the modality and the region."""
    image = report.image
    region = code("name", "39111-0", "localisation anatomique", LOINC)
    return code(
        "code",
        image.act.code,
        image.act.label,
        LOINC,
        code("translation", image.ccam.code, image.ccam.label, CCAM)
        + code("translation", image.modality.code, image.modality.label, DCM, f"<qualifier>{MODALITY}</qualifier>")
        + code("translation", image.region.code, image.region.label, write.SNOMED, f"<qualifier>{region}</qualifier>"),
    )


def imaging_sections(report: Imaging, at: datetime, ids: write.EntryIds) -> str:
    """Why, how and of what; what was seen, and what it means."""
    findings = "".join(f"<item>{escape(one)}</item>" for one in report.findings)
    return (
        _asked(report, ids)
        + _acquired(report, at, ids)
        + write.section(
            heading(templates("2.16.840.1.113883.10.20.6.1.2", f"{FR}.2.208"), ids,
                     code("code", "59776-5", "Résultats de l'acte", LOINC), "Résultats")
            + f"<text><list>{findings}</list></text>"
        )
        + write.section(
            heading(templates("1.2.840.10008.9.5", f"{FR}.2.209"), ids,
                     code("code", "19005-8", "Conclusions", LOINC), "Conclusion")
            + write.paragraphs(report.conclusion)
        )
    )  # fmt: skip


def _asked(report: Imaging, ids: write.EntryIds) -> str:
    request = write.section(
        heading(templates("1.2.840.10008.9.7", f"{FR}.2.211"), ids, code("code", "55115-0", "Demande", LOINC),
                 "Justification de la demande")
        + write.paragraphs(report.asked)
    )  # fmt: skip
    said = (
        ("11348-0", "Antécédents médicaux", report.past),
        ("47519-4", "Antécédents chirurgicaux", report.operated),
        ("64100-1", "Contre-indications", ""),
    )
    rows = "".join(
        f'<tr><td>{label}</td><td><content ID="past{n}">{escape(words or "Aucune")}</content></td></tr>'
        for n, (_, label, words) in enumerate(said)
    )
    entries = "".join(_past(what, label, f"past{n}", words, ids) for n, (what, label, words) in enumerate(said))
    past = write.section(
        heading(templates("2.16.840.1.113883.10.20.22.2.39", f"{FR}.2.213"), ids,
                 code("code", "11329-0", "Historique médical", LOINC), "Antécédents")
        + write.table(("Antécédent", "Précision"), rows)
        + entries
    )  # fmt: skip
    return write.section(
        heading(templates("1.2.840.10008.9.2", f"{FR}.2.205"), ids,
                 code("code", "55752-0", "Informations cliniques", LOINC), "Informations cliniques")
        + f"<text/>{request}{past}"
    )  # fmt: skip


def _past(what: str, label: str, anchor: str, words: str, ids: write.EntryIds) -> str:
    """An entry of the history; the model asks for one about contra-indications even when there is none."""
    value = f'"CD">{write.original_text(anchor)}</value>' if words else '"ST">Aucune</value>'
    return (
        '<entry><observation classCode="OBS" moodCode="EVN">'
        f"{templates('2.16.840.1.113883.10.20.6.2.13', f'{FR}.3.150')}{ids()}{code('code', what, label, LOINC)}"
        f'<text><reference value="#{anchor}"/></text><statusCode code="completed"/>'
        f'<value xsi:type={value}<targetSiteCode nullFlavor="NA"/></observation></entry>'
    )


def _acquired(report: Imaging, at: datetime, ids: write.EntryIds) -> str:
    image, moment = report.image, timestamp(at)
    original = '<originalText><reference value="#act"/></originalText>'
    procedure = (
        f'<entry><procedure classCode="PROC" moodCode="EVN">{templates("1.2.840.10008.9.14", f"{FR}.3.153")}{ids()}'
        + code("code", image.act.code, image.act.label, LOINC,
               original + code("translation", image.ccam.code, image.ccam.label, CCAM))
        + f'<text><reference value="#act"/></text><effectiveTime value="{moment}"/>'
        + code("methodCode", image.modality.code, image.modality.label, DCM)
        + code("targetSiteCode", image.site.code, image.site.label, write.SNOMED)
        + "</procedure></entry>"
    )  # fmt: skip
    rows = (
        f'<tr><td><content ID="act">{escape(image.act.label)}</content></td>'
        f"<td>{escape(image.modality.label)}</td><td>{escape(image.site.label)}</td></tr>"
    )
    return write.section(
        heading(templates("1.2.840.10008.9.3", f"{FR}.2.206"), ids,
                 code("code", "55111-9", "Description de l'acte d’imagerie", LOINC), "Technique d'imagerie")
        + write.table(("Acte", "Modalité", "Localisation"), rows)
        + procedure
        + _catalogue(report, moment, ids)
    )  # fmt: skip


def _catalogue(report: Imaging, moment: str, ids: write.EntryIds) -> str:
    """The objects of the study; who may see them asks for them where the manifest (KOS) says."""
    image = report.image
    modality = code("value", image.modality.code, image.modality.label, DCM)
    instance = (
        f'<observation classCode="DGIMG" moodCode="EVN">{templates("1.2.840.10008.9.18", f"{FR}.3.157")}'
        f'<id root="{report.study}.1.1"/>{code("code", image.objects.code, image.objects.label, DCM_UID)}'
        f'<effectiveTime value="{moment}"/></observation>'
    )
    series = (
        f'<act classCode="ACT" moodCode="EVN">{templates("1.2.840.10008.9.17", f"{FR}.3.156")}'
        f'<id root="{report.study}.1"/>'
        f"{code('code', '113015', 'Séries', DCM, f'<qualifier>{MODALITY}{modality}</qualifier>')}"
        f'<effectiveTime value="{moment}"/><entryRelationship typeCode="COMP">{instance}</entryRelationship></act>'
    )
    study = (
        f'<entry><act classCode="ACT" moodCode="EVN">{templates("1.2.840.10008.9.16", f"{FR}.3.155")}'
        f'<id root="{report.study}"/>{code("code", "113014", "Examen", DCM)}<effectiveTime value="{moment}"/>'
        f'<entryRelationship typeCode="COMP">{series}</entryRelationship></act></entry>'
    )
    return write.section(
        heading(templates("2.16.840.1.113883.10.20.6.1.1", f"{FR}.2.217"), ids,
                 code("code", "121181", "Catalogue d'objets DICOM", DCM), "Catalogue d'objets DICOM")
        + write.paragraphs("Un examen, une série.")
        + study
    )  # fmt: skip
