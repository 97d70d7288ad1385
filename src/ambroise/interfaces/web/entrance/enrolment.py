"""Opening an account: who one is, a code, contacts, credentials, terms; and the letter box of a demonstration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute

from ambroise.interfaces.web.entrance.enrolment_forms import (
    AccessForm,
    MailForm,
    PhoneForm,
    ProofForm,
    TermsForm,
    WhoForm,
)
from ambroise.interfaces.web.letters import words_of
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import Claim, Enrolment, Enrolments, EnrolmentStep
from ambroise.modules.letters.api import Channel
from ambroise.modules.space.api import TERMS

_PAGES = {
    EnrolmentStep.IDENTIFIED: "/inscription/code",
    EnrolmentStep.CODE_SENT: "/inscription/code",
    EnrolmentStep.PROVEN: "/inscription/contacts",
    EnrolmentStep.CONTACTS_OK: "/inscription/acces",
    EnrolmentStep.CREDENTIALS_OK: "/inscription/conditions",
}
_HOUR = 3600


def enrolment_routes(site: Site, enrolments: Enrolments) -> list[BaseRoute]:
    """The pages of an enrolment."""
    screen, pages = Screen(site), EnrolmentPages(enrolments)
    return [
        screen.route("/inscription", pages.who, pages.identify),
        screen.route("/inscription/code", pages.code, pages.take_code),
        screen.route("/inscription/contacts", pages.contacts, pages.take_contact),
        screen.route("/inscription/acces", pages.access, pages.take_access),
        screen.route("/inscription/conditions", pages.terms, pages.take_terms),
        screen.route("/courrier", pages.letter_box),
    ]


class EnrolmentPages:
    """Each page shows the present step, or leads to it."""

    def __init__(self, enrolments: Enrolments) -> None:
        self._enrolments = enrolments

    async def who(self, visit: Visit) -> Response:
        return await self._who(visit, WhoForm())

    async def identify(self, visit: Visit, form: FormData) -> Response:
        filled = WhoForm.of(form)
        if filled.validate():
            try:
                token, begun = await self._enrolments.begin(claim_of(filled), visit.origin)
            except Refusal as refusal:
                filled.refuse(refusal)
            else:
                response = visit.go(_PAGES[begun.step])
                visit.cookies.put(response, "enrolment", token, max_age=_HOUR)
                return response
        return await self._who(visit, filled, 422)

    async def code(self, visit: Visit) -> Response:
        return await self._at(visit, "code", ProofForm())

    async def take_code(self, visit: Visit, form: FormData) -> Response:
        token, filled = _token(visit), ProofForm.of(form)
        if form.get("canal"):

            async def send() -> Enrolment:
                channel = contact_channel(form.get("canal"))
                return await self._enrolments.send_code(token, channel, visit.origin, language=visit.language)

            return await self._try(visit, "code", ProofForm(), send, Toast("code-sent"))
        if not filled.validate():
            return await self._at(visit, "code", filled, 422)
        return await self._try(visit, "code", filled, lambda: self._enrolments.prove(token, filled.code.data))

    async def contacts(self, visit: Visit) -> Response:
        return await self._contacts(visit)

    async def take_contact(self, visit: Visit, form: FormData) -> Response:
        token, deed, language = _token(visit), str(form.get("geste")), visit.language
        mail, phone, proof = MailForm.of(form), PhoneForm.of(form), ProofForm.of(form)
        try:
            match deed:
                case "ecrire-mail" if mail.validate():
                    await self._enrolments.send_contact_code(token, Channel.MAIL, mail.mail.data, language=language)
                    return visit.go("/inscription/contacts?attend=mail", Toast("code-sent"))
                case "ecrire-sms" if phone.validate():
                    await self._enrolments.send_contact_code(token, Channel.SMS, phone.sms.data, language=language)
                    return visit.go("/inscription/contacts?attend=sms", Toast("code-sent"))
                case "prouver" if proof.validate():
                    channel = contact_channel(visit.query.get("attend"))
                    await self._enrolments.prove_contact(token, channel, proof.code.data)
                    return visit.go("/inscription/contacts", Toast("contact-proven"))
                case "continuer":
                    moved = await self._enrolments.keep_contacts(token)
                    return visit.go(_PAGES[moved.step])
                case _:
                    pass
        except Refusal as refusal:
            _start_again(refusal)
            {"ecrire-mail": mail, "ecrire-sms": phone, "prouver": proof}.get(deed, mail).refuse(refusal)
        shown = {"ecrire-mail": (mail, None, None), "ecrire-sms": (None, phone, None), "prouver": (None, None, proof)}
        return await self._contacts(visit, 422, *shown.get(deed, (mail, None, None)))

    async def access(self, visit: Visit) -> Response:
        return await self._at(visit, "access", AccessForm())

    async def take_access(self, visit: Visit, form: FormData) -> Response:
        token, filled = _token(visit), AccessForm.of(form)
        if not filled.validate():
            return await self._at(visit, "access", filled, 422)
        return await self._try(
            visit,
            "access",
            filled,
            lambda: self._enrolments.choose_credentials(token, filled.identifiant.data, filled.nouveau.data),
        )

    async def terms(self, visit: Visit) -> Response:
        return await self._at(visit, "terms", TermsForm())

    async def take_terms(self, visit: Visit, form: FormData) -> Response:
        token, filled = _token(visit), TermsForm.of(form)
        if filled.validate():
            try:
                await self._enrolments.finish(token, TERMS, language=visit.language)
            except Refusal as refusal:
                _start_again(refusal)
                filled.refuse(refusal)
            else:
                response = visit.go("/connexion", Toast("account-opened"))
                visit.cookies.drop(response, "enrolment")
                return response
        return await self._at(visit, "terms", filled, 422)

    async def letter_box(self, visit: Visit) -> Response:
        if not visit.site.demonstration:
            raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "Only a demonstration has this page.")
        async with visit.site.identity.database.reader() as reader:
            letters = await self._enrolments.codes.letters.latest(reader)
        address = str(visit.request.base_url).rstrip("/")
        return await visit.render("entrance/letters.html", letters=[(one, words_of(one, address)) for one in letters])

    # How

    async def _who(self, visit: Visit, form: WhoForm, status: int = 200) -> Response:
        return await visit.render("entrance/enrolment_who.html", status, form=form, problems=form.problems)

    async def _at(self, visit: Visit, page: str, form: Any, status: int = 200) -> Response:
        """The page of a step, when it is the present one."""
        token = _token(visit)
        present = await self._enrolments.present(token)
        if _PAGES[present.step] != visit.request.url.path:
            return visit.go(_PAGES[present.step])
        names = await self._enrolments.suggestions(token) if page == "access" else []
        return await visit.render(
            f"entrance/enrolment_{page}.html", status, enrolment=present, form=form, problems=form.problems, names=names
        )

    async def _try(
        self,
        visit: Visit,
        page: str,
        form: Any,
        step: Callable[[], Awaitable[Enrolment]],
        toast: Toast | None = None,
    ) -> Response:
        """Take a step and go on, or say what is wrong."""
        try:
            moved = await step()
        except Refusal as refusal:
            _start_again(refusal)
            form.refuse(refusal)
            return await self._at(visit, page, form, 422)
        return visit.go(_PAGES[moved.step], toast)

    async def _contacts(
        self,
        visit: Visit,
        status: int = 200,
        mail: MailForm | None = None,
        phone: PhoneForm | None = None,
        proof: ProofForm | None = None,
    ) -> Response:
        present = await self._enrolments.present(_token(visit))
        if present.step is not EnrolmentStep.PROVEN:
            return visit.go(_PAGES[present.step])
        filled = mail or phone or proof
        return await visit.render(
            "entrance/enrolment_contacts.html",
            status,
            enrolment=present,
            mail=mail or MailForm(),
            phone=phone or PhoneForm(),
            proof=proof or ProofForm(),
            waiting=visit.query.get("attend"),
            with_sms=Channel.SMS in self._enrolments.codes.letters.channels,
            problems=filled.problems if filled else [],
        )


_ENDED = frozenset(
    {"SESSION_TIMED_OUT", "DECEASED_INDIVIDUAL", "PROFILE_ALREADY_EXISTS", "LEGAL_REPRESENTATIVE_REQUIRED"}
)


def _start_again(refusal: Refusal) -> None:
    """A refusal that ends the enrolment has a page of its own: nothing is left to correct."""
    if refusal.code in _ENDED:
        raise refusal


def _token(visit: Visit) -> str:
    token = visit.cookies.get("enrolment")
    if token is None:
        raise Refusal(Kind.GONE, "SESSION_TIMED_OUT", "Start again.")
    return token


def claim_of(form: WhoForm) -> Claim:
    """Who somebody says they are, by the card or by the names, which choose among the people of one card."""
    by_card = form.moyen.data == "carte"
    return Claim(
        form.numero.data or "",
        form.naissance.data,
        form.carte.data or "" if by_card else "",
        form.nom.data or "",
        form.prenom.data or "",
    )


def contact_channel(text: Any) -> Channel:
    """The channel that a form names."""
    try:
        return Channel(str(text))
    except ValueError:
        raise Refusal(Kind.INVALID, "CONTACT_INVALID", "No such channel.") from None
