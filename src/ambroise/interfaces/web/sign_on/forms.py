"""The forms of signing on."""

from __future__ import annotations

from wtforms import StringField
from wtforms.validators import Regexp

from ambroise.interfaces.web.ui.forms import Form, Required
from ambroise.interfaces.web.ui.i18n import N_, lazy


class IdentifierForm(Form):
    identifiant = StringField(
        lazy(N_("Numéro RPPS ou identifiant national")),
        [
            Required(N_("Écrivez votre numéro RPPS")),
            Regexp(r"^\s*[0-9A-Za-z/]{6,40}\s*$", message=lazy(N_("Un numéro RPPS a 11 chiffres"))),
        ],
        description=lazy(N_("11 chiffres, ou 12 avec le premier chiffre de l’identifiant national.")),
        render_kw={"autocomplete": "username", "inputmode": "numeric", "spellcheck": "false"},
    )


class NumberForm(Form):
    nombre = StringField(
        lazy(N_("Nombre affiché sur l’autre écran")),
        [Required(N_("Tapez le nombre affiché sur l’autre écran"))],
        render_kw={"autocomplete": "off", "inputmode": "numeric", "maxlength": "2"},
    )
