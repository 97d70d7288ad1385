"""What protects an account: how codes come, the browsers that it knows, the warnings and their answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from markupsafe import Markup
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web.agents import device_name
from ambroise.interfaces.web.entrance.protection_forms import ApplicationCodeForm, CodesByForm, ConfirmForm
from ambroise.interfaces.web.ui.i18n import gettext
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import AccountKind, CodesBy, Devices, Factors, TotpEnrolment

_PAGE = "/reglages/securite"
_APPLICATION = "/reglages/securite/application"
LAYOUTS = {
    AccountKind.CITIZEN: "ui/citizen.html",
    AccountKind.PROFESSIONAL: "ui/professional.html",
    AccountKind.OPERATOR: "ui/desk.html",
}


def protection_routes(site: Site) -> list[BaseRoute]:
    """The pages of what protects an account."""
    screen, pages = Screen(site), ProtectionPages(Factors(site.identity), Devices(site.identity))
    return [
        screen.route(_PAGE, pages.show, pages.change),
        screen.route(_APPLICATION, pages.application, pages.confirm_application),
        screen.route("/reglages/securite/appareils", change=pages.devices),
        screen.route("/alerte", pages.alert, pages.disown),
    ]


def layout_of(visit: Visit) -> str:
    """The shell of whoever is signed in; nobody else has settings."""
    session = visit.who
    if not session.live or not session.complete:
        raise Refusal(Kind.UNAUTHENTICATED, "SIGN_IN", "Sign in first.")
    return LAYOUTS[session.account.kind]


def shown(enrolment: TotpEnrolment) -> dict[str, Any]:
    """The QR code as markup (our own drawing), the secret in groups of four."""
    groups = " ".join(enrolment.secret[start : start + 4] for start in range(0, len(enrolment.secret), 4))
    return {"qr": Markup(enrolment.qr_svg), "secret": groups}  # noqa: S704 - drawn by us, from our own address.


class ProtectionPages:
    """The security page of the settings, and the page that a warning's letter leads to."""

    def __init__(self, factors: Factors, devices: Devices) -> None:
        self._factors = factors
        self._devices = devices

    async def show(self, visit: Visit) -> Response:
        return await self._show(visit)

    async def change(self, visit: Visit, form: FormData) -> Response:
        layout_of(visit)
        match str(form.get("geste")):
            case "choisir":
                return await self._choose(visit, form)
            case "ajouter":
                return await self._begin(visit, form)
            case "retirer":
                return await self._remove(visit, form)
            case "codes":
                return await self._draw(visit, form)
            case _:
                return await self._answer(visit, form)

    async def application(self, visit: Visit) -> Response:
        layout_of(visit)
        return await self._application(visit, ApplicationCodeForm())

    async def confirm_application(self, visit: Visit, form: FormData) -> Response:
        layout_of(visit)
        filled = ApplicationCodeForm.of(form)
        if filled.validate():
            try:
                codes = await self._factors.confirm_application(visit.who, filled.code.data, visit.origin)
            except Refusal as refusal:
                filled.refuse(refusal)
            else:
                return await visit.render("entrance/recovery.html", codes=codes, next=_PAGE)
        return await self._application(visit, filled, 422)

    async def devices(self, visit: Visit, form: FormData) -> Response:
        layout_of(visit)
        if form.get("geste") == "oublier-autres":
            await self._devices.forget_others(visit.who, visit.origin)
            return visit.go(_PAGE, Toast("devices-forgotten"))
        await self._devices.forget(visit.who, _id(form.get("appareil")))
        return visit.go(_PAGE, Toast("device-forgotten"))

    async def alert(self, visit: Visit) -> Response:
        found = await self._devices.alert_of_letter(visit.query.get("cle", ""))
        return await visit.render("entrance/alert.html", alert=found, device=device_name(found.agent, gettext))

    async def disown(self, visit: Visit, form: FormData) -> Response:
        await self._devices.disown_by_letter(visit.query.get("cle", ""))
        return visit.go("/retrouver", Toast("account-closed-off"))

    # How

    async def _choose(self, visit: Visit, form: FormData) -> Response:
        filled = CodesByForm.of(form)

        async def choose() -> None:
            by, password = CodesBy(filled.par.data), filled.passe.data
            await self._factors.choose(visit.who, by, password, visit.origin)

        return await self._try(visit, "choose", filled, choose, Toast("factor"))

    async def _begin(self, visit: Visit, form: FormData) -> Response:
        filled = ConfirmForm.of(form)

        async def begin() -> None:
            await self._factors.begin_application(visit.who, filled.passe.data)

        return await self._try(visit, "add", filled, begin, None, _APPLICATION)

    async def _remove(self, visit: Visit, form: FormData) -> Response:
        filled = ConfirmForm.of(form)

        async def remove() -> None:
            await self._factors.remove_application(visit.who, filled.passe.data, visit.origin)

        return await self._try(visit, "remove", filled, remove, Toast("factor"))

    async def _draw(self, visit: Visit, form: FormData) -> Response:
        filled = ConfirmForm.of(form)
        if filled.validate():
            try:
                codes = await self._factors.draw_recovery_codes(visit.who, filled.passe.data, visit.origin)
            except Refusal as refusal:
                filled.refuse(refusal)
            else:
                return await visit.render("entrance/recovery.html", codes=codes, next=_PAGE)
        return await self._show(visit, 422, {"draw": filled})

    async def _answer(self, visit: Visit, form: FormData) -> Response:
        alert = _id(form.get("alerte"))
        if form.get("geste") == "pas-moi":
            await self._devices.disown(visit.who, alert)
            response = visit.go("/retrouver", Toast("account-closed-off"))
            visit.cookies.drop(response, "session")
            return response
        await self._devices.recognise(visit.who, alert)
        return visit.go(_PAGE, Toast("alert-recognised"))

    async def _try(
        self,
        visit: Visit,
        name: str,
        form: Any,
        change: Callable[[], Awaitable[None]],
        toast: Toast | None,
        address: str = _PAGE,
    ) -> Response:
        """Make a change, or show the page again with what is wrong."""
        if form.validate():
            try:
                await change()
            except Refusal as refusal:
                form.refuse(refusal)
            else:
                return visit.go(address, toast)
        return await self._show(visit, 422, {name: form})

    async def _application(self, visit: Visit, form: Any, status: int = 200) -> Response:
        enrolment = await self._factors.application_in_progress(visit.who)
        return await visit.render("entrance/enrol.html", status, form=form, problems=form.problems, **shown(enrolment))

    async def _show(self, visit: Visit, status: int = 200, filled: Mapping[str, Any] | None = None) -> Response:
        layout = layout_of(visit)
        protection = await self._factors.protection(visit.who)
        by = protection.codes_by.value if protection.codes_by else "mail"
        possible = {channel.value for channel in protection.contacts} | ({"app"} if protection.application else set())
        forms: dict[str, Any] = {
            "choose": CodesByForm(par=by),
            "add": ConfirmForm(),
            "remove": ConfirmForm(),
            "draw": ConfirmForm(),
            **(filled or {}),
        }
        forms["choose"].par.choices = [one for one in forms["choose"].par.choices if one[0] in possible]
        for name, form in forms.items():
            for field in form:
                field.id = f"{name}-{field.id}"
        devices = [(one, device_name(one.agent, gettext)) for one in await self._devices.of(visit.who, visit.origin)]
        alerts = [(one, device_name(one.agent, gettext)) for one in await self._devices.alerts(visit.who)]
        return await visit.render(
            "entrance/protection.html",
            status,
            layout=layout,
            protection=protection,
            forms=forms,
            problems=[problem for form in (filled or {}).values() for problem in form.problems],
            devices=devices,
            alerts=alerts,
            place="reglages",
        )


def _id(text: Any) -> UUID:
    try:
        return UUID(str(text))
    except ValueError:
        raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "No such thing.") from None
