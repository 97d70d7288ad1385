"""The page a document shows: every document of the demonstration can be read as a PDF."""

from __future__ import annotations

from ambroise.interfaces.demonstration.documents import Biology, Document, Prescription, Text, Vaccination
from ambroise.interfaces.demonstration.model import Citizen, Professional
from ambroise.interfaces.demonstration.pdf_writer import Letter, Table
from ambroise.interfaces.demonstration.professions import PROFESSIONS

_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
    "décembre",
)  # fmt: skip


def letter(document: Document) -> Letter:
    """Lay a document out as a letter."""
    author, citizen, moment = document.author, document.citizen, document.moment
    city = author.organization.address.city if author else citizen.address.city
    return Letter(
        title=document.title,
        sender=_sender(author) if author else (citizen.display,),
        subject=_subject(citizen),
        place_and_date=f"{city}, le {moment.day} {_MONTHS[moment.month - 1]} {moment.year}",
        body=_body(document),
        signature=_signature(author) if author else (citizen.display,),
        moment=moment,
    )


def shown_name(person: Professional) -> str:
    """Title, given name and family name."""
    return f"{'Dr ' if person.title == 'DR' else ''}{person.given} {person.family}"


def _sender(author: Professional) -> tuple[str, ...]:
    place = author.organization
    return (
        place.name,
        f"{place.address.number} {place.address.street}, {place.address.postal_code} {place.address.city}",
        f"{shown_name(author)}, {PROFESSIONS[author.role].label.removesuffix(' (SM)')}",
        f"Téléphone {place.phone} - FINESS {place.finess} - RPPS {author.rpps}",
    )


def _subject(citizen: Citizen) -> tuple[str, ...]:
    """The traits in clear, that the first page must carry."""
    born = f"{citizen.birth_date:%d/%m/%Y}"
    used = f" - nom utilisé {citizen.used_name}" if citizen.used_name else ""
    return (
        f"{citizen.birth_name} {' '.join(citizen.birth_given)}{used}",
        f"Sexe {citizen.sex}, date de naissance {born}, lieu de naissance {citizen.birthplace.cog}",
        f"Matricule INS {citizen.matricule} (INS de test)",
    )


def _signature(author: Professional) -> tuple[str, ...]:
    return (shown_name(author), "Document validé électroniquement")


def _body(document: Document) -> tuple[str | Table, ...]:
    match document.content:
        case Text(body):
            return body
        case Biology() as biology:
            return _biology(biology)
        case Prescription() as prescription:
            return _prescription(prescription)
        case Vaccination() as vaccination:
            return (f"Vaccin {vaccination.vaccine.name} ({vaccination.vaccine.protects}), lot {vaccination.lot}.",)
        case report:
            return report.words


def _biology(biology: Biology) -> tuple[str | Table, ...]:
    parts: list[str | Table] = [f"Examens demandés par {shown_name(biology.prescriber)}."]
    for chapter in dict.fromkeys(result.analysis.chapter for result in biology.results):
        rows = tuple(
            (
                result.analysis.label,
                f"{result.shown} {result.analysis.shown}".strip(),
                result.range,
                "" if result.interpretation[0] == "N" else result.interpretation[0],
            )
            for result in biology.results
            if result.analysis.chapter is chapter
        )
        parts.append(Table((chapter.label, "Résultat", "Valeurs usuelles", ""), rows, (46, 24, 22, 8)))
    if biology.comment:
        parts.append(biology.comment)
    return tuple(parts)


def _prescription(prescription: Prescription) -> tuple[str | Table, ...]:
    lines = tuple(f"{m.name} : {m.posology}, pendant {prescription.days} jours." for m in prescription.medicines)
    if prescription.long_term:
        return ("Prescriptions relatives au traitement de l'affection de longue durée reconnue :", *lines)
    return lines
