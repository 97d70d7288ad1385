"""Showing again who one is before an act that matters, then finishing the act with what had been typed."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import PasswordField

from ambroise.interfaces.web.entrance.coming_in import HOMES, said
from ambroise.interfaces.web.entrance.passkeys import reply_of
from ambroise.interfaces.web.entrance.protection import layout_of
from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.proof import WHY, Act, draft_of
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit, local_address, with_query
from ambroise.modules.identity.api import NotSignedIn, SessionToken, SignInProblem

_FINISH = "/preuve/suite"


class ProofForm(Form):
    passe = PasswordField(
        lazy(N_("Mot de passe")),
        [Required(N_("Écrivez votre mot de passe"))],
        render_kw={"autocomplete": "current-password"},
    )


def proof_routes(site: Site) -> list[BaseRoute]:
    """The page that asks, each way to answer, and the end of the act."""
    screen = Screen(site)
    proofs, passkeys = site.proofs, site.passkeys

    async def ask(visit: Visit) -> Response:
        if proofs.is_recent(visit.who):
            return visit.go(_onwards(visit))
        return await _page(visit, ProofForm())

    async def _page(visit: Visit, form: Any, status: int = 200) -> Response:
        act = visit.query.get("acte")
        return await visit.render(
            "entrance/proof.html",
            status,
            layout=layout_of(visit),
            form=form,
            problems=form.problems,
            why=gettext(WHY[Act(act)]) if act in list(Act) else None,
            takes_password=proofs.takes_password(visit.who),
            query=visit.request.url.query,
            place="reglages",
        )

    async def answer(visit: Visit, sent: FormData) -> Response:
        layout_of(visit)
        if sent.get("geste") == "confirmer":
            return _proven(visit, await proofs.by_gesture(visit.who))
        form = ProofForm.of(sent)
        if form.validate():
            found = await proofs.by_password(visit.who, str(form.passe.data))
            if not isinstance(found, NotSignedIn):
                return _proven(visit, found)
            wrong = found.problem is SignInProblem.WRONG
            form.passe.errors = [gettext("Ce n’est pas votre mot de passe actuel") if wrong else said(found)]
        return await _page(visit, form, 422)

    async def by_passkey(visit: Visit, sent: FormData) -> Response:
        layout_of(visit)
        assert passkeys is not None  # noqa: S101 - the route is there with passkeys only.
        found = await passkeys.prove(visit.who, reply_of(visit, sent), visit.origin)
        if not isinstance(found, NotSignedIn):
            return _proven(visit, found)
        form = ProofForm()
        form.general.append(said(found))
        return await _page(visit, form, 422)

    async def finish(visit: Visit) -> Response:
        """Show what was about to be done, to be sent again as it was."""
        layout, back = layout_of(visit), _back(visit)
        kept = await site.identity.take_draft(visit.who, draft_of(back))
        if kept is None:
            return visit.go(back)
        return await visit.render(
            "entrance/proof_end.html",
            layout=layout,
            back=back,
            fields=[(name, value) for name, values in kept.fields.items() for value in values],
            why=gettext(WHY[Act(visit.query["acte"])]) if visit.query.get("acte") in list(Act) else None,
            place="reglages",
        )

    return [
        screen.route("/preuve", ask, answer),
        *([screen.route("/preuve/cle", change=by_passkey)] if passkeys is not None else []),
        screen.route(_FINISH, finish),
    ]


def _proven(visit: Visit, token: SessionToken) -> Response:
    response = visit.go(_onwards(visit))
    visit.cookies.put(response, "session", token)
    return response


def _onwards(visit: Visit) -> str:
    return with_query(_FINISH, suite=_back(visit), acte=visit.query.get("acte"))


def _back(visit: Visit) -> str:
    return local_address(visit.query.get("suite"), HOMES[visit.who.account.kind])
