"""The forms of what protects an account."""

from __future__ import annotations

from wtforms import PasswordField, RadioField, StringField

from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, lazy


class _Confirmed(Form):
    """A change that asks for the present password."""

    passe = PasswordField(
        lazy(N_("Mot de passe actuel")),
        [Required(N_("Écrivez votre mot de passe actuel"))],
        render_kw={"autocomplete": "current-password"},
    )


class CodesByForm(_Confirmed):
    par = RadioField(
        lazy(N_("Mes codes de connexion arrivent")),
        [Required(N_("Choisissez comment recevoir vos codes"))],
        choices=[
            ("mail", lazy(N_("Par mail"))),
            ("sms", lazy(N_("Par SMS"))),
            ("app", lazy(N_("Seulement dans mon application"))),
        ],
    )


class ConfirmForm(_Confirmed):
    """A change that asks for nothing but the password."""


class ApplicationCodeForm(Form):
    code = StringField(
        lazy(N_("Code à 6 chiffres")),
        [Required(N_("Écrivez le code affiché par votre application"))],
        description=lazy(N_("Il prouve que l’application est bien réglée.")),
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "7"},
    )
