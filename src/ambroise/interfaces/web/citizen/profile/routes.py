"""The pages of the medical profile: the whole, a section, a line, what is typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from markupsafe import escape
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web import profiles
from ambroise.interfaces.web.citizen.profile import network
from ambroise.interfaces.web.citizen.profile.boxes import box_routes
from ambroise.interfaces.web.citizen.profile.emergency import emergency_routes
from ambroise.interfaces.web.citizen.profile.forms import FORMS, LIST_OF, draft_of, values_of
from ambroise.interfaces.web.citizen.profile.papers import paper_routes
from ambroise.interfaces.web.citizen.profile.spaces import space_of
from ambroise.interfaces.web.growing import drawings
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import identity_of
from ambroise.modules.profile.api import (
    DECLARABLE,
    EXPECTED,
    Code,
    EmergencyCodes,
    Item,
    Profile,
    Section,
    Sheet,
    boxes,
    codes,
    links,
)
from ambroise.modules.record.api import Record

_SHOWN = (*EXPECTED, Section.DONATION)


def profile_routes(
    screen: Screen, profile: Profile, record: Record, codes_of_emergency: EmergencyCodes
) -> list[BaseRoute]:
    """The pages of one's medical profile."""

    async def overview(visit: Visit) -> Response:
        ctx = visit.context()
        sheet = await profile.sheet(ctx, space_of(ctx))
        return await visit.render(
            "citizen/profile.html", sheet=sheet, sections=_SHOWN, profiles=profiles, place="profil"
        )

    async def section(visit: Visit) -> Response:
        ctx, which = visit.context(), _section(visit)
        wanted = {which, *links.neighbours(which), *({Section.TARGETS} if which is Section.MEASURES else ())}
        sheet = await profile.sheet(ctx, space_of(ctx), wanted)
        part = sheet[which]
        measured = await _measured(visit, sheet) if which is Section.MEASURES else {}
        async with profile.database.reader() as reader:
            offices = await network.offices(reader, part.items) if which is Section.NETWORK else {}
        return await visit.render(
            "citizen/profile_section.html",
            part=part,
            face=profiles.FACES[which],
            declarable=which in DECLARABLE,
            targets=sheet[Section.TARGETS].items if which is Section.MEASURES else (),
            linked=links.web(sheet),
            offices=offices,
            profiles=profiles,
            **measured,
            place="profil",
        )

    async def _measured(visit: Visit, sheet: Sheet) -> Mapping[str, Any]:
        """The drawings of the measures."""
        async with profile.database.reader() as reader:
            known = await identity_of(reader, space_of(visit.context()))
        born, sex = (known.traits.birth_date, known.traits.sex) if known else (None, None)
        return drawings(sheet, born, sex or "", dates.as_day(visit.now))

    async def change_section(visit: Visit, sent: FormData) -> Response:
        ctx, which, act = visit.context(), _section(visit), str(sent.get("geste"))
        patient = space_of(ctx)
        async with profile.database.transaction() as tx:
            if act in ("aucun", "oublier"):
                await profile.declare_none(tx, ctx, patient, which, none=act == "aucun")
            elif act in ("cacher", "montrer"):
                await profile.hide_section(tx, ctx, patient, which, hidden=act == "cacher")
        return visit.go(_address(which), Toast("profile-saved"))

    async def adding(visit: Visit) -> Response:
        if _section(visit) is Section.NETWORK and visit.query.get("rpps"):
            async with profile.database.reader() as reader:
                form = await network.picked(reader, visit.query["rpps"])
            if form is not None:
                return await _form(visit, form)
        return await _form(visit, FORMS[_section(visit)].drafted(await visit.draft()))

    async def add(visit: Visit, sent: FormData) -> Response:
        return await _keep(visit, sent, None)

    async def changing(visit: Visit) -> Response:
        item = await _item(visit)
        return await _form(visit, FORMS[item.section](**values_of(item)), item=item)

    async def change(visit: Visit, sent: FormData) -> Response:
        item, act = await _item(visit), str(sent.get("geste"))
        if act not in ("cacher", "montrer", "supprimer"):
            return await _keep(visit, sent, item)
        ctx = visit.context()
        async with profile.database.transaction() as tx:
            if act == "supprimer":
                await profile.remove(tx, ctx, space_of(ctx), item.reference)
            else:
                await profile.hide(tx, ctx, space_of(ctx), item.reference, hidden=act == "cacher")
        return visit.go(_address(item.section), Toast("profile-removed" if act == "supprimer" else "profile-saved"))

    async def suggestions(visit: Visit) -> Response:
        list = visit.parameter("list")
        if list not in codes.LISTS:
            raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "No such list.")
        async with profile.database.reader() as reader:
            found = await codes.search(reader, cast(Any, list), visit.query.get("name", "")[:100])
        options = "".join(f'<option value="{escape(one.label)}">{escape(one.code)}</option>' for one in found)
        return HTMLResponse(options, headers={"cache-control": "no-store"})

    async def _keep(visit: Visit, sent: FormData, item: Item | None) -> Response:
        ctx, which = visit.context(), item.section if item else _section(visit)
        form = FORMS[which].of(sent)
        if not form.validate():
            return await _form(visit, form, 422, item=item)
        try:
            async with profile.database.transaction() as tx:
                if which is Section.NETWORK and not await network.known(tx, str(form.id.data or "")):
                    form.id.data = ""
                draft = draft_of(which, form, await _code(profile, tx, which, form, item))
                if item is None:
                    await profile.add(tx, ctx, space_of(ctx), draft)
                else:
                    await profile.change(tx, ctx, space_of(ctx), item.reference, draft)
        except Refusal as refusal:
            if refusal.kind not in (Kind.UNPROCESSABLE, Kind.CONFLICT):
                raise
            element = refusal.element or ""
            form.refuse(refusal, "value" if element in ("systolic", "diastolic") else None)
            return await _form(visit, form, 422, item=item)
        shown = Section.MEASURES if which is Section.TARGETS else which
        return visit.go(_address(shown), Toast("profile-saved"))

    async def _scanned(visit: Visit, form: Any, kind: str, words: str) -> Response:
        return await _form(visit, form, which=Section.VACCINATIONS, note=(kind, words))

    async def _form(
        visit: Visit,
        form: Any,
        status: int = 200,
        *,
        item: Item | None = None,
        which: Section | None = None,
        note: tuple[str, str] | None = None,
    ) -> Response:
        which = which or (item.section if item else _section(visit))
        if which is Section.BLOOD:
            groups = [(one.label, profiles.blood(one.label)) for one in codes.published("blood_group")]
            form.name.choices = [("", "—"), *groups]
        if which in links.TO:
            ctx, to = visit.context(), links.TO[which]
            there = (await profile.sheet(ctx, space_of(ctx), (to,)))[to].items
            form.links.choices = [
                (one.reference, profiles.name(one)) for one in there if not (one.hidden or one.withheld or one.denied)
            ]
        return await visit.render(
            "citizen/profile_item.html",
            status,
            form=form,
            note=note,
            action=_address(which) + "/ajouter" if note else "",
            problems=form.problems,
            item=item,
            section=which,
            face=profiles.FACES[which],
            many=("contact", "disability", "links"),
            suggests=which in LIST_OF and which is not Section.BLOOD,
            profiles=profiles,
            place="profil",
        )

    async def _item(visit: Visit) -> Item:
        ctx = visit.context()
        return await profile.item(ctx, space_of(ctx), _section(visit), visit.parameter("id"))

    return [
        screen.route("/profil", overview),
        screen.route("/profil/codes/{list}", suggestions),
        *paper_routes(screen, profile, record),
        *emergency_routes(screen, profile, codes_of_emergency),
        *box_routes(screen, profile, _scanned),
        screen.route("/profil/{section}", section, change_section),
        screen.route("/profil/{section}/ajouter", adding, add),
        screen.route("/profil/{section}/{id}", changing, change),
    ]


async def _code(profile: Profile, reader: Any, section: Section, form: Any, item: Item | None) -> Code | None:
    """The code of what was typed or chosen; that of the line when its name did not change."""
    if section not in LIST_OF:
        return None
    typed = str(form.name.data or "")
    if item is not None and item.code is not None and typed == item.name:
        return item.code
    cip = str(form.cip.data or "") if section is Section.VACCINATIONS else ""
    if cip.isdecimal() and len(cip) == 13:
        # The box says which product it is, whatever the person calls it.
        return await codes.named_by(reader, "presentation", cip) or Code(boxes.CIP, cip, typed)
    return await codes.exactly(reader, cast(Any, LIST_OF[section]), typed)


def _section(visit: Visit) -> Section:
    found = profiles.BY_ADDRESS.get(visit.parameter("section"))
    if found is None:
        raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "No such section.")
    return found


def _address(section: Section) -> str:
    return f"/profil/{profiles.FACES[section].address}"
