"""Coming in and going out: signing in with two factors, the demonstration list, the language, the settings."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web.entrance.coming_in import HOMES, YEAR, enter, half_open, keep, next_of, said
from ambroise.interfaces.web.entrance.enrolment import contact_channel
from ambroise.interfaces.web.entrance.forms import CodeForm, FirstCodeForm, PasswordForm, SignInForm
from ambroise.interfaces.web.entrance.protection import layout_of, shown
from ambroise.interfaces.web.ui.i18n import LANGUAGES, N_, gettext
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Read, Screen, Site, Visit, local_address, whole, with_query
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import (
    AccountKind,
    Factors,
    NotSignedIn,
    SignedIn,
    SignInProblem,
)

_WHY = {
    "duree": N_("Votre session s’est fermée, faute d’activité."),
    "brouillon": N_(
        "Votre session s’est fermée, faute d’activité. Ce que vous aviez écrit est gardé : vous le retrouverez."
    ),
}


def entrance_routes(site: Site) -> list[BaseRoute]:
    """The routes that everybody reaches."""
    screen = Screen(site)
    return [
        screen.route("/", _home),
        screen.route("/connexion", _sign_in, _try_password),
        screen.route("/connexion/code", _ask_code, _try_code),
        screen.route("/connexion/activer", _begin_enrolment, _confirm_enrolment),
        screen.route("/etre", _people, _be),
        screen.route("/deconnexion", change=_sign_out),
        screen.route("/langue", change=_change_language),
        screen.route("/reglages", _settings, _change_settings),
        screen.route("/reglages/mot-de-passe", _password, _change_password),
        screen.route("/aide", _page("entrance/help.html")),
        screen.route("/accessibilite", _page("entrance/accessibility.html")),
        screen.route("/vie-privee", _page("entrance/privacy.html")),
    ]


async def _home(visit: Visit) -> Response:
    if visit.session is not None and visit.session.live and visit.session.complete:
        return visit.go(HOMES[visit.session.account.kind])
    return visit.go("/etre" if visit.site.demonstration else "/connexion")


async def _sign_in(visit: Visit) -> Response:
    return await show_sign_in(visit, SignInForm())


async def _try_password(visit: Visit, form: FormData) -> Response:
    filled = SignInForm.of(form)
    if not filled.validate():
        return await show_sign_in(visit, filled, 422)
    answer = await visit.site.identity.sign_in(filled.identifiant.data, filled.passe.data, visit.origin)
    if isinstance(answer, NotSignedIn):
        filled.general.append(said(answer))
        return await show_sign_in(visit, filled, 422)
    if answer.complete:
        return await enter(visit, answer, next_of(visit, answer))
    step = await _second_step(visit, answer)
    return await enter(visit, answer, with_query(step, suite=visit.query.get("suite")))


async def _second_step(visit: Visit, answer: SignedIn) -> str:
    """Where the second factor is shown; a code is on its way already when nothing else could be shown."""
    factors = Factors(visit.site.identity)
    ways = await factors.ways(answer.token)
    if answer.account.has_passkey:
        return "/connexion/code"
    if not ways:
        return "/connexion/activer"
    if not ways.application:
        with suppress(Refusal):
            await factors.send(answer.token, next(iter(ways.sent)), language=visit.language)
    return "/connexion/code"


async def show_sign_in(visit: Visit, form: SignInForm, status: int = 200) -> Response:
    """The page where people come in."""
    why = _WHY.get(visit.query.get("fin", ""))
    federation = visit.site.federation
    return await visit.render(
        "entrance/sign_in.html",
        status,
        form=form,
        problems=form.problems,
        why=gettext(why) if why else None,
        partners=federation.offered(AccountKind.CITIZEN, AccountKind.PROFESSIONAL) if federation else [],
        following=visit.query.get("suite"),
    )


async def _ask_code(visit: Visit) -> Response:
    return await show_code(visit, CodeForm())


async def _try_code(visit: Visit, form: FormData) -> Response:
    token = half_open(visit)
    if form.get("canal"):
        return await _send_code(visit, token, str(form.get("canal")))
    filled = CodeForm.of(form)
    if filled.validate():
        answer = await visit.site.identity.verify_code(
            token, filled.code.data, visit.origin, remember=filled.retenir.data
        )
        if isinstance(answer, SignedIn):
            return await enter(visit, answer, next_of(visit, answer))
        if answer.problem is SignInProblem.CODE_WRONG:
            filled.code.errors = [said(answer)]
        else:
            filled.general.append(said(answer))
    return await show_code(visit, filled, 422)


async def _send_code(visit: Visit, token: str, channel: str) -> Response:
    form = CodeForm()
    try:
        await Factors(visit.site.identity).send(token, contact_channel(channel), language=visit.language)
    except Refusal as refusal:
        form.refuse(refusal)
        return await show_code(visit, form, 422)
    return visit.go(with_query("/connexion/code", suite=visit.query.get("suite")), Toast("code-sent"))


async def show_code(visit: Visit, form: CodeForm, status: int = 200) -> Response:
    """The page that asks for the second factor."""
    ways = await Factors(visit.site.identity).ways(half_open(visit))
    may_trust = visit.who.account.kind is AccountKind.CITIZEN
    return await visit.render(
        "entrance/code.html", status, form=form, problems=form.problems, ways=ways, may_trust=may_trust
    )


async def _begin_enrolment(visit: Visit) -> Response:
    enrolment = await visit.site.identity.begin_second_factor(half_open(visit))
    return await visit.render("entrance/enrol.html", form=FirstCodeForm(), problems=[], **shown(enrolment))


async def _confirm_enrolment(visit: Visit, form: FormData) -> Response:
    token = half_open(visit)
    filled = FirstCodeForm.of(form)
    enrolment = await visit.site.identity.second_factor_in_progress(token)
    if filled.validate():
        answer = await visit.site.identity.confirm_second_factor(token, filled.code.data, visit.origin)
        if not isinstance(answer, NotSignedIn):
            signed, codes = answer
            visit.token = signed.token
            visit.session = await visit.site.identity.session(signed.token)
            page = await visit.render("entrance/recovery.html", codes=codes, next=next_of(visit, signed))
            keep(visit, page, signed)
            return page
        filled.code.errors = [said(answer)]
    return await visit.render("entrance/enrol.html", 422, form=filled, problems=filled.problems, **shown(enrolment))


async def _people(visit: Visit) -> Response:
    if not visit.site.demonstration:
        raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "Only a demonstration has this page.")
    words = visit.query.get("nom", "")
    identity = visit.site.identity
    async with identity.database.reader() as reader:
        lists = [
            (
                kind,
                await identity.demonstration_people(reader, kind, words, 8 if kind is not AccountKind.OPERATOR else 6),
            )
            for kind in (AccountKind.CITIZEN, AccountKind.PROFESSIONAL, AccountKind.OPERATOR)
        ]
    return await visit.render("entrance/people.html", lists=lists, words=words)


async def _be(visit: Visit, form: FormData) -> Response:
    try:
        account = UUID(str(form.get("personne")))
    except ValueError:
        raise Refusal(Kind.NOT_FOUND, "NO_SUCH_PERSON", "No demonstration person has this id.") from None
    signed = await visit.site.identity.be(account, visit.origin)
    return await enter(visit, signed, next_of(visit, signed))


async def _sign_out(visit: Visit, form: FormData) -> Response:
    came_by, everywhere = None, False
    if visit.token:
        if visit.site.federation is not None:
            came_by = await visit.site.federation.came_from(visit.token)
        everywhere = visit.site.portal is not None and await visit.site.portal.leave(visit.token)
        await visit.site.identity.sign_out(visit.token)
    if came_by is not None:
        visit.session = None
        response = await visit.render("federation/left.html", partner=came_by[0], reference=came_by[1])
    else:
        response = visit.go("/etre" if visit.site.demonstration else "/connexion", Toast("signed-out"))
    visit.cookies.drop(response, "session")
    if everywhere:
        visit.cookies.drop(response, "signon")
    return response


async def _change_language(visit: Visit, form: FormData) -> Response:
    chosen = str(form.get("langue"))
    response = visit.go(local_address(str(form.get("suite") or "/")))
    if chosen in LANGUAGES:
        visit.cookies.put(response, "language", chosen, max_age=YEAR)
    return response


async def _settings(visit: Visit) -> Response:
    layout = layout_of(visit)
    return await visit.render("entrance/settings.html", layout=layout, place="reglages")


async def _change_settings(visit: Visit, form: FormData) -> Response:
    if form.get("geste") == "deconnecter-partout":
        await visit.site.identity.sign_out_everywhere(visit.who)
    number = whole(form.get("situation"))
    if number is not None:
        async with visit.site.identity.database.transaction() as tx:
            await visit.site.identity.choose_situation(tx, visit.who, number)
    response = visit.go("/reglages", Toast("settings"))
    if (theme := form.get("theme")) in ("light", "dark", "auto"):
        visit.cookies.put(response, "theme", str(theme), max_age=YEAR)
    if (language := form.get("langue")) in LANGUAGES:
        visit.cookies.put(response, "language", str(language), max_age=YEAR)
    return response


async def _password(visit: Visit) -> Response:
    return await visit.render(
        "entrance/password.html", layout=layout_of(visit), form=PasswordForm(), problems=[], place="reglages"
    )


async def _change_password(visit: Visit, form: FormData) -> Response:
    layout = layout_of(visit)
    filled = PasswordForm.of(form)
    if filled.validate():
        try:
            if await visit.site.identity.change_password(
                visit.who, filled.passe.data, filled.nouveau.data, visit.origin
            ):
                return visit.go("/reglages", Toast("password"))
            filled.passe.errors = [gettext("Ce n’est pas votre mot de passe actuel")]
        except Refusal as refusal:
            filled.refuse(refusal)
    return await visit.render(
        "entrance/password.html", 422, layout=layout, form=filled, problems=filled.problems, place="reglages"
    )


def _page(template: str) -> Read:
    async def read(visit: Visit) -> Response:
        return await visit.render(template)

    return read
