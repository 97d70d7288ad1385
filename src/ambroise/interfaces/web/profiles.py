"""The medical profile in words, for every portal: its sections, and what each line says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from msgspec import Struct

from ambroise.interfaces.web.choices import MEASURES, choice
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.ui import dates, plots
from ambroise.interfaces.web.ui.i18n import N_, current, gettext
from ambroise.interfaces.web.ui.units import unit
from ambroise.modules.profile.api import Item, Part, Section


class Face(Struct, frozen=True):
    """How a section is shown: address, title, icon, what to write there, what adding to it is called, "I have none"."""

    address: str
    title: str
    picture: str
    help: str
    adding: str
    none: str = ""


FACES: Mapping[Section, Face] = {
    Section.ILLNESSES: Face(
        "maladies",
        N_("Maladies et sujets de santé"),
        "stethoscope",
        N_("Une maladie, un trouble, un sujet qui compte pour votre santé."),
        N_("Ajouter une maladie ou un sujet de santé"),
        N_("Je n’ai pas de maladie à signaler"),
    ),
    Section.TREATMENTS: Face(
        "traitements",
        N_("Traitements"),
        "pill",
        N_("Les médicaments que vous prenez, ou avez pris longtemps."),
        N_("Ajouter un traitement"),
        N_("Je ne prends pas de traitement"),
    ),
    Section.ALLERGIES: Face(
        "allergies",
        N_("Allergies"),
        "triangle-alert",
        N_("Un médicament, un aliment, une matière que vous ne supportez pas."),
        N_("Ajouter une allergie"),
        N_("Je n’ai pas d’allergie connue"),
    ),
    Section.VACCINATIONS: Face(
        "vaccinations",
        N_("Vaccinations"),
        "syringe",
        N_("Chaque vaccin reçu, avec sa date."),
        N_("Ajouter un vaccin"),
    ),
    Section.STAYS: Face(
        "hospitalisations",
        N_("Hospitalisations et actes"),
        "building",
        N_("Une opération, un séjour à l’hôpital, un acte important."),
        N_("Ajouter une hospitalisation ou un acte"),
        N_("Je n’ai jamais été hospitalisé"),
    ),
    Section.FAMILY: Face(
        "antecedents-familiaux",
        N_("Antécédents familiaux"),
        "users",
        N_("Une maladie de vos parents, grands-parents, frères et sœurs."),
        N_("Ajouter un antécédent familial"),
        N_("Je ne connais pas d’antécédent familial"),
    ),
    Section.DISABILITIES: Face(
        "handicaps",
        N_("Handicaps"),
        "user",
        N_("Ce que les soignants doivent savoir pour vous accueillir."),
        N_("Ajouter un handicap"),
        N_("Je n’ai pas de handicap"),
    ),
    Section.BLOOD: Face(
        "groupe-sanguin",
        N_("Groupe sanguin"),
        "flask-conical",
        N_("Un prélèvement est toujours fait avant une transfusion, même si votre groupe est écrit ici."),
        N_("Dire mon groupe sanguin"),
    ),
    Section.MEASURES: Face(
        "mesures",
        N_("Mesures"),
        "scan-line",
        N_("Poids, taille, tension, glycémie… avec leur courbe."),
        N_("Ajouter une mesure"),
    ),
    Section.TARGETS: Face(
        "objectifs",
        N_("Objectifs"),
        "scan-line",
        N_("La valeur à atteindre, convenue avec votre soignant."),
        N_("Fixer un objectif"),
    ),
    Section.HABITS: Face(
        "habitudes",
        N_("Habitudes de vie"),
        "house",
        N_("Alimentation, activité, sommeil, écrans, alcool, tabac."),
        N_("Ajouter une habitude"),
    ),
    Section.NETWORK: Face(
        "soignants",
        N_("Mes professionnels de santé"),
        "stethoscope",
        N_("Qui vous soigne. Ajouter quelqu’un ici ne lui donne pas accès à votre dossier."),
        N_("Ajouter un professionnel"),
    ),
    Section.CONTACTS: Face(
        "entourage",
        N_("Entourage"),
        "users",
        N_("Qui prévenir, votre personne de confiance, vos aidants."),
        N_("Ajouter une personne"),
    ),
    Section.DONATION: Face(
        "don-d-organes",
        N_("Don d’organes"),
        "info",
        N_("La loi présume le consentement ; un refus s’inscrit au registre national de l’Agence de la biomédecine."),
        N_("Don d’organes : où j’en suis"),
    ),
}
BY_ADDRESS = {face.address: section for section, face in FACES.items()}

BLOOD = (
    N_("Groupe sanguin O positif"),
    N_("Groupe sanguin O négatif"),
    N_("Groupe sanguin A positif"),
    N_("Groupe sanguin A négatif"),
    N_("Groupe sanguin B positif"),
    N_("Groupe sanguin B négatif"),
    N_("Groupe sanguin AB positif"),
    N_("Groupe sanguin AB négatif"),
)
"""The labels of the national list of blood groups (JDV_GroupeRhesus_CISIS), so that other languages have theirs."""


def when(value: str) -> str:
    """« 2019 », « mai 2019 », « 3 mai 2019 »: a date as precise as it is known."""
    if len(value) == 10:
        return dates.words(date.fromisoformat(value), "d MMMM y" if current().code == "fr" else "MMMM d, y")
    if len(value) == 7:
        return dates.words(date.fromisoformat(value + "-01"), "MMMM y")
    return value


def name(item: Item) -> str:
    """What a line is called."""
    if item.section in (Section.MEASURES, Section.TARGETS):
        return gettext(MEASURES.get(item.details.get("measure", ""), item.name))
    if item.section is Section.HABITS:
        return choice("habit", item.details.get("habit", ""))
    if item.section is Section.DONATION:
        return (
            gettext("Informé sur le don d’organes") if item.details.get("informed") == "yes" else gettext("Pas encore")
        )
    return blood(item.name) if item.section is Section.BLOOD else item.name


def blood(label: str) -> str:
    """A blood group in the language of the page; what is not of the national list as it was written."""
    return gettext(label) if label in BLOOD else label


def telephone(number: str) -> str:
    """A French number by twos, as it is said aloud; any other one as it was written."""
    bare = number.replace(" ", "").replace(".", "")
    if len(bare) != 10 or not bare.isdecimal():
        return number
    return "\u00a0".join(bare[place : place + 2] for place in range(0, 10, 2))


def confirmed(item: Item) -> Item | None:
    """The line as a professional or a document says it, when one does."""
    return next((one for one in (item, *item.same) if one.origin.by in ("professional", "document")), None)


def value(item: Item) -> str:
    """The figure of a measure or of a target, with its unit."""
    figures = [item.details[one] for one in ("value", "systolic", "diastolic") if item.details.get(one)]
    shown = "/".join(plots.number(Decimal(one)) for one in figures)
    if item.section is Section.TARGETS:
        low, high = (Decimal(item.details[one]) if item.details.get(one) else None for one in ("low", "high"))
        return plots.range_words(low, high, unit(item.details.get("unit", "")))
    return f"{shown}\u00a0{unit(item.details.get('unit', ''))}".strip()


def _place(performer: str) -> str:
    """Somebody and their place: the name as people read it, the place as it is written."""
    who, comma, place = performer.partition(",")
    return proper(who) + comma + place


def about(item: Item) -> str:
    """What more a line says, in one short sentence; its comment stands apart."""
    said = item.details
    parts: list[str] = []
    match item.section:
        case Section.MEASURES | Section.TARGETS:
            parts = [value(item), choice("moment", said["moment"]) if said.get("moment") else ""]
        case Section.TREATMENTS:
            parts = [said.get("dosage", ""), said.get("reason", "")]
        case Section.ALLERGIES:
            parts = [said.get("reaction", ""), gettext("Risque élevé") if said.get("criticality") == "high" else ""]
        case Section.VACCINATIONS:
            stage = said.get("stage", "")
            parts = [choice("stage", stage) if stage else ""]
            parts += [
                gettext("lot %(lot)s", lot=said["lot"]) if said.get("lot") else "",
                _place(said.get("performer", "")),
            ]
        case Section.STAYS:
            long = said.get("duration", "")
            parts = [f"{long} {choice('unit', said.get('unit', 'DAY'))}" if long else ""]
        case Section.FAMILY:
            parts = [choice("relation", said.get("relation", "OTHER"))]
        case Section.DISABILITIES:
            parts = [choice("disability", one) for one in said.get("disability", "").split(",") if one]
            parts += [choice("rate", said["rate"]) if said.get("rate") else "", said.get("technical", "")]
            parts += [gettext("avec une aide humaine") if said.get("human") == "YES" else ""]
        case Section.HABITS:
            parts = [item.name]
        case Section.NETWORK:
            parts = [choice("role", said.get("role", "OTHER")), said.get("about", "")]
        case Section.CONTACTS:
            parts = [choice("contact", one) for one in said.get("contact", "").split(",") if one]
            parts += [
                choice("kinship", said.get("kinship", "OTHER")),
                *(telephone(said.get(one, "")) for one in ("mobile", "phone")),
            ]
        case _:
            pass
    return " · ".join(part for part in parts if part)


def period(item: Item) -> str:
    """When it was, or since when."""
    if item.section in (Section.BLOOD, Section.HABITS, Section.DONATION):
        # The day on which it was written stands with who wrote it.
        return ""
    if item.section is Section.VACCINATIONS or item.section is Section.MEASURES or item.section is Section.STAYS:
        return when(item.start)
    if item.start and item.start == item.end:
        return gettext("en %(when)s", when=when(item.start)) if len(item.start) < 10 else when(item.start)
    if item.start and item.end:
        return gettext("de %(start)s à %(end)s", start=when(item.start), end=when(item.end))
    if item.end:
        return gettext("jusqu’à %(end)s", end=when(item.end))
    return gettext("depuis %(start)s", start=when(item.start)) if item.start else ""


def origin(item: Item, *, mine: bool) -> str:
    """Who said it and when, in words. `mine`: the reader is the holder."""
    day = when(item.recorded)
    who = proper(item.origin.name)
    match item.origin.by:
        case "document":
            title = item.origin.title
            if title and who:
                return gettext("Lu dans « %(title)s », %(who)s, %(day)s", title=title, who=who, day=day)
            return (
                gettext("Lu dans « %(title)s », %(day)s", title=title, day=day)
                if title
                else gettext("Lu dans un document")
            )
        case "professional":
            return gettext("Noté par %(who)s, %(day)s", who=who or gettext("un professionnel"), day=day)
        case "representative" | "carer":
            return gettext("Noté par %(who)s, qui agit pour la personne, %(day)s", who=who, day=day)
        case "computed":
            return gettext("Calculé avec le poids et la taille")
        case "patient":
            return (
                gettext("Noté par vous, %(day)s", day=day) if mine else gettext("Noté par le patient, %(day)s", day=day)
            )


def none_words(part: Part, *, mine: bool) -> str:
    """ "I have none", with its date."""
    said = gettext(FACES[part.section].none)
    day = when(part.none_since)
    if mine:
        return gettext("Vous avez dit : « %(said)s », le %(day)s", said=said, day=day)
    return gettext("Le patient dit : « %(said)s », le %(day)s", said=said, day=day)


_LINKED: Mapping[tuple[Section, Section], str] = {
    (Section.TREATMENTS, Section.ILLNESSES): N_("Pour : %(names)s"),
    (Section.STAYS, Section.ILLNESSES): N_("Pour : %(names)s"),
    (Section.MEASURES, Section.ILLNESSES): N_("Pour : %(names)s"),
    (Section.ILLNESSES, Section.TREATMENTS): N_("Traitement : %(names)s"),
    (Section.ILLNESSES, Section.STAYS): N_("Hospitalisation ou acte : %(names)s"),
    (Section.ILLNESSES, Section.MEASURES): N_("Mesure suivie : %(names)s"),
    (Section.ILLNESSES, Section.ALLERGIES): N_("Réaction à : %(names)s"),
    (Section.ALLERGIES, Section.ILLNESSES): N_("A provoqué : %(names)s"),
    (Section.ALLERGIES, Section.TREATMENTS): N_("Traitement en cause : %(names)s"),
    (Section.TREATMENTS, Section.ALLERGIES): N_("Allergie signalée : %(names)s"),
}


def linked(item: Item, others: Sequence[Item]) -> str:
    """What a line goes with, in words."""
    names: dict[str, dict[str, None]] = {}
    for one in others:
        words = _LINKED.get((item.section, one.section))
        if words:
            names.setdefault(words, {})[name(one)] = None
    return " · ".join(gettext(words, names=", ".join(said)) for words, said in names.items())


def by_measure(items: Sequence[Item]) -> Sequence[Sequence[Item]]:
    """The measures of a kind together, those of the kind measured last first."""
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(item.details.get("measure", ""), []).append(item)
    return list(found.values())


def latest(part: Part) -> Sequence[Item]:
    """What a section says in short: its lines, of measures the last of each kind."""
    return [items[0] for items in by_measure(part.items)] if part.section is Section.MEASURES else part.items
