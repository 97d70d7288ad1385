"""What the desk does for somebody who stands there: say who it is, tick that they were seen, hand over a code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms.validators import ValidationError

from ambroise.interfaces.web.ui.forms import Form
from ambroise.interfaces.web.ui.i18n import gettext
from ambroise.interfaces.web.ui.proof import Act
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.errors import Refusal
from ambroise.modules.identity.api import Account, require_identity_duty
from ambroise.trust.context import Context


class SeenForm(Form):
    """Each page has its own `identifiant` and `vu`; nothing is done before the person was seen."""

    def validate_vu(self, field: Any) -> None:
        if not field.data:
            raise ValidationError(gettext("Cochez que vous avez vu la personne"))


class FaceToFace(Struct, frozen=True):
    """One such page: `hand` does it, and `tell` says on the form what it refuses, if that is for the form to say."""

    path: str
    template: str
    form: type[SeenForm]
    hand: Callable[[Context, str], Awaitable[tuple[Account, str | None]]]
    tell: Callable[[SeenForm, Refusal], bool]

    def route(self, screen: Screen) -> BaseRoute:
        """The page, for operators who check identities."""
        return screen.route(self.path, self._ask, self._do, proof=Act.IDENTITIES)

    async def _ask(self, visit: Visit) -> Response:
        require_identity_duty(visit.context())
        return await self._page(visit, self.form())

    async def _do(self, visit: Visit, sent: FormData) -> Response:
        require_identity_duty(visit.context())
        form: Any = self.form.of(sent)
        if not form.validate():
            return await self._page(visit, form, 422)
        try:
            account, code = await self.hand(visit.context(), str(form.identifiant.data))
        except Refusal as refusal:
            if not self.tell(form, refusal):
                raise
            return await self._page(visit, form, 422)
        return await self._page(visit, self.form(), name=account.display_name, code=code or "")

    async def _page(self, visit: Visit, form: SeenForm, status: int = 200, **given: str) -> Response:
        return await visit.render(self.template, status, form=form, problems=form.problems, given=given, place="acces")
