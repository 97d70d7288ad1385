"""The desk's work on identities: find one, see its status and history, change it with the rules of the RNIV."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute
from wtforms import DateField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from ambroise.interfaces.web.identities import words
from ambroise.interfaces.web.identities.correcting import correcting_routes
from ambroise.interfaces.web.identities.symbols import shown
from ambroise.interfaces.web.identities.verifying import verifying_routes
from ambroise.interfaces.web.names import proper
from ambroise.interfaces.web.ui.forms import Form
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.interfaces.web.ui.proof import Act
from ambroise.interfaces.web.ui.visit import Screen, Site, Visit
from ambroise.kernel.db import Database
from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.identity.api import (
    DEFAULT_OID,
    AccountKind,
    IdentityDesk,
    Insi,
    InsiOutcome,
    PatientIdentity,
    homonyms,
    identity_of,
    proofs,
    query_of,
    require_identity_duty,
    trust_lines,
)
from ambroise.trust.gateway import Gateway, Traits

_SEXES = (("", N_("Choisissez")), ("female", N_("féminin")), ("male", N_("masculin")))
_REFUSED = {
    "INS_KNOWN": N_("Un autre dossier est ouvert sous cet INS : c’est peut-être un doublon."),
    "INSI_NOT_ALLOWED": N_("Une identité douteuse ou fictive n’est jamais envoyée au service national."),
    "IDENTITY_DOUBTFUL": N_("Levez d’abord le doute : une pièce ne suffit pas tant qu’il dure."),
    "IDENTITY_FICTITIOUS": N_("Une identité fictive ne reçoit aucun autre attribut."),
    "IDENTITY_NOT_DOUBTFUL": N_("Personne ne doute de cette identité."),
    "IDENTITY_WITHOUT_INS": N_("Il n’y a pas d’INS à vérifier."),
    "PROOF_INSUFFICIENT": N_(
        "Cette pièce ne prouve pas l’identité à elle seule : voyez aussi une pièce du représentant."
    ),
    "TRUST_UNCHANGED": N_("L’identité est déjà ainsi."),
    "NOTE_MISSING": N_("Écrivez pourquoi : la note reste dans l’historique."),
    "INSI_NOBODY": N_("Le service national ne trouve personne avec ces traits."),
    "INSI_SEVERAL": N_("Le service national trouve plusieurs personnes : complétez les traits."),
}


class FindForm(Form):
    ins = StringField(lazy(N_("Matricule INS")), render_kw={"autocomplete": "off"})
    nom = StringField(lazy(N_("Nom de naissance")), render_kw={"autocomplete": "off"})
    prenom = StringField(lazy(N_("Premier prénom de naissance")), render_kw={"autocomplete": "off"})
    naissance = DateField(lazy(N_("Date de naissance")), [Optional()])
    sexe = SelectField(lazy(N_("Sexe")))


class ChangeForm(Form):
    piece = SelectField(lazy(N_("Pièce d’identité vue")))
    representant = SelectField(lazy(N_("Pièce du représentant, pour un enfant")))
    note = TextAreaField(
        lazy(N_("Pourquoi")),
        description=lazy(N_("Reste dans l’historique. N’écrivez aucune donnée de santé.")),
        render_kw={"rows": "2", "maxlength": "500"},
    )


def desk_identity_routes(site: Site, database: Database, gateway: Gateway) -> list[BaseRoute]:
    """The desk's pages of identities."""
    screen = Screen(site, AccountKind.OPERATOR)
    desk, insi = IdentityDesk(gateway), Insi(database)

    async def find(visit: Visit) -> Response:
        require_identity_duty(visit.context())
        return await _found(visit, _find_form(), None)

    async def search(visit: Visit, sent: FormData) -> Response:
        ctx = visit.context()
        require_identity_duty(ctx)
        form = _find_form(sent)
        matricule = "".join((form.ins.data or "").split()).upper()
        traits = (form.nom.data, form.prenom.data, form.naissance.data, form.sexe.data)
        form.validate()
        if not matricule and not all(traits):
            form.general.append(gettext("Donnez l’INS, ou bien le nom, le prénom, la date de naissance et le sexe"))
        found: list[PatientIdentity] | None = None
        if not form.problems:
            async with database.reader() as reader:
                if matricule:
                    system = f"urn:oid:{DEFAULT_OID[ctx.demonstration]}"
                    people = await gateway.find_patient(reader, ctx, ins=(system, matricule))
                else:
                    born = form.naissance.data or date.min
                    wanted = Traits(form.nom.data or "", form.prenom.data or "", born, form.sexe.data)
                    people = await gateway.find_patient(reader, ctx, traits=wanted)
                listed = [await identity_of(reader, one.patient) for one in people]
            found = [one for one in listed if one is not None]
            if len(found) == 1:
                return visit.go(f"/guichet/identites/{found[0].patient}")
        return await _found(visit, form, found)

    async def _found(visit: Visit, form: FindForm, found: list[PatientIdentity] | None) -> Response:
        return await visit.render(
            "identities/desk_find.html",
            422 if form.problems else 200,
            form=form,
            problems=form.problems,
            found=None if found is None else [(one.patient, shown(one)) for one in found],
            place="identites",
        )

    async def show(visit: Visit) -> Response:
        require_identity_duty(visit.context())
        return await _one(visit, visit.id("patient"), _change_form())

    async def change(visit: Visit, sent: FormData) -> Response:
        patient = visit.id("patient")
        form = _change_form(sent)
        try:
            await _apply(visit, patient, str(sent.get("geste", "")), form)
        except Refusal as refusal:
            if refusal.code not in _REFUSED:
                raise
            form.general.append(gettext(_REFUSED[refusal.code]))
            return await _one(visit, patient, form, 422)
        return visit.go(f"/guichet/identites/{patient}")

    async def _apply(visit: Visit, patient: UUID, act: str, form: ChangeForm) -> None:
        ctx = visit.context()
        require_identity_duty(ctx)
        note = (form.note.data or "").strip()
        if act in ("douter", "lever", "fictive") and not note:
            raise Refusal(Kind.INVALID, "NOTE_MISSING", "Say why.")
        if act in ("recuperer", "verifier"):
            await _ask_insi(visit, patient, act)
            return
        async with database.transaction() as tx:
            match act:
                case "douter":
                    await desk.doubted(tx, ctx, patient, note)
                case "lever":
                    await desk.settled(tx, ctx, patient, note)
                case "fictive":
                    await desk.fictitious(tx, ctx, patient, note)
                case "piece":
                    await desk.checked(tx, ctx, patient, form.piece.data or "", form.representant.data or None)
                case "homonyme" | "plus-homonyme":
                    await desk.homonym(tx, ctx, patient, marked=act == "homonyme")
                case _:
                    raise Refusal(Kind.INVALID, "PAGE_NOT_FOUND", "No such act.")

    async def _ask_insi(visit: Visit, patient: UUID, act: str) -> None:
        """Ask the national service, then record what it answered."""
        ctx = visit.context()
        async with database.reader() as reader:
            known = await identity_of(reader, patient)
        if known is None:
            raise Refusal(Kind.NOT_FOUND, "NO_SUCH_PATIENT", "No such patient.")
        if not known.trust.may_be_asked:
            raise Refusal(Kind.CONFLICT, "INSI_NOT_ALLOWED", "Never sent.")
        question = query_of(known.traits)
        if act == "verifier":
            if known.ins is None:
                raise Refusal(Kind.CONFLICT, "IDENTITY_WITHOUT_INS", "No INS.")
            answer = await insi.verify(ctx, known.ins, question)
        else:
            answer = await insi.find_by_traits(ctx, question)
        if answer.outcome is InsiOutcome.SEVERAL:
            raise Refusal(Kind.CONFLICT, "INSI_SEVERAL", "Several.")
        if answer.individual is None and act == "recuperer":
            raise Refusal(Kind.CONFLICT, "INSI_NOBODY", "Nobody.")
        async with database.transaction() as tx:
            if answer.individual is not None:
                await desk.recovered(tx, ctx, patient, answer.individual.ins)
            else:
                await desk.denied(tx, ctx, patient)

    async def _one(visit: Visit, patient: UUID, form: ChangeForm, status: int = 200) -> Response:
        async with database.reader() as reader:
            await gateway.read(reader, visit.context(), "Patient", str(patient))
            known = await identity_of(reader, patient)
            if known is None:
                raise Refusal(Kind.NOT_FOUND, "NO_SUCH_PATIENT", "No such patient.")
            lines = await trust_lines(reader, patient)
            traits = known.traits
            alike = (
                await homonyms(reader, traits.birth_name or "", traits.birth_date, traits.sex.value)
                if traits.sex and traits.birth_date
                else []
            )
        return await visit.render(
            "identities/desk_identity.html",
            status,
            one=shown(known),
            known=known,
            form=form,
            problems=form.problems,
            doubtful="douteuse" in {one.value for one in known.attributes},
            homonym="homonyme" in {one.value for one in known.attributes},
            history=[
                (
                    line.at,
                    words.change(line.change.value),
                    words.status(line.status.value)[2],
                    _proof(line.proof),
                    line.by,
                    line.note or "",
                )
                for line in lines
            ],
            alike=[(one.patient, proper(one.display_name)) for one in alike if one.patient != patient],
            place="identites",
        )

    return [
        screen.route("/guichet/identites", find, search),
        *verifying_routes(screen, database),
        *correcting_routes(screen, database, gateway),
        screen.route("/guichet/identites/{patient}", show, change, proof=Act.IDENTITIES),
    ]


def _find_form(sent: FormData | None = None) -> FindForm:
    form: FindForm = FindForm.of(sent) if sent is not None else FindForm()
    form.sexe.choices = [(code, gettext(name)) for code, name in _SEXES]  # type: ignore[assignment]
    return form


def _change_form(sent: FormData | None = None) -> ChangeForm:
    form: ChangeForm = ChangeForm.of(sent) if sent is not None else ChangeForm()
    documents = [(code, proof.label) for code, proof in proofs().items()]
    form.piece.choices = documents  # type: ignore[assignment]
    alone = [(code, proof.label) for code, proof in proofs().items() if proof.alone]
    form.representant.choices = [("", gettext("Aucune")), *alone]  # type: ignore[assignment]
    return form


def _proof(code: str | None) -> str:
    known = proofs()
    return " + ".join(known[one].label if one in known else one for one in (code or "").split("+") if one)
