"""The summary that a doctor reads in twenty seconds, and the allergies on top of every page of a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web import prescribed, profiles
from ambroise.interfaces.web import prevention as prevention_words
from ambroise.interfaces.web.professional import rules
from ambroise.interfaces.web.professional.banner import banner_of
from ambroise.interfaces.web.professional.views import ProfessionalService
from ambroise.interfaces.web.results import result, titled
from ambroise.interfaces.web.ui import plots
from ambroise.interfaces.web.ui.i18n import gettext, ngettext
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.modules.prevention.api import Item as Asked
from ambroise.modules.prevention.api import Prevention, State
from ambroise.modules.profile.api import Item, Order, Part, Profile, Section, Sheet, links
from ambroise.modules.record.api import Document
from ambroise.trust.context import Context

_FIRST = (Section.ILLNESSES, Section.TREATMENTS, Section.ALLERGIES)
_THEN = (Section.VACCINATIONS, Section.STAYS, Section.FAMILY, Section.DISABILITIES)
_LAST = (Section.HABITS, Section.NETWORK, Section.CONTACTS)
_MOST_ALERTS, _MOST_RESULTS = 3, 8
# Read to find the last of each analysis: the same ones come back at each visit.
_RESULTS_READ = 40
_MOST_STAYS, _MOST_COMING = 3, 6
_OF_A_STAY = ("11490-0", "34112-3", "34874-8", "15507-7")
"""JDV_J07: letter at discharge, report of a stay, of an operation, of a visit to the emergencies."""
_AHEAD = timedelta(days=366)


class Latest(Struct, frozen=True):
    """One result as the summary says it."""

    name: str
    value: str
    reference: str
    flag: str
    day: str
    document: str


class Next(Struct, frozen=True):
    """What comes next: what it is, when, and how pressing it is (look, icon, words)."""

    name: str
    when: str
    chip: tuple[str, str, str]


def summary_routes(
    screen: Screen, service: ProfessionalService, profile: Profile, prevention: Prevention | None
) -> list[BaseRoute]:
    async def summary(visit: Visit) -> Response:
        patient = visit.id("patient")
        ctx = visit.context(patient)
        identity, standing = await service.identity(ctx, patient), await service.standing(ctx, patient)
        if not standing.allowed:
            # The page of the record says why, and what one can lawfully do.
            return visit.go(f"/pro/patients/{patient}")
        sheet = await profile.sheet(ctx, patient)
        return await visit.render(
            "professional/summary.html",
            banner=banner_of(identity, standing, visit, allergies(sheet[Section.ALLERGIES])),
            emergency=visit.who.emergency_for(patient),
            why=rules.read_as(standing.rule),
            base=f"/pro/patients/{patient}",
            first=[sheet[section] for section in _FIRST],
            then=[sheet[section] for section in _THEN],
            last=[sheet[section] for section in _LAST if sheet[section].told],
            measures=latest(sheet),
            blood=next(iter(sheet[Section.BLOOD].items), None),
            results=await _results(profile, ctx, patient),
            ordered=prescribed.together(one for one in await profile.running(ctx, patient) if not _told(one, sheet)),
            stayed=await _stayed(profile, ctx, patient),
            taken=prescribed.taken,
            until=prescribed.until,
            coming=await _coming(profile, prevention, ctx, patient),
            linked=links.web(sheet),
            unread=[part for part in sheet.parts.values() if not part.readable],
            profiles=profiles,
            place="patients",
            section="synthese",
        )

    return [screen.route("/pro/patients/{patient}/synthese", summary)]


async def alerts_of(profile: Profile | None, ctx: Context, patient: UUID) -> list[tuple[str, str, str]]:
    """The allergies of a record that is open, for the line on top of its pages."""
    if profile is None:
        return []
    return allergies((await profile.sheet(ctx, patient, (Section.ALLERGIES,)))[Section.ALLERGIES])


def allergies(part: Part) -> list[tuple[str, str, str]]:
    """What the banner says of allergies: the first ones by name, or that there is none; nothing when none is known."""
    known = [item for item in part.items if item.active and not item.denied]
    said = [("late", "triangle-alert", gettext("Allergie : %(what)s", what=item.name)) for item in known[:_MOST_ALERTS]]
    if len(known) > _MOST_ALERTS:
        more = len(known) - _MOST_ALERTS
        said_more = ngettext("et %(count)s autre allergie", "et %(count)s autres allergies", more)
        said.append(("late", "triangle-alert", said_more))
    if part.none_since and not known:
        said.append(("done", "check", gettext("Pas d’allergie, dit le patient")))
    return said


def latest(sheet: Sheet) -> Sequence[Item]:
    """The last value of each measure."""
    found: dict[str, Item] = {}
    for item in sheet[Section.MEASURES].items:
        found.setdefault(item.details.get("measure", ""), item)
    return tuple(found.values())


async def _stayed(profile: Profile, ctx: Context, patient: UUID) -> Sequence[Document]:
    """The last documents of stays and operations: few of them are told line by line."""
    async with profile.database.reader() as reader:
        found = await profile.documents(reader, ctx, patient, ",".join(_OF_A_STAY))
    return found[:_MOST_STAYS]


def _told(order: Order, sheet: Sheet) -> bool:
    """Whether a line of the treatments says the same medicine by its name."""
    name = order.name.casefold()
    return any(item.active and item.name.casefold() == name for item in sheet[Section.TREATMENTS].items)


async def _coming(profile: Profile, prevention: Prevention | None, ctx: Context, patient: UUID) -> Sequence[Next]:
    """The planned stays, then what prevention asks for now, then what it will ask for within a year."""
    found = [_stay(one) for one in await profile.planned(ctx, patient, _MOST_STAYS)]
    if prevention is not None:
        async with profile.database.reader() as reader:
            calendar = await prevention.calendar(reader, ctx, patient)
        until = calendar.today + _AHEAD
        asked = [one for one in calendar.items if one.waits or one.alarmed]
        items = asked + [one for one in calendar.items if one.state is State.TO_COME and one.due <= until]
        items.sort(key=lambda one: (not one.alarmed, not one.waits, one.due))
        found += [_asked(one) for one in items]
    return found[:_MOST_COMING]


def _stay(encounter: Mapping[str, Any]) -> Next:
    kinds = [*(encounter.get("type") or ()), encounter.get("serviceType") or {}, encounter.get("class") or {}]
    names = (
        one.get("text") or one.get("display") or next(iter(one.get("coding") or ({},))).get("display") for one in kinds
    )
    day = str((encounter.get("period") or {}).get("start", ""))[:10]
    name = next(filter(None, names), gettext("Hospitalisation"))
    return Next(name, profiles.when(day), ("self", "building", gettext("Hospitalisation prévue")))


def _asked(item: Asked) -> Next:
    look, picture, said = prevention_words.STATES[item.state]
    return Next(prevention_words.title_of(item), profiles.when(item.due.isoformat()), (look, picture, gettext(said)))


async def _results(profile: Profile, ctx: Context, patient: UUID) -> Sequence[Latest]:
    """The last result of each analysis."""
    shown: list[Latest] = []
    for one in await profile.results(ctx, patient, _RESULTS_READ):
        told = result(one, ())
        if len(shown) == _MOST_RESULTS or any(known.name == titled(told) for known in shown):
            continue
        words = {
            "high": gettext("Haut"),
            "low": gettext("Bas"),
            "abnormal": gettext("Anormal"),
            "resistant": gettext("Résistant"),
            "intermediate": gettext("Intermédiaire"),
            "sensitive": gettext("Sensible"),
        }
        source = str((one.get("meta") or {}).get("source", ""))
        shown.append(
            Latest(
                titled(told),
                told.value,
                plots.range_words(told.low, told.high),
                words.get(told.flag or "", ""),
                profiles.when(str(one.get("effectiveDateTime", ""))[:10]),
                source.partition("/")[2].partition("#")[0] if source.startswith("DocumentReference/") else "",
            )
        )
    return shown
