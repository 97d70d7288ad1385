"""The forms of a forgotten password."""

from __future__ import annotations

from wtforms import PasswordField, RadioField, StringField
from wtforms.widgets import TextInput

from ambroise.interfaces.web.entrance.enrolment_forms import WhoForm
from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, lazy


class ForgottenForm(WhoForm):
    canal = RadioField(
        lazy(N_("Où recevoir le code")),
        choices=[("mail", lazy(N_("À mon adresse mail vérifiée"))), ("sms", lazy(N_("Sur mon mobile vérifié")))],
        default="mail",
    )


class RecoveryCodeForm(Form):
    code = StringField(
        lazy(N_("Code reçu")),
        [Required(N_("Écrivez le code"))],
        description=lazy(N_("Six chiffres, ou le code que le guichet vous a donné.")),
        widget=TextInput(),
        render_kw={"autocomplete": "one-time-code", "inputmode": "text", "maxlength": "20"},
    )


class NewPasswordForm(Form):
    nouveau = PasswordField(
        lazy(N_("Nouveau mot de passe")),
        [Required(N_("Écrivez le nouveau mot de passe"))],
        description=lazy(N_("12 caractères, ou 9 avec minuscule, majuscule, chiffre et caractère spécial.")),
        render_kw={"autocomplete": "new-password"},
    )
