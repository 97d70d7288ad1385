"""From the authorization endpoint back to the client: the request, the means, the wait, the agreement."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from starlette.datastructures import FormData
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ambroise.interfaces.oauth.wire import certificate_of
from ambroise.interfaces.web.entrance.coming_in import said
from ambroise.interfaces.web.entrance.passkeys import reply_of
from ambroise.interfaces.web.professional.views import ProfessionalService
from ambroise.interfaces.web.sign_on.answers import address_of, origin_of, parameters, send_back, shown
from ambroise.interfaces.web.sign_on.forms import IdentifierForm
from ambroise.interfaces.web.sign_on.leaving import leaving_routes
from ambroise.interfaces.web.sign_on.phone import phone_routes
from ambroise.interfaces.web.sign_on.picking import PICK, Picking
from ambroise.interfaces.web.sign_on.scopes import told
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit, broken, refused, with_query
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.log import logger
from ambroise.modules.identity.api import AccountKind, NotSignedIn, Provider
from ambroise.modules.identity.provider import api as asking
from ambroise.modules.identity.provider.api import SHOW, Means, Request, SignOn, Unmet

_log = logger(__name__)

_SIGN_IN = "/connexion/pro"
_WAIT = "/connexion/pro/attente"
_AGREE = "/connexion/pro/accord"
_SHOWN = 6


def sign_on_routes(site: Site, provider: Provider, professional: ProfessionalService) -> list[BaseRoute]:
    """The authorization endpoint, the pages behind it, and the phone. `professional` finds the patient to open."""
    return [
        *SignOnPages(site, provider, professional).routes(),
        *leaving_routes(site, provider),
        *phone_routes(site, provider),
    ]


class SignOnPages:
    """The pages of one provider."""

    def __init__(self, site: Site, provider: Provider, professional: ProfessionalService) -> None:
        self._site = site
        self._provider = provider
        self._picking = Picking(provider, professional)

    def routes(self) -> list[BaseRoute]:
        screen = Screen(self._site)
        return [
            Route("/auth", self._authorize, methods=["GET", "POST"]),
            screen.route(_SIGN_IN, self._show_means, self._notify),
            screen.route(_WAIT, self._wait),
            screen.route("/connexion/pro/etat", self._state),
            screen.route(SHOW, self._show_certificate),
            screen.route(f"{SHOW}/retour", self._take_certificate),
            screen.route("/connexion/pro/cle", change=self._take_passkey),
            screen.route(_AGREE, self._show_agreement, self._agree),
            screen.route(PICK, self._show_patients, self._pick),
        ]

    async def _authorize(self, http: HttpRequest) -> Response:
        """The authorization endpoint: keeps what is asked, and shows the browser its first page."""
        visit = Visit(self._site, http)
        try:
            return await self._begin(visit)
        except Unmet as unmet:
            issuer = self._provider.ground.issuer_at(address_of(http))
            back = {"error": unmet.error, "error_description": unmet.description, "state": unmet.state, "iss": issuer}
            return send_back(visit, unmet.redirect_uri, back)
        except Refusal as refusal:
            return await refused(visit, shown(refusal))
        except Exception:
            _log.exception("page_failed", path="/auth")
            return await broken(visit)

    async def _begin(self, visit: Visit) -> Response:
        given = await parameters(visit.request)
        names = given.get("client_id", [])
        async with self._provider.ground.database.reader() as reader:
            client = await self._provider.clients.known(reader, names[0] if len(names) == 1 else None)
        if uri := given.get("request_uri"):
            asked = await self._provider.signing_on.pushed(client, uri[0])
        else:
            redirect_uri = asking.redirection(client, given)
            issuer = self._provider.ground.issuer_at(address_of(visit.request))
            asked = asking.read(client, redirect_uri, given, issuer)
        reference = await self._provider.signing_on.begin(asked)
        return visit.go(with_query(_SIGN_IN, demande=reference))

    # The means

    async def _show_means(self, visit: Visit) -> Response:
        request = await self._request(visit)
        session = await self._session(visit, request)
        if session is not None:
            return visit.go(with_query(_AGREE, demande=request.reference))
        if "none" in request.asked.prompt:
            return await self._refuse(visit, request, "login_required", "Nobody is signed on in this browser.")
        hint = (request.asked.login_hint or "").strip()
        return await self._means(visit, request, IdentifierForm(identifiant=hint if hint.isdigit() else ""))

    async def _means(self, visit: Visit, request: Request, form: Any, status: int = 200) -> Response:
        identity = self._site.identity
        async with identity.database.reader() as reader:
            people = await identity.demonstration_people(reader, AccountKind.PROFESSIONAL, count=_SHOWN)
        visit.forms_to, federation = (), self._site.federation
        return await visit.render(
            "sign_on/means.html",
            status,
            form=form,
            problems=form.problems,
            client=request.client,
            people=people,
            reference=request.reference,
            certificate=self._provider.certified.shown_at(request) is not None,
            partners=federation.offered(AccountKind.PROFESSIONAL) if federation else [],
        )

    async def _show_certificate(self, visit: Visit) -> Response:
        """On the usual port, go to the one where certificates are shown; there, take the one of the handshake."""
        shown = certificate_of(visit.request)
        if shown is None and address_of(visit.request) not in self._provider.ground.secure.values():
            target = self._provider.certified.shown_at(await self._request(visit))
            if target is not None:
                return visit.go(target)
        return visit.go(await self._provider.certified.show(visit.query.get("demande", ""), shown))

    async def _take_certificate(self, visit: Visit) -> Response:
        request = await self._request(visit)
        token = await self._provider.certified.sign_on(request, visit.query.get("preuve", ""))
        return await self._signed_on(visit, request, token)

    async def _take_passkey(self, visit: Visit, sent: FormData) -> Response:
        request = await self._request(visit)
        if self._site.passkeys is None:
            raise Refusal(Kind.UNAVAILABLE, "PASSKEYS_UNAVAILABLE", "This instance takes no passkey.")
        answered = await self._site.passkeys.sign_on(reply_of(visit, sent), visit.origin)
        if not isinstance(answered, NotSignedIn):
            token = await self._provider.signing_on.sign_on_by(request, answered, Means.PASSKEY)
            return await self._signed_on(visit, request, token)
        form = IdentifierForm()
        form.general.append(said(answered))
        return await self._means(visit, request, form, 422)

    async def _notify(self, visit: Visit, sent: FormData) -> Response:
        request = await self._request(visit)
        form = IdentifierForm.of(sent)
        if form.validate():
            try:
                identifier = str(form.identifiant.data).strip()
                await self._provider.signing_on.ask_approval(request, identifier, visit.origin.address)
                return visit.go(with_query(_WAIT, demande=request.reference, qui=identifier))
            except Refusal as refusal:
                form.refuse(refusal)
        return await self._means(visit, request, form, 422)

    # The wait

    async def _wait(self, visit: Visit) -> Response:
        request = await self._request(visit)
        approval = await self._provider.signing_on.approval_of(request)
        if approval is None:
            return visit.go(with_query(_SIGN_IN, demande=request.reference))
        try:
            token = await self._provider.signing_on.sign_on(request)
        except Refusal as refusal:
            if refusal.code not in ("APPROVAL_DENIED", "APPROVAL_ENDED"):
                raise
            form = IdentifierForm()
            form.refuse(refusal)
            return await self._means(visit, request, form, 422)
        if token is None:
            who = visit.query.get("qui", "")
            return await visit.render(
                "sign_on/wait.html",
                number=approval.number,
                client=request.client,
                reference=request.reference,
                who=who,
                phone=f"/ecps/{_national(who)}" if self._site.demonstration and who.isalnum() else None,
            )
        return await self._signed_on(visit, request, token)

    async def _signed_on(self, visit: Visit, request: Request, token: str) -> Response:
        """Give the browser its new session; the one that it had ends."""
        before = await self._provider.signing_on.session(visit.cookies.get("signon"))
        if before is not None:
            await self._provider.leaving.leave(before.id, request.client.id)
        response = visit.go(with_query(_AGREE, demande=request.reference))
        visit.cookies.put(response, "signon", token)
        return response

    async def _state(self, visit: Visit) -> Response:
        """Whether the phone answered, for the page that waits: it is sent on as soon as it did."""
        request = await self._request(visit)
        approval = await self._provider.signing_on.approval_of(request)
        if approval is not None and approval.waits(visit.now):
            return Response(status_code=204)
        target = with_query(_WAIT, demande=request.reference, qui=visit.query.get("qui"))
        return Response(status_code=204, headers={"hx-redirect": target})

    # The agreement

    async def _show_agreement(self, visit: Visit) -> Response:
        request = await self._request(visit)
        session = await self._session(visit, request)
        if session is None:
            return visit.go(with_query(_SIGN_IN, demande=request.reference))
        known = await self._provider.signing_on.may_skip_consent(session, request)
        if session.situation is not None and known and "consent" not in request.asked.prompt:
            return await self._finish(visit, request, session)
        if "none" in request.asked.prompt:
            what = "consent_required" if not known else "interaction_required"
            return await self._refuse(visit, request, what, "The person must first agree, or choose a situation.")
        return await self._agreement(visit, request, session)

    async def _agreement(self, visit: Visit, request: Request, session: SignOn, problem: str = "") -> Response:
        visit.forms_to = (origin_of(request.asked.redirect_uri),)
        return await visit.render(
            "sign_on/agreement.html",
            client=request.client,
            account=session.account,
            chosen=session.situation or 0,
            asked=request.asked,
            site=urlsplit(request.asked.redirect_uri).hostname or request.client.name,
            reference=request.reference,
            **told(request.asked.scopes),
        )

    async def _agree(self, visit: Visit, sent: FormData) -> Response:
        request = await self._request(visit)
        session = await self._session(visit, request)
        if session is None:
            return visit.go(with_query(_SIGN_IN, demande=request.reference))
        if sent.get("geste") != "accepter":
            return await self._refuse(visit, request, "access_denied", "The person refused.")
        number = str(sent.get("situation", "0"))
        async with self._provider.ground.database.transaction() as tx:
            session = await self._provider.signing_on.choose_situation(
                tx, session, int(number) if number.isdecimal() and len(number) < 4 else -1, request.client.id
            )
            await self._provider.signing_on.agree(tx, session, request)
        return await self._finish(visit, request, session)

    # The patient

    async def _show_patients(self, visit: Visit) -> Response:
        request = await self._request(visit)
        session = await self._agreed(visit, request)
        if session is None:
            return visit.go(with_query(_AGREE, demande=request.reference))
        return await self._picking.show(visit, request, session)

    async def _pick(self, visit: Visit, sent: FormData) -> Response:
        request = await self._request(visit)
        session = await self._agreed(visit, request)
        if session is None:
            return visit.go(with_query(_AGREE, demande=request.reference))
        if sent.get("geste") == "refuser":
            return await self._refuse(visit, request, "access_denied", "The person chose no patient.")
        picked = await self._picking.pick(visit, request, session, sent)
        return await self._finish(visit, request, session, picked) if isinstance(picked, UUID) else picked

    async def _agreed(self, visit: Visit, request: Request) -> SignOn | None:
        """The session that already agreed to what is asked, and must now say for which patient."""
        session = await self._session(visit, request)
        if session is None or session.situation is None:
            return None
        return session if await self._provider.signing_on.may_skip_consent(session, request) else None

    # Steps

    async def _request(self, visit: Visit) -> Request:
        reference = visit.query.get("demande", "")
        return await self._provider.signing_on.request(reference, visit.browser())

    async def _session(self, visit: Visit, request: Request) -> SignOn | None:
        """The session of this browser, if it is good enough for what is asked."""
        found = await self._provider.signing_on.session(visit.cookies.get("signon"))
        if found is None:
            return None
        asked, since = request.asked, found.authenticated_at
        fresh = since >= request.created_at
        if not fresh and {"login", "select_account"} & set(asked.prompt):
            return None
        if not fresh and asked.max_age is not None and (visit.now - since).total_seconds() > asked.max_age:
            return None
        return found if found.assurance.acr >= asked.acr else None

    async def _finish(self, visit: Visit, request: Request, session: SignOn, patient: UUID | None = None) -> Response:
        asked = request.asked
        if patient is None and await self._picking.is_needed(request, session):
            if "none" in asked.prompt:
                return await self._refuse(visit, request, "interaction_required", "The person must choose a patient.")
            return visit.go(with_query(PICK, demande=request.reference))
        try:
            code = await self._provider.tokens.authorize(request, session, patient)
        except Unmet as unmet:
            return await self._refuse(visit, request, unmet.error, unmet.description)
        back = {"code": code, "state": asked.state, "session_state": str(session.id), "iss": asked.issuer}
        return send_back(visit, asked.redirect_uri, back)

    async def _refuse(self, visit: Visit, request: Request, error: str, description: str) -> Response:
        await self._provider.signing_on.give_up(request)
        asked = request.asked
        back = {"error": error, "error_description": description, "state": asked.state, "iss": asked.issuer}
        return send_back(visit, asked.redirect_uri, back)


def _national(identifier: str) -> str:
    return "8" + identifier if len(identifier) == 11 else identifier
