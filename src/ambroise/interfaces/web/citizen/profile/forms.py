"""The forms of the medical profile, one for each section."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import ValidationError

from ambroise.interfaces.web.choices import CHOICES, MEASURES
from ambroise.interfaces.web.ui.forms import Form, Required, Ticks
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.modules.profile.api import Code, Draft, Item, Section, measures

_FRENCH = re.compile(r"(?:(?:(\d{1,2})[/. -])?(\d{1,2})[/. -])?(\d{4})")
_ISO = re.compile(r"\d{4}(-\d\d){0,2}")
_LONG = {"rows": "3", "maxlength": "3000"}


class LooseDate(StringField):
    """A date as precise as it is known: a year, a month, or a day. Its data is ISO, or what was typed if unreadable."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        typed = str(valuelist[0]).strip() if valuelist else ""
        found = _FRENCH.fullmatch(typed)
        if found is None:
            self.data = typed
            return
        day, month, year = found.groups()
        self.data = "-".join(part for part in (year, month and month.zfill(2), day and day.zfill(2)) if part)

    def _value(self) -> str:
        typed = str(self.data or "")
        return "/".join(reversed(typed.split("-"))) if _ISO.fullmatch(typed) else typed


class Readable:
    """A date that can be read."""

    def __call__(self, form: Any, field: Any) -> None:
        if field.data and not _ISO.fullmatch(field.data):
            raise ValidationError(gettext("Écrivez une année, un mois ou un jour : 2019, 05/2019 ou 03/05/2019"))


def _name(words: str, help: str = "", list: str = "") -> StringField:
    keys = {"autocomplete": "off", "maxlength": "200"}
    if list:
        keys |= {
            "list": "propositions",
            "hx-get": f"/profil/codes/{list}",
            "hx-trigger": "input changed delay:250ms",
            "hx-target": "#propositions",
            "hx-swap": "innerHTML",
        }
    return StringField(lazy(words), [Required(N_("Dites de quoi il s’agit"))], description=lazy(help), render_kw=keys)


def _text(words: str, most: int, help: str = "") -> StringField:
    return StringField(
        lazy(words), description=lazy(help) if help else "", render_kw={"maxlength": str(most), "autocomplete": "off"}
    )


def _when(words: str, *, needed: bool = False) -> LooseDate:
    checks: list[Any] = [Required(N_("Donnez une date, une année suffit"))] if needed else []
    return LooseDate(
        lazy(words),
        [*checks, Readable()],
        description=lazy(N_("Une année suffit. Par exemple : 2019, 05/2019 ou 03/05/2019.")),
        render_kw={"autocomplete": "off", "maxlength": "10"},
    )


def _among(words: str, kind: str, *, needed: bool = True) -> SelectField:
    options = [("", lazy(N_("Choisir…"))), *((code, lazy(said)) for code, said in CHOICES[kind].items())]
    checks = [Required(N_("Choisissez une réponse"))] if needed else []
    return SelectField(lazy(words), checks, choices=options, validate_choice=False)


def _comment() -> TextAreaField:
    return TextAreaField(lazy(N_("Commentaire (facultatif)")), render_kw=_LONG)


def _links(words: str) -> Ticks:
    """The lines of the profile that this one goes with: the page fills them in."""
    return Ticks(lazy(words), choices=[], validate_choice=False)


class IllnessForm(Form):
    name = _name(N_("Maladie ou sujet de santé"), N_("Commencez à écrire, puis choisissez dans la liste."), "illness")
    start = _when(N_("Depuis quand"), needed=True)
    end = _when(N_("Jusqu’à quand (facultatif)"))
    links = _links(N_("C’est une réaction à (facultatif)"))
    comment = _comment()


class TreatmentForm(Form):
    name = _name(N_("Médicament"), N_("Le nom écrit sur la boîte."), "medicine")
    dosage = _text(N_("Posologie (facultatif)"), 1000, N_("Par exemple : 1 comprimé le matin."))
    reason = _text(N_("Pour quoi (facultatif)"), 200)
    start = _when(N_("Depuis quand"), needed=True)
    end = _when(N_("Jusqu’à quand (facultatif)"))
    links = _links(N_("Pour quelle maladie (facultatif)"))
    comment = _comment()


class AllergyForm(Form):
    name = _name(N_("À quoi êtes-vous allergique ?"), N_("Un médicament, un aliment, une matière."), "allergen")
    reaction = _text(N_("Ce que cela provoque (facultatif)"), 200, N_("Par exemple : urticaire, gonflement du visage."))
    links = _links(N_("Un de vos traitements en cause (facultatif)"))
    comment = _comment()


class VaccinationForm(Form):
    name = _name(N_("Vaccin"), N_("Le nom du vaccin, ou contre quoi il protège."), "vaccine")
    start = _when(N_("Fait le"), needed=True)
    stage = _among(N_("Étape (facultatif)"), "stage", needed=False)
    lot = _text(N_("Numéro de lot (facultatif)"), 100)
    performer = _text(N_("Fait par (facultatif)"), 200)
    comment = _comment()
    cip = HiddenField()
    expires = HiddenField()

    def validate_expires(self, field: Any) -> None:
        """What a box said is a day or nothing: nobody types it."""
        if field.data and not re.fullmatch(r"\d{4}-\d\d-\d\d", str(field.data)):
            field.data = ""


class StayForm(Form):
    name = _name(N_("Hospitalisation ou acte"), N_("Par exemple : appendicite."))
    start = _when(N_("Date"), needed=True)
    duration = _text(N_("Durée (facultatif)"), 4, N_("Un nombre."))
    unit = _among(N_("En"), "unit", needed=False)
    links = _links(N_("Pour quelle maladie (facultatif)"))
    comment = _comment()

    def validate_duration(self, field: Any) -> None:
        if field.data and not str(field.data).strip().isdecimal():
            raise ValidationError(gettext("Écrivez un nombre"))


class FamilyForm(Form):
    name = _name(N_("Maladie"), N_("Commencez à écrire, puis choisissez dans la liste."), "illness")
    relation = _among(N_("De qui"), "relation")
    comment = _comment()


class DisabilityForm(Form):
    name = _name(N_("Handicap"), N_("En quelques mots."))
    disability = Ticks(lazy(N_("De quelle sorte")), choices=[(c, lazy(w)) for c, w in CHOICES["disability"].items()])
    rate = _among(N_("Taux (facultatif)"), "rate", needed=False)
    technical = _text(N_("Aide technique (facultatif)"), 50, N_("Par exemple : fauteuil roulant."))
    human = _among(N_("Aide humaine (facultatif)"), "help", needed=False)
    comment = _comment()


class BloodForm(Form):
    name = SelectField(
        lazy(N_("Groupe sanguin")), [Required(N_("Choisissez un groupe"))], choices=[], validate_choice=False
    )


class MeasureForm(Form):
    measure = SelectField(
        lazy(N_("Mesure")),
        [Required(N_("Choisissez une mesure"))],
        choices=[
            ("", lazy(N_("Choisir…"))),
            *((name, lazy(MEASURES[name])) for name, one in measures().items() if not one.computed),
        ],
        validate_choice=False,
    )
    value = _text(N_("Valeur"), 20, N_("Pour la tension, les deux chiffres : 128/76."))
    moment = _among(N_("Moment, pour une glycémie (facultatif)"), "moment", needed=False)
    start = _when(N_("Mesurée le"), needed=True)
    links = _links(N_("Pour quelle maladie (facultatif)"))
    comment = StringField(lazy(N_("Commentaire (facultatif)")), render_kw={"maxlength": "150"})

    def validate_value(self, field: Any) -> None:
        if not str(field.data or "").strip():
            raise ValidationError(gettext("Écrivez la valeur"))


class TargetForm(Form):
    measure = SelectField(
        lazy(N_("Mesure")),
        [Required(N_("Choisissez une mesure"))],
        choices=[
            ("", lazy(N_("Choisir…"))),
            *((name, lazy(MEASURES[name])) for name, one in measures().items() if len(one.figures) == 1),
        ],
        validate_choice=False,
    )
    low = _text(N_("Pas moins de (facultatif)"), 20)
    high = _text(N_("Pas plus de (facultatif)"), 20)

    def validate_high(self, field: Any) -> None:
        for typed in (field.data, self.low.data):
            if typed and not re.fullmatch(r"\d{1,6}([.,]\d{1,3})?", str(typed).strip()):
                raise ValidationError(gettext("Écrivez un nombre"))
        if not field.data and not self.low.data:
            raise ValidationError(gettext("Écrivez au moins une borne"))


class HabitForm(Form):
    habit = _among(N_("Habitude"), "habit")
    name = StringField(
        lazy(N_("En quelques mots")),
        [Required(N_("Dites de quoi il s’agit"))],
        description=lazy(N_("Par exemple : je marche 30 minutes par jour.")),
        render_kw={"maxlength": "200", "autocomplete": "off"},
    )
    comment = _comment()


class NetworkForm(Form):
    name = _name(N_("Nom du professionnel ou de la structure"))
    role = _among(N_("Son rôle pour vous"), "role")
    about = _text(N_("Métier, lieu (facultatif)"), 200)
    id = HiddenField()
    comment = _comment()


class ContactForm(Form):
    first = StringField(lazy(N_("Prénom")), [Required(N_("Donnez le prénom"))])
    last = StringField(lazy(N_("Nom")), [Required(N_("Donnez le nom"))])
    contact = Ticks(
        lazy(N_("Qui est-ce pour vous ?")),
        [Required(N_("Choisissez au moins un rôle"))],
        choices=[(code, lazy(words)) for code, words in CHOICES["contact"].items()],
    )
    kinship = _among(N_("Lien"), "kinship")
    mobile = StringField(
        lazy(N_("Téléphone mobile")), [Required(N_("Donnez un numéro"))], render_kw={"type": "tel", "maxlength": "20"}
    )
    postal = StringField(
        lazy(N_("Code postal")), [Required(N_("Donnez le code postal"))], render_kw={"maxlength": "10"}
    )
    city = StringField(lazy(N_("Ville")), [Required(N_("Donnez la ville"))], render_kw={"maxlength": "100"})
    street = _text(N_("Rue (facultatif)"), 200)
    country = _text(N_("Pays (facultatif)"), 60)
    phone = _text(N_("Téléphone fixe (facultatif)"), 20)
    mail = _text(N_("Adresse électronique (facultatif)"), 200)


class DonationForm(Form):
    informed = SelectField(
        lazy(N_("Avez-vous été informé sur le don d’organes ?")),
        [Required(N_("Choisissez une réponse"))],
        choices=[("yes", lazy(N_("Oui"))), ("no", lazy(N_("Non")))],
    )


FORMS: Mapping[Section, type[Form]] = {
    Section.ILLNESSES: IllnessForm,
    Section.TREATMENTS: TreatmentForm,
    Section.ALLERGIES: AllergyForm,
    Section.VACCINATIONS: VaccinationForm,
    Section.STAYS: StayForm,
    Section.FAMILY: FamilyForm,
    Section.DISABILITIES: DisabilityForm,
    Section.BLOOD: BloodForm,
    Section.MEASURES: MeasureForm,
    Section.TARGETS: TargetForm,
    Section.HABITS: HabitForm,
    Section.NETWORK: NetworkForm,
    Section.CONTACTS: ContactForm,
    Section.DONATION: DonationForm,
}
LIST_OF: Mapping[Section, str] = {
    Section.ILLNESSES: "illness",
    Section.TREATMENTS: "medicine",
    Section.ALLERGIES: "allergen",
    Section.VACCINATIONS: "vaccine",
    Section.FAMILY: "illness",
    Section.BLOOD: "blood_group",
}
"""The code list behind the name of a line."""
_PLAIN = ("name", "comment", "start", "end", "links", "cip")


def draft_of(section: Section, form: Any, code: Code | None) -> Draft:
    """What the form says."""
    said = {field.name: _joined(field.data) for field in form}
    details = {key: value for key, value in said.items() if key not in _PLAIN and value}
    links = form.links.data or () if "links" in form else ()
    name = said.get("name", "")
    if section is Section.CONTACTS:
        name = f"{said['first']} {said['last']}"
    elif section is Section.DONATION:
        name = "informed"
    elif section in (Section.MEASURES, Section.TARGETS):
        name = said.get("measure", "")
        details |= _figures(section, said)
    return Draft(
        section, name, code, said.get("comment", ""), said.get("start", ""), said.get("end", ""), details, tuple(links)
    )


def values_of(item: Item) -> dict[str, Any]:
    """What a line fills its form with."""
    values: dict[str, Any] = {**item.details, "name": item.name, "comment": item.comment}
    values |= {"start": item.start, "end": item.end, "links": list(item.links)}
    for many in ("contact", "disability"):
        if many in values:
            values[many] = values[many].split(",")
    if item.details.get("systolic"):
        values["value"] = f"{item.details['systolic']}/{item.details['diastolic']}"
    return values


def _figures(section: Section, said: Mapping[str, str]) -> dict[str, str]:
    if section is Section.TARGETS:
        return {one: said[one].replace(",", ".") for one in ("low", "high") if said.get(one)}
    measure = measures().get(said.get("measure", ""))
    if measure is None or len(measure.figures) == 1:
        return {"value": said.get("value", "").replace(",", ".")}
    parts: Sequence[str] = [part.strip().replace(",", ".") for part in said.get("value", "").split("/")]
    parts = [*parts, *("" for _ in measure.figures)]
    return {"value": "", **{figure.name: parts[place] for place, figure in enumerate(measure.figures)}}


def _joined(data: Any) -> str:
    return ",".join(str(one) for one in data) if isinstance(data, list) else str(data or "").strip()
