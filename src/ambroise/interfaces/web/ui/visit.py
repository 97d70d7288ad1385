"""One request of a browser: who visits, in which language, and how a page is answered.

`Screen` makes the routes. It looks the session up, keeps each portal to its people, checks that a change comes
from our own form, keeps the draft of a session that ended, and
turns refusals into pages: no handler can forget any of it.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from jinja2 import Environment
from msgspec import Struct, field
from msgspec.structs import replace
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive

from ambroise.interfaces.web.ui import i18n, pages, tokens
from ambroise.interfaces.web.ui.cookies import Cookies
from ambroise.interfaces.web.ui.errors import explain
from ambroise.interfaces.web.ui.proof import Act, draft_of
from ambroise.interfaces.web.ui.security import page_headers
from ambroise.interfaces.web.ui.toasts import Toast
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id
from ambroise.kernel.log import logger
from ambroise.modules.identity.api import AccountKind, Federation, Identity, Origin, Passkeys, Proofs, Session
from ambroise.modules.identity.provider.portal import Portal
from ambroise.trust.context import Context

_log = logger(__name__)

FORM_FIELD = "jeton"
_NUL = "\x00"
_SMALL_FORM = 256 * 1024
_NEVER_KEPT = frozenset(
    {FORM_FIELD, "passe", "code", "nouveau", "defi", "reponse", "present", "again", "number", "cle"}
)


class Site(Struct, frozen=True):
    """What every visit needs, built once. `tells`: whether people are told of things outside the portals."""

    identity: Identity
    environment: Environment
    demonstration: bool
    proofs: Proofs
    passkeys: Passkeys | None = None
    shells: dict[AccountKind, Callable[[Visit], Awaitable[dict[str, Any]]]] = field(
        default_factory=dict[AccountKind, Callable[["Visit"], Awaitable[dict[str, Any]]]]
    )
    federation: Federation | None = None
    tells: bool = False
    portal: Portal | None = None


class Visit:
    """One request."""

    def __init__(self, site: Site, request: Request) -> None:
        self.site = site
        self.request = request
        self.cookies = Cookies.of(request, demonstration=site.demonstration)
        self.session: Session | None = None
        self.token = self.cookies.get("session")
        self.visitor = self.cookies.get("visitor")
        self.request_id = new_id()
        self.forms_to: tuple[str, ...] = ()
        self._contexts: dict[UUID | None, Context] = {}
        self._new_visitor: str | None = None
        preferred = self.cookies.get("language") or i18n.accepted(request.headers.get("accept-language", ""))
        self.language = i18n.speak(preferred or "fr").code

    @property
    def now(self) -> Any:
        """The present instant."""
        return self.site.identity.clock.now()

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the address, blank ones left out."""
        return {name: value.strip() for name, value in self.request.query_params.items() if value.strip()}

    @property
    def origin(self) -> Origin:
        """Where the browser is, for the rate limits."""
        client = self.request.client
        agent = self.request.headers.get("user-agent", "")
        return Origin(client.host if client else "", self.cookies.get("device"), agent, self.language)

    @property
    def who(self) -> Session:
        """The session of a page that only signed-in people reach."""
        if self.session is None:
            raise Refusal(Kind.UNAUTHENTICATED, "SIGN_IN", "Sign in first.")
        return self.session

    def context(self, patient: UUID | None = None) -> Context:
        """The context of this request; `patient`: whose record a professional opens. All share one request id."""
        if patient not in self._contexts:
            context = self.site.identity.context(self.who, patient=patient)
            self._contexts[patient] = replace(context, request_id=self.request_id)
        return self._contexts[patient]

    def parameter(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def id(self, name: str = "id") -> UUID:
        """A part of the path that is an id; anything else is a page that does not exist."""
        return self.id_of(self.parameter(name))

    def id_of(self, text: str) -> UUID:
        """An id that came with the request; anything else is a page that does not exist."""
        try:
            return UUID(text)
        except ValueError:
            raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "No such page.") from None

    @property
    def passkeys(self) -> str:
        """Whether this page may use passkeys: `usable`, `elsewhere` (at another of our addresses), or `none`."""
        known = self.site.passkeys
        if known is None or known.party is None:
            return "none"
        url = self.request.url
        return "usable" if f"{url.scheme}://{url.netloc}".lower() == known.party.origin else "elsewhere"

    def form_token(self) -> str:
        """What the forms of this page carry."""
        if self.session is not None and self.session.live and self.token:
            return tokens.drawn(self.token)
        return tokens.drawn(self.browser())

    def browser(self) -> str:
        """What this browser is known by, whoever signs in."""
        if self.visitor is None:
            self.visitor = self._new_visitor = secrets.token_urlsafe(18)
        return self.visitor

    async def render(self, template: str, status: int = 200, **values: Any) -> Response:
        """Answer with a page."""
        site, session = self.site, self.session
        live = session if session is not None and session.live and session.complete else None
        shell = await site.shells[live.account.kind](self) if live and live.account.kind in site.shells else {}
        toast = Toast.read(self.cookies.get("toast"))
        html = site.environment.get_template(template).render(
            visit=self,
            session=live,
            language=self.language,
            languages=i18n.NAMES,
            theme=self.cookies.get("theme"),
            toast=toast,
            here=self.request.url.path,
            here_full=self.here,
            form_token=self.form_token(),
            form_token_name=FORM_FIELD,
            now=self.now,
            demonstration=site.demonstration,
            **shell,
            **values,
        )
        headers = page_headers(secure=self.request.url.scheme == "https", forms_to=self.forms_to)
        response = pages.page(self.request, html, status, headers)
        if toast is not None:
            self.cookies.drop(response, "toast")
        return self._with_visitor(response)

    def go(self, address: str, toast: Toast | None = None) -> Response:
        """Answer a change by sending the browser to a page, which may say what just happened."""
        headers = {**page_headers(secure=self.request.url.scheme == "https"), "cache-control": "no-store"}
        response = RedirectResponse(address, 303, headers)
        if toast is not None:
            self.cookies.put(response, "toast", toast.written(), max_age=60)
        return self._with_visitor(response)

    async def draft(self) -> dict[str, list[str]]:
        """What this person had typed on this page when their session ended, given back once."""
        kept = await self.site.identity.take_draft(self.who, self.request.url.path)
        return kept.fields if kept else {}

    @property
    def here(self) -> str:
        """The address of this page, with its parameters."""
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    def _with_visitor(self, response: Response) -> Response:
        if self._new_visitor is not None:
            self.cookies.put(response, "visitor", self._new_visitor)
        return response


Read = Callable[[Visit], Awaitable[Response]]
Change = Callable[[Visit, FormData], Awaitable[Response]]
After = Callable[[Visit], Awaitable[None]]


class Screen:
    """Makes the routes of a portal. `people`: whom it is for; None for everybody, signed in or not.

    `after`: what happens each time that somebody was shown a page.
    """

    def __init__(self, site: Site, people: AccountKind | None = None, after: After | None = None) -> None:
        self._site = site
        self._people = people
        self._after = after

    def route(
        self,
        path: str,
        read: Read | None = None,
        change: Change | None = None,
        *,
        most: int = _SMALL_FORM,
        proof: Act | None = None,
    ) -> Route:
        """A page, and what its form does. `most` bounds the bytes of the form, its files included.

        With `proof`, the change asks who showed who they are too long ago to show it again.
        """

        async def answer(request: Request) -> Response:
            visit = Visit(self._site, request)
            try:
                return await self._answer(visit, read, change, most, proof)
            except Refusal as refusal:
                return await refused(visit, refusal)
            except Exception:
                _log.exception("page_failed", path=path)
                return await broken(visit)

        methods = (["GET"] if read else []) + (["POST"] if change else [])
        return Route(path, answer, methods=methods)

    async def _answer(
        self, visit: Visit, read: Read | None, change: Change | None, most: int, proof: Act | None
    ) -> Response:
        _check_address(visit.request)
        if visit.token:
            visit.session = await self._site.identity.session(visit.token)
        entered = visit.session is not None and visit.session.live and visit.session.complete
        if visit.request.method == "POST" and change is not None:
            form = await _form(visit, most)
            try:
                if self._people is not None and not entered:
                    return await self._keep_and_ask(visit, form)
                self._keep_to_its_people(visit)
                if proof is not None and entered and not self._site.proofs.is_recent(visit.who):
                    return await _ask_proof(visit, form, proof)
                return await change(visit, form)
            finally:
                await form.close()
        if self._people is not None and not entered:
            return _ask_to_sign_in(visit, ended=visit.session is not None)
        self._keep_to_its_people(visit)
        if read is None:
            return visit.go("/")
        response = await read(visit)
        if self._after is not None:
            await self._after(visit)
        return response

    def _keep_to_its_people(self, visit: Visit) -> None:
        if self._people is not None and visit.who.account.kind is not self._people:
            raise Refusal(Kind.FORBIDDEN, "NOT_THIS_PORTAL", "This page is for other people.")

    async def _keep_and_ask(self, visit: Visit, form: FormData) -> Response:
        """The session ended while somebody was writing: keep the words, ask to sign in, come back."""
        if visit.session is None or not visit.session.complete:
            return _ask_to_sign_in(visit, ended=False)
        fields = _words(form.multi_items())
        await self._site.identity.keep_draft(visit.session, visit.request.url.path, fields)
        return _ask_to_sign_in(visit, ended=True, kept=True)


def _check_address(request: Request) -> None:
    """No text of ours holds the sign NUL, nor can the database keep it."""
    asked = (value for _, value in request.query_params.multi_items())
    if any(_NUL in str(value) for value in (*request.path_params.values(), *asked)):
        raise Refusal(Kind.NOT_FOUND, "PAGE_NOT_FOUND", "No such page.")


async def refused(visit: Visit, refusal: Refusal) -> Response:
    """The page of a refusal."""
    if refusal.kind is Kind.UNAUTHENTICATED:
        return _ask_to_sign_in(visit, ended=False)
    return await visit.render("ui/refused.html", explain(refusal).status, refusal=explain(refusal))


async def broken(visit: Visit) -> Response:
    """The page of a fault of ours."""
    visit.session = None
    return await visit.render("ui/broken.html", 500)


def local_address(address: str | None, otherwise: str = "/") -> str:
    """An address of this site, or the other one: a link never sends somebody elsewhere."""
    # Browsers take a backslash for a slash, and pass over tabs and ends of lines.
    if not address or not address.startswith("/") or address.startswith("//"):
        return otherwise
    if "\\" in address or any(ord(sign) < 32 for sign in address):
        return otherwise
    return address if not urlsplit(address).netloc else otherwise


def whole(text: object, *, most: int = 99_999) -> int | None:
    """A whole number that came with the request, from 0 to `most`; None for anything else."""
    written = text if isinstance(text, str) else ""
    number = int(written) if written.isascii() and written.isdigit() and len(written) < 10 else None
    return number if number is not None and number <= most else None


def with_query(address: str, **parameters: str | None) -> str:
    """An address with these parameters, those that are None left out."""
    query = urlencode({name: value for name, value in parameters.items() if value})
    return f"{address}?{query}" if query else address


def _ask_to_sign_in(visit: Visit, *, ended: bool, kept: bool = False) -> Response:
    reason = "brouillon" if kept else "duree" if ended else None
    target = with_query("/connexion", suite=visit.request.url.path, fin=reason)
    if visit.request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"hx-redirect": target})
    return visit.go(target)


async def _ask_proof(visit: Visit, form: FormData, act: Act) -> Response:
    """Keep what was sent, and ask to show again who one is; the page that asks gives it back."""
    here = visit.here
    await visit.site.identity.keep_draft(visit.who, draft_of(here), _words(form.multi_items()))
    target = with_query("/preuve", suite=here, acte=act.value)
    if visit.request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"hx-redirect": target})
    return visit.go(target)


async def _form(visit: Visit, most: int) -> FormData:
    """The form that was sent, after checking that it is one of ours."""
    request = visit.request
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise _forged()
    source = request.headers.get("origin")
    if source and source != "null" and urlsplit(source).netloc != request.url.netloc:
        raise _forged()
    counted = Request(request.scope, _at_most(request.receive, most))
    form = await read_form(counted, most_files=10, most_fields=200)
    sent = form.get(FORM_FIELD)
    holders = [cookie for cookie in (visit.token, visit.visitor) if cookie]
    if not isinstance(sent, str) or not any(tokens.genuine(cookie, sent) for cookie in holders):
        await form.close()
        raise _forged()
    if any(isinstance(value, str) and _NUL in value for _, value in form.multi_items()):
        await form.close()
        raise Refusal(Kind.INVALID, "FORM_MALFORMED", "A field holds a sign that no keyboard has.")
    return form


async def read_form(request: Request, *, most_files: int, most_fields: int) -> FormData:
    """The form that a request carries. Raises FORM_MALFORMED for what is none."""
    try:
        return await request.form(max_files=most_files, max_fields=most_fields)
    except HTTPException as error:
        raise Refusal(Kind.INVALID, "FORM_MALFORMED", "The body is not a form of these sizes.") from error


def _forged() -> Refusal:
    return Refusal(Kind.FORBIDDEN, "FORM_FORGED", "The form does not come from a page of this site.")


def _at_most(receive: Receive, most: int) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise Refusal(Kind.TOO_LARGE, "TOO_LARGE", f"A form of this page takes at most {most} bytes.")
        return message

    return counted


def _words(items: Iterable[tuple[str, UploadFile | str]]) -> dict[str, list[str]]:
    kept: dict[str, list[str]] = {}
    for name, value in items:
        if isinstance(value, str) and name not in _NEVER_KEPT:
            kept.setdefault(name, []).append(value)
    return kept
