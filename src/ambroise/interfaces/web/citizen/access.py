"""Who can see my data: people, the matrix in words, emergencies, and the record as somebody else sees it."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web import categories, reasons
from ambroise.interfaces.web.citizen.forms import EmergencyForm, FilingForm
from ambroise.interfaces.web.citizen.views import (
    CitizenService,
    ConsentRequest,
    EmergencyChoices,
    FilingChoices,
    Person,
    Profession,
)
from ambroise.interfaces.web.documents import by_month
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.errors import Kind, Refusal

_GESTURES = {
    "terminer": "presence-ended",
    "bloquer": "blocked",
    "debloquer": "unblocked",
    "autoriser": "authorised",
    "retirer": "withdrawn",
    "retirer-equipe": "team-withdrawn",
}


def access_routes(screen: Screen, service: CitizenService) -> list[BaseRoute]:
    async def overview(visit: Visit) -> Response:
        ctx = visit.context()
        professions = await service.professions(ctx)
        return await visit.render(
            "citizen/access.html",
            people=await service.people(ctx),
            requests=await service.requests(ctx),
            emergency=await service.emergency_choices(ctx),
            filing=await service.filing_choices(ctx),
            professions=professions,
            profession=_chosen(professions, visit.query.get("metier")),
            place="acces",
        )

    async def one(visit: Visit) -> Response:
        person = _known(await service.people(visit.context()), visit.parameter("id"))
        return await visit.render("citizen/person.html", person=person, place="acces")

    async def change(visit: Visit, form: FormData) -> Response:
        ctx, id, gesture = visit.context(), visit.parameter("id"), str(form.get("geste"))
        acts = {
            "bloquer": service.block,
            "debloquer": service.unblock,
            "autoriser": service.authorise,
            "retirer": service.withdraw,
            "retirer-equipe": service.withdraw_team,
            "terminer": service.end_presence,
        }
        if gesture not in acts:
            raise Refusal(Kind.INVALID, "NO_SUCH_GESTURE", "Choose what to do with this person.")
        await acts[gesture](ctx, id)
        return visit.go("/acces", Toast(_GESTURES[gesture], id))

    async def look_for(visit: Visit) -> Response:
        searched = visit.query.get("nom", "")
        found = await service.find_people(visit.context(), searched) if len(searched) > 1 else []
        return await visit.render("citizen/find_people.html", searched=searched, found=found, place="acces")

    async def see_as(visit: Visit) -> Response:
        viewer = visit.query.get("qui", "")
        if not viewer:
            return visit.go("/acces#comme")
        seen = await service.see_as(visit.context(), viewer)
        return await visit.render(
            "citizen/see_as.html",
            seen=seen,
            months=by_month(seen.rows),
            words=categories,
            reasons=reasons,
            place="acces",
        )

    async def ask_emergency(visit: Visit) -> Response:
        present = await service.emergency_choices(visit.context())
        form = EmergencyForm(
            samu=_yes(present.call_centre), glace=_yes(present.break_glass), masques=_yes(present.masked)
        )
        return await visit.render("citizen/emergency.html", form=form, problems=[], place="acces")

    async def choose_emergency(visit: Visit, sent: FormData) -> Response:
        form = EmergencyForm.of(sent)
        if not form.validate():
            return await visit.render("citizen/emergency.html", 422, form=form, problems=form.problems, place="acces")
        choices = EmergencyChoices(form.samu.data == "oui", form.glace.data == "oui", form.masques.data == "oui")
        await service.choose_emergency(visit.context(), choices)
        return visit.go("/acces#urgence", Toast("emergency-settings"))

    async def ask_filing(visit: Visit) -> Response:
        present = await service.filing_choices(visit.context())
        form = FilingForm(masques=_yes(present.masked), depots="non" if present.opposed else "oui")
        return await visit.render("citizen/filing.html", form=form, problems=[], place="acces")

    async def choose_filing(visit: Visit, sent: FormData) -> Response:
        form = FilingForm.of(sent)
        if form.validate():
            opposed = form.depots.data == "non"
            choices = FilingChoices(form.masques.data == "oui", opposed, (form.motif.data or "").strip())
            try:
                await service.choose_filing(visit.context(), choices)
                return visit.go("/acces#depots", Toast("filing-settings"))
            except Refusal as refusal:
                form.refuse(refusal, "motif")
        return await visit.render("citizen/filing.html", 422, form=form, problems=form.problems, place="acces")

    async def let_structure_file(visit: Visit, form: FormData) -> Response:
        await service.let_structure_file(visit.context(), str(form.get("structure")))
        return visit.go("/acces#depots", Toast("filing-settings"))

    async def ask_answer(visit: Visit) -> Response:
        request = _waiting(await service.requests(visit.context()), visit.parameter("id"))
        return await visit.render("citizen/request.html", request=request, place="acces")

    async def answer(visit: Visit, form: FormData) -> Response:
        id, gesture = visit.id(), str(form.get("geste"))
        if gesture == "revenir":
            await service.reopen_request(visit.context(), id)
            return visit.go(f"/acces/demandes/{id}", Toast("consent-reopened"))
        if gesture not in ("accepter", "refuser"):
            raise Refusal(Kind.INVALID, "NO_SUCH_GESTURE", "Accept or refuse.")
        await service.answer_request(visit.context(), id, accept=gesture == "accepter")
        return visit.go("/acces", Toast("consent-given" if gesture == "accepter" else "consent-refused", str(id)))

    return [
        screen.route("/acces", overview),
        screen.route("/acces/demandes/{id}", ask_answer, answer),
        screen.route("/acces/chercher", look_for),
        screen.route("/acces/comme", see_as),
        screen.route("/acces/depots", ask_filing, choose_filing),
        screen.route("/acces/depots/structures", None, let_structure_file),
        screen.route("/acces/urgence", ask_emergency, choose_emergency),
        screen.route("/acces/personnes/{id}", one, change),
    ]


def _chosen(professions: Sequence[Profession], key: str | None) -> Profession | None:
    return next((one for one in professions if one.key == key), professions[0] if professions else None)


def _known(people: Sequence[Person], id: str) -> Person:
    for person in people:
        if person.id == id:
            return person
    raise Refusal(Kind.NOT_FOUND, "NO_SUCH_PERSON", "This person is not among those who may see the record.")


def _waiting(requests: Sequence[ConsentRequest], id: str) -> ConsentRequest:
    for one in requests:
        if str(one.id) == id:
            return one
    raise Refusal(Kind.GONE, "REQUEST_OVER", "This request was answered, or has expired.")


def _yes(value: bool) -> str:
    return "oui" if value else "non"
