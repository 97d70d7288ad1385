"""The forms of signing in."""

from __future__ import annotations

from wtforms import BooleanField, PasswordField, StringField
from wtforms.widgets import TextInput

from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, lazy


class SignInForm(Form):
    identifiant = StringField(
        lazy(N_("Adresse électronique ou identifiant")),
        [Required(N_("Écrivez votre adresse électronique ou votre identifiant"))],
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    )
    passe = PasswordField(
        lazy(N_("Mot de passe")),
        [Required(N_("Écrivez votre mot de passe"))],
        render_kw={"autocomplete": "current-password"},
    )


class CodeForm(Form):
    code = StringField(
        lazy(N_("Code à 6 chiffres")),
        [Required(N_("Écrivez le code"))],
        description=lazy(N_("Votre application l’affiche, ou nous vous l’envoyons. Un code de secours marche aussi.")),
        widget=TextInput(),
        render_kw={"autocomplete": "one-time-code", "inputmode": "text", "maxlength": "20"},
    )
    retenir = BooleanField(
        lazy(N_("Ne plus demander de code sur cet appareil pendant 30 jours")),
        description=lazy(N_("Seulement si personne d’autre ne l’utilise.")),
    )


class FirstCodeForm(Form):
    code = StringField(
        lazy(N_("Code à 6 chiffres")),
        [Required(N_("Écrivez le code affiché par votre application"))],
        description=lazy(N_("Il prouve que l’application est bien réglée.")),
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "7"},
    )


class PasswordForm(Form):
    passe = PasswordField(
        lazy(N_("Mot de passe actuel")),
        [Required(N_("Écrivez votre mot de passe actuel"))],
        render_kw={"autocomplete": "current-password"},
    )
    nouveau = PasswordField(
        lazy(N_("Nouveau mot de passe")),
        [Required(N_("Écrivez le nouveau mot de passe"))],
        description=lazy(N_("Au moins 12 caractères. Une phrase de quelques mots est facile à retenir.")),
        render_kw={"autocomplete": "new-password"},
    )
