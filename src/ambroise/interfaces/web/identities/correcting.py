"""The desk corrects the strict traits of an identity, by hand or as the INSi service says them, and says why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import DateField, SelectField, StringField, TextAreaField

from ambroise.interfaces.web.identities import words
from ambroise.interfaces.web.identities.symbols import shown
from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.proof import Act
from ambroise.interfaces.web.ui.visit import Screen, Visit
from ambroise.kernel.db import Database
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import (
    IdentityDesk,
    Insi,
    InsiAnswer,
    InsiOutcome,
    PatientIdentity,
    Sex,
    Traits,
    identity_of,
    normal_name,
    query_of,
    require_identity_duty,
)
from ambroise.trust.gateway import Gateway

_SEXES = ((Sex.FEMALE.value, N_("féminin")), (Sex.MALE.value, N_("masculin")), (Sex.UNDETERMINED.value, N_("inconnu")))
_REFUSED = {
    "TRAITS_UNCHANGED": N_("Ce sont les traits du dossier : rien n’est à corriger."),
    "NAME_INVALID": N_("Un nom porte un signe qui n’a pas sa place dans un nom."),
    "NOTE_MISSING": N_("Écrivez pourquoi : la note reste dans l’historique."),
    "INSI_NOT_ALLOWED": N_("Une identité douteuse ou fictive n’est jamais envoyée au service national."),
    "INSI_NOBODY": N_("Le service national ne trouve personne avec ces traits."),
    "INSI_SEVERAL": N_("Le service national trouve plusieurs personnes : complétez les traits."),
}


class TraitsForm(Form):
    nom = StringField(lazy(N_("Nom de naissance")), [Required(N_("Écrivez le nom de naissance"))])
    prenom = StringField(lazy(N_("Premier prénom de naissance")), [Required(N_("Écrivez le premier prénom"))])
    prenoms = StringField(lazy(N_("Prénoms de l’acte de naissance")))
    naissance = DateField(lazy(N_("Date de naissance")))
    sexe = SelectField(lazy(N_("Sexe")))
    lieu = StringField(lazy(N_("Lieu de naissance (code INSEE)")), render_kw={"maxlength": "5"})
    note = TextAreaField(
        lazy(N_("Pourquoi")),
        description=lazy(N_("Reste dans l’historique. N’écrivez aucune donnée de santé.")),
        render_kw={"rows": "2", "maxlength": "500"},
    )


def correcting_routes(screen: Screen, database: Database, gateway: Gateway) -> list[BaseRoute]:
    """The page, and what it does."""
    desk, insi = IdentityDesk(gateway), Insi(database)

    async def known_of(visit: Visit) -> PatientIdentity:
        require_identity_duty(visit.context())
        patient: UUID = visit.id("patient")
        async with database.reader() as reader:
            await gateway.read(reader, visit.context(), "Patient", str(patient))
            known = await identity_of(reader, patient)
        if known is None:
            raise Refusal(Kind.NOT_FOUND, "NO_SUCH_PATIENT", "No such patient.")
        return known

    async def show(visit: Visit) -> Response:
        known = await known_of(visit)
        return await page(visit, known, _form(known.traits))

    async def page(visit: Visit, known: PatientIdentity, form: TraitsForm, offered: Sequence[str] = ()) -> Response:
        return await visit.render(
            "identities/desk_traits.html",
            422 if form.problems else 200,
            known=known,
            one=shown(known),
            form=form,
            problems=form.problems,
            offered=offered,
            place="identites",
        )

    async def act(visit: Visit, sent: FormData) -> Response:
        known = await known_of(visit)
        form = _form(None, sent)
        if not form.validate():
            return await page(visit, known, form)
        try:
            if sent.get("geste") == "demander":
                traits = await ask(visit, known)
                note = gettext("Traits du service national (INSi).")
                return await page(visit, known, _form(traits, note=note), _differences(known.traits, traits))
            if not (note := (form.note.data or "").strip()):
                raise Refusal(Kind.INVALID, "NOTE_MISSING", "Say why.")
            async with database.transaction() as tx:
                await desk.corrected(tx, visit.context(), known.patient, _traits(form), note)
        except Refusal as refusal:
            if refusal.code not in _REFUSED:
                raise
            form.general.append(gettext(_REFUSED[refusal.code]))
            return await page(visit, known, form)
        return visit.go(f"/guichet/identites/{known.patient}")

    async def ask(visit: Visit, known: PatientIdentity) -> Traits:
        """The traits of the base of reference: by the INS with the traits of the file, else by these alone."""
        if not known.trust.may_be_asked:
            raise Refusal(Kind.CONFLICT, "INSI_NOT_ALLOWED", "Never sent.")
        answer: InsiAnswer = await insi.find_by_traits(visit.context(), query_of(known.traits))
        if answer.outcome is InsiOutcome.SEVERAL:
            raise Refusal(Kind.CONFLICT, "INSI_SEVERAL", "Several.")
        found = answer.individual
        if found is None:
            raise Refusal(Kind.CONFLICT, "INSI_NOBODY", "Nobody.")
        first = known.traits.first_given or ""
        return Traits(
            birth_name=found.birth_name,
            first_given=first if found.given_names.startswith(first) else found.given_names.partition(" ")[0],
            given_names=found.given_names,
            birth_date=found.birth_date,
            sex=found.sex,
            birth_place=found.birth_place or known.traits.birth_place,
        )

    return [screen.route("/guichet/identites/{patient}/traits", show, act, proof=Act.IDENTITIES)]


def _form(traits: Traits | None, sent: FormData | None = None, note: str = "") -> TraitsForm:
    written: dict[str, Any] = (
        {
            "nom": traits.birth_name,
            "prenom": traits.first_given,
            "prenoms": traits.given_names,
            "naissance": traits.birth_date,
            "sexe": traits.sex.value if traits.sex else Sex.UNDETERMINED.value,
            "lieu": traits.birth_place,
            "note": note,
        }
        if traits is not None
        else {}
    )
    form: TraitsForm = TraitsForm.of(sent) if sent is not None else TraitsForm(**written)
    form.sexe.choices = [(code, gettext(name)) for code, name in _SEXES]  # type: ignore[assignment]
    return form


def _traits(form: TraitsForm) -> Traits:
    return Traits(
        birth_name=_name(form.nom.data),
        first_given=_name(form.prenom.data),
        given_names=_name(form.prenoms.data) or None,
        birth_date=form.naissance.data,
        sex=Sex(form.sexe.data),
        birth_place=(form.lieu.data or "").strip().upper() or None,
    )


def _name(typed: str | None) -> str:
    try:
        return normal_name((typed or "").strip())
    except ValueError:
        raise Refusal(Kind.UNPROCESSABLE, "NAME_INVALID", "A name has letters only.") from None


def _differences(known: Traits, said: Traits) -> list[str]:
    """Which traits the service says otherwise, or knows alone."""
    return [words.trait(name) for name in words.TRAITS if getattr(known, name) != getattr(said, name)]
