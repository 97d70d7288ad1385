"""The forms of opening an account."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, DateField, PasswordField, RadioField, StringField
from wtforms.validators import ValidationError

from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy


class _When:
    """Something must be written when another field says so."""

    def __init__(self, choice: str, message: str) -> None:
        self._choice, self._message = choice, message

    def __call__(self, form: Any, field: Any) -> None:
        if form.moyen.data == self._choice and not (field.data or "").strip():
            raise ValidationError(gettext(self._message))


class WhoForm(Form):
    numero = StringField(
        lazy(N_("Numéro de sécurité sociale")),
        [Required(N_("Écrivez votre numéro de sécurité sociale"))],
        description=lazy(N_("15 chiffres, sur votre carte Vitale.")),
        render_kw={"inputmode": "text", "autocomplete": "off", "maxlength": "21"},
    )
    naissance = DateField(
        lazy(N_("Date de naissance")),
        [Required(N_("Écrivez votre date de naissance"))],
        render_kw={"autocomplete": "bday"},
    )
    moyen = RadioField(
        lazy(N_("Pour vous reconnaître")),
        choices=[("noms", lazy(N_("Vos noms de naissance"))), ("carte", lazy(N_("Le numéro de votre carte Vitale")))],
        default="noms",
    )
    nom = StringField(
        lazy(N_("Nom de naissance")),
        [_When("noms", N_("Écrivez votre nom de naissance"))],
        render_kw={"autocomplete": "family-name"},
    )
    prenom = StringField(
        lazy(N_("Premier prénom de naissance")),
        [_When("noms", N_("Écrivez votre premier prénom"))],
        render_kw={"autocomplete": "given-name"},
    )
    carte = StringField(
        lazy(N_("Numéro de la carte Vitale")),
        [_When("carte", N_("Écrivez le numéro de votre carte Vitale"))],
        description=lazy(N_("Sous la photo, ou au dos en haut. Si la carte est à plusieurs, écrivez aussi les noms.")),
        render_kw={"inputmode": "numeric", "autocomplete": "off", "maxlength": "30"},
    )


class ProofForm(Form):
    code = StringField(
        lazy(N_("Code reçu")),
        [Required(N_("Écrivez le code reçu"))],
        description=lazy(N_("6 chiffres, valables 10 minutes.")),
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "7"},
    )


class MailForm(Form):
    mail = StringField(
        lazy(N_("Adresse électronique")),
        [Required(N_("Écrivez votre adresse électronique"))],
        render_kw={"autocomplete": "email", "inputmode": "email", "autocapitalize": "none"},
    )


class PhoneForm(Form):
    sms = StringField(
        lazy(N_("Téléphone portable")),
        [Required(N_("Écrivez votre numéro de téléphone portable"))],
        render_kw={"autocomplete": "tel", "inputmode": "tel"},
    )


class AccessForm(Form):
    identifiant = StringField(
        lazy(N_("Identifiant")),
        [Required(N_("Écrivez un identifiant"))],
        description=lazy(N_("Au moins 8 lettres sans accent ou chiffres ; point, tiret et tiret bas admis.")),
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false", "maxlength": "64"},
    )
    nouveau = PasswordField(
        lazy(N_("Mot de passe")),
        [Required(N_("Écrivez un mot de passe"))],
        description=lazy(
            N_(
                "12 caractères, une phrase par exemple. Ou 9, avec minuscule, majuscule, chiffre et caractère "
                "spécial. Ni nom ni date de naissance."
            )
        ),
        render_kw={"autocomplete": "new-password"},
    )


class TermsForm(Form):
    accord = BooleanField(
        lazy(N_("J’accepte les conditions d’utilisation")),
        [Required(N_("Acceptez les conditions pour continuer"))],
    )

    def validate_accord(self, field: Any) -> None:
        if not field.data:
            raise ValidationError(gettext("Acceptez les conditions pour continuer"))
