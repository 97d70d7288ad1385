"""A forgotten password: who one is, the code, the new password. No page says whether an account exists."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web.entrance.enrolment import claim_of, contact_channel
from ambroise.interfaces.web.entrance.recovery_forms import ForgottenForm, NewPasswordForm, RecoveryCodeForm
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import Recovery
from ambroise.modules.letters.api import Channel

_HOUR = 3600
_YEAR = 365 * 24 * _HOUR


def recovery_routes(site: Site) -> list[BaseRoute]:
    """The pages of a recovery."""
    screen, pages = Screen(site), RecoveryPages(Recovery(site.identity))
    return [
        screen.route("/retrouver", pages.who, pages.begin),
        screen.route("/retrouver/code", pages.code, pages.take_code),
        screen.route("/retrouver/guichet", pages.desk, pages.ask_desk),
        screen.route("/retrouver/mot-de-passe", pages.password, pages.take_password),
    ]


class RecoveryPages:
    """Each page shows the present step, or leads to it."""

    def __init__(self, recovery: Recovery) -> None:
        self._recovery = recovery

    async def who(self, visit: Visit) -> Response:
        return await self._who(visit, ForgottenForm())

    async def begin(self, visit: Visit, form: FormData) -> Response:
        filled = ForgottenForm.of(form)
        if filled.validate():
            channel = contact_channel(filled.canal.data)
            try:
                token = await self._recovery.begin(claim_of(filled), channel, visit.origin)
            except Refusal as refusal:
                filled.refuse(refusal)
            else:
                response = visit.go("/retrouver/code")
                visit.cookies.put(response, "recovery", token, max_age=_HOUR)
                return response
        return await self._who(visit, filled, 422)

    async def code(self, visit: Visit) -> Response:
        return await self._code(visit, RecoveryCodeForm())

    async def take_code(self, visit: Visit, form: FormData) -> Response:
        token, filled = _token(visit), RecoveryCodeForm.of(form)
        if filled.validate():
            try:
                await self._recovery.prove(token, filled.code.data, visit.origin)
            except Refusal as refusal:
                if refusal.kind is Kind.FORBIDDEN:
                    raise
                filled.refuse(refusal)
            else:
                return visit.go("/retrouver/mot-de-passe")
        return await self._code(visit, filled, 422)

    async def desk(self, visit: Visit) -> Response:
        await self._recovery.present(_token(visit))
        return await visit.render("entrance/recovery_desk.html", reference=None)

    async def ask_desk(self, visit: Visit, form: FormData) -> Response:
        reference = await self._recovery.ask_desk(_token(visit))
        return await visit.render("entrance/recovery_desk.html", reference=reference)

    async def password(self, visit: Visit) -> Response:
        return await self._password(visit, NewPasswordForm())

    async def take_password(self, visit: Visit, form: FormData) -> Response:
        token, filled = _token(visit), NewPasswordForm.of(form)
        if filled.validate():
            try:
                device = await self._recovery.choose(token, filled.nouveau.data, visit.origin)
            except Refusal as refusal:
                filled.refuse(refusal)
            else:
                response = visit.go("/connexion", Toast("password-chosen"))
                visit.cookies.drop(response, "recovery")
                visit.cookies.drop(response, "session")
                visit.cookies.put(response, "device", device, max_age=_YEAR)
                return response
        return await self._password(visit, filled, 422)

    # How

    async def _who(self, visit: Visit, form: ForgottenForm, status: int = 200) -> Response:
        return await visit.render(
            "entrance/recovery_who.html",
            status,
            form=form,
            problems=form.problems,
            with_sms=Channel.SMS in self._recovery.channels,
        )

    async def _code(self, visit: Visit, form: RecoveryCodeForm, status: int = 200) -> Response:
        if (await self._recovery.present(_token(visit))).proven:
            return visit.go("/retrouver/mot-de-passe")
        return await visit.render("entrance/recovery_code.html", status, form=form, problems=form.problems)

    async def _password(self, visit: Visit, form: Any, status: int = 200) -> Response:
        present = await self._recovery.present(_token(visit))
        if not present.proven:
            return visit.go("/retrouver/code")
        return await visit.render(
            "entrance/recovery_password.html", status, form=form, problems=form.problems, name=present.sign_in_name
        )


def _token(visit: Visit) -> str:
    token = visit.cookies.get("recovery")
    if token is None:
        raise Refusal(Kind.GONE, "SESSION_TIMED_OUT", "Start again.")
    return token
