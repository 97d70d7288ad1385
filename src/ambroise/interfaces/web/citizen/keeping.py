"""Keeping some documents from one person: by category, or one document at a time, for a while or for good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol
from uuid import UUID

from msgspec import Struct
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import DateField, SelectField
from wtforms.validators import Optional, ValidationError

from ambroise.interfaces.web import categories
from ambroise.interfaces.web.citizen.views import DocumentPage, Person
from ambroise.interfaces.web.ui import dates
from ambroise.interfaces.web.ui.forms import Form, Required, Ticks
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.trust.context import Context


class Kept(Struct, frozen=True):
    """What is kept from one person. `categories`: the sorts of documents; `document`: the one document otherwise."""

    id: UUID
    person: str
    name: str
    since: datetime
    until: datetime | None
    categories: Sequence[str] = ()
    document: str | None = None


class KeepingService(Protocol):
    """What these pages ask for."""

    async def people(self, ctx: Context) -> Sequence[Person]: ...

    async def about(self, ctx: Context, id: str) -> DocumentPage: ...

    async def kept(self, ctx: Context, *, person: str = "", document: str = "") -> Sequence[Kept]:
        """What is kept from this person, or from whom this document is kept; nothing that is over."""
        ...

    async def keep_categories(
        self, ctx: Context, person: str, categories: Sequence[str], until: datetime | None
    ) -> None: ...

    async def keep_document(self, ctx: Context, person: str, document: str, until: datetime | None) -> None: ...

    async def lift(self, ctx: Context, id: UUID) -> None: ...


class _UntilForm(Form):
    jusqua = DateField(
        lazy(N_("Jusqu’au (facultatif)")),
        [Optional()],
        description=lazy(N_("Sans date, jusqu’à ce que vous changiez d’avis.")),
    )

    def validate_jusqua(self, field: Any) -> None:
        if field.data is not None and field.data < self.today:
            raise ValidationError(gettext("Choisissez une date à venir"))

    today: date = date.min


class CategoriesForm(_UntilForm):
    categories = Ticks(
        lazy(N_("Documents à lui cacher")),
        [Required(N_("Choisissez au moins une sorte de documents"))],
        choices=[(code, lazy(name)) for code, name in categories.CATEGORIES.items()],
    )


class PersonForm(_UntilForm):
    personne = SelectField(
        lazy(N_("À qui le cacher")), [Required(N_("Choisissez une personne"))], validate_choice=False
    )


def keeping_routes(screen: Screen, service: KeepingService) -> list[BaseRoute]:
    async def of_person(visit: Visit) -> Response:
        return await _person(visit, CategoriesForm())

    async def from_person(visit: Visit, sent: FormData) -> Response:
        id = visit.parameter("id")
        if sent.get("lever"):
            return await _lift(visit, sent, f"/acces/personnes/{id}/limites")
        form = CategoriesForm.of(sent)
        form.today = dates.as_day(visit.now)
        if not form.validate():
            return await _person(visit, form, 422)
        await service.keep_categories(visit.context(), id, form.categories.data, end_of(form.jusqua.data))
        return visit.go(f"/acces/personnes/{id}/limites", Toast("kept"))

    async def _person(visit: Visit, form: Any, status: int = 200) -> Response:
        ctx, id = visit.context(), visit.parameter("id")
        person = next((one for one in await service.people(ctx) if one.id == id), None)
        if person is None:
            raise Refusal(Kind.NOT_FOUND, "NO_SUCH_PERSON", "This person is not among those who may see the record.")
        kept = await service.kept(ctx, person=id)
        return await _page(visit, form, status, person=person, document=None, kept=kept)

    async def of_document(visit: Visit) -> Response:
        return await _document(visit, PersonForm())

    async def from_document(visit: Visit, sent: FormData) -> Response:
        id = visit.parameter("id")
        if sent.get("lever"):
            return await _lift(visit, sent, f"/documents/{id}/limites")
        form = PersonForm.of(sent)
        form.today = dates.as_day(visit.now)
        if not form.validate():
            return await _document(visit, form, 422)
        await service.keep_document(visit.context(), form.personne.data, id, end_of(form.jusqua.data))
        return visit.go(f"/documents/{id}/limites", Toast("kept"))

    async def _document(visit: Visit, form: Any, status: int = 200) -> Response:
        ctx, id = visit.context(), visit.parameter("id")
        page = await service.about(ctx, id)
        people = [one for one in await service.people(ctx) if one.state not in ("blocked", "treating", "administrator")]
        form.personne.choices = [("", gettext("Choisir…")), *((one.id, one.name) for one in people)]
        kept = await service.kept(ctx, document=id)
        return await _page(visit, form, status, person=None, document=page.row, kept=kept, people=people)

    async def _lift(visit: Visit, sent: FormData, back: str) -> Response:
        try:
            id = UUID(str(sent.get("lever")))
        except ValueError:
            raise Refusal(Kind.NOT_FOUND, "NO_SUCH_RESTRICTION", "Nothing is kept under this id.") from None
        await service.lift(visit.context(), id)
        return visit.go(back, Toast("kept-no-more"))

    async def _page(visit: Visit, form: Any, status: int, **values: Any) -> Response:
        return await visit.render(
            "citizen/keeping.html", status, form=form, problems=form.problems, words=categories, place="acces", **values
        )

    return [
        screen.route("/acces/personnes/{id}/limites", of_person, from_person),
        screen.route("/documents/{id}/limites", of_document, from_document),
    ]


def end_of(day: date | None) -> datetime | None:
    """The end of a day in Paris."""
    return None if day is None else datetime.combine(day + timedelta(days=1), time(), dates.PARIS)
