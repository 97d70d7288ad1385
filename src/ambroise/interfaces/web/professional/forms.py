"""The professional's forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    MultipleFileField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Optional, ValidationError

from ambroise.interfaces.web.identities.words import TRAITS
from ambroise.interfaces.web.ui.forms import Form, HasFiles, Required, Ticks
from ambroise.interfaces.web.ui.i18n import N_, gettext, lazy
from ambroise.modules.identity.api import proofs

MOST_BYTES = 50 * 1024 * 1024


class FindForm(Form):
    ins = StringField(
        lazy(N_("Matricule INS")),
        description=lazy(N_("15 caractères, espaces permis.")),
        render_kw={"autocomplete": "off", "inputmode": "numeric", "maxlength": "21"},
    )
    nom = StringField(lazy(N_("Nom de naissance")), render_kw={"autocomplete": "off"})
    prenom = StringField(lazy(N_("Premier prénom de naissance")), render_kw={"autocomplete": "off"})
    naissance = DateField(lazy(N_("Date de naissance")), [Optional()])
    sexe = SelectField(
        lazy(N_("Sexe")),
        choices=[("", lazy(N_("Choisir…"))), ("female", lazy(N_("Féminin"))), ("male", lazy(N_("Masculin")))],
        validate_choice=False,
    )


def _ticked(field: BooleanField) -> None:
    if not field.data:
        raise ValidationError(str(lazy(N_("Cochez pour dire que la personne accepte"))))


class ConsentForm(Form):
    informe = BooleanField(
        lazy(N_("La personne est informée, et accepte que je consulte son dossier")),
        [Required(N_("Cochez pour dire que la personne accepte"))],
    )
    traitant = BooleanField(
        lazy(N_("Je suis son médecin traitant")),
        description=lazy(N_("Vous verrez aussi les documents masqués, et la personne en est prévenue.")),
    )

    def validate_informe(self, field: BooleanField) -> None:
        _ticked(field)


class OtherForm(Form):
    """Consent for another professional."""

    informe = BooleanField(
        lazy(N_("La personne sait qui lira son dossier et pourquoi, et elle accepte")),
        [Required(N_("Cochez pour dire que la personne accepte"))],
    )

    def validate_informe(self, field: BooleanField) -> None:
        _ticked(field)


class TeamForm(Form):
    """The first consent to a care team."""

    informe = BooleanField(
        lazy(N_("La personne sait qui fait partie de l’équipe et ce que chacun lira, et elle accepte")),
        [Required(N_("Cochez pour dire que la personne accepte"))],
    )

    def validate_informe(self, field: BooleanField) -> None:
        _ticked(field)


class AskForm(Form):
    raison = TextAreaField(
        lazy(N_("Pourquoi demandez-vous à lire son dossier ?")),
        [Required(N_("Écrivez pourquoi vous demandez son accord"))],
        description=lazy(N_("Une phrase, que la personne lira. Par exemple : je prépare votre consultation de jeudi.")),
        render_kw={"rows": "3", "maxlength": "300"},
    )


class EmergencyForm(Form):
    situation = RadioField(
        lazy(N_("Situation")),
        [Required(N_("Choisissez la situation"))],
        choices=[
            ("conscience", lazy(N_("La personne ne peut pas s’exprimer"))),
            ("danger", lazy(N_("Danger immédiat pour sa vie ou sa santé"))),
        ],
    )
    motif = TextAreaField(
        lazy(N_("Motif de l’urgence")),
        [Required(N_("Écrivez pourquoi la vie de la personne est en danger"))],
        description=lazy(N_("Une phrase. La personne la lira.")),
        render_kw={"rows": "3", "maxlength": "500"},
    )


class MisfiledForm(Form):
    pourquoi = TextAreaField(
        lazy(N_("Pourquoi ce document n’est-il pas dans le bon dossier ?")),
        [Required(N_("Dites en quelques mots ce qui montre l’erreur"))],
        description=lazy(N_("Pour le guichet. N’écrivez aucune donnée de santé.")),
        render_kw={"rows": "3", "maxlength": "1000"},
    )


TRAITS_WRONG = "traits"


class _NeededFor:
    """What one sort of report needs and the others do not."""

    def __init__(self, problems: Sequence[str], message: str) -> None:
        self._problems = problems
        self._message = message

    def __call__(self, form: Any, field: Any) -> None:
        given = field.data.strip() if isinstance(field.data, str) else field.data
        if form.probleme.data in self._problems and not given:
            raise ValidationError(gettext(self._message))


class IdentityForm(Form):
    probleme = RadioField(
        lazy(N_("Que signalez-vous ?")),
        [Required(N_("Choisissez ce que vous signalez"))],
        choices=[
            ("doublon", lazy(N_("Un doublon : cette personne a un autre dossier"))),
            ("ins", lazy(N_("Un changement d’INS : cette personne a un nouveau matricule"))),
            (TRAITS_WRONG, lazy(N_("Un trait faux : un nom, un prénom, la date ou le lieu de naissance, le sexe"))),
        ],
    )
    matricule = StringField(
        lazy(N_("Doublon ou changement d’INS : le matricule de l’autre dossier, ou le nouveau")),
        [_NeededFor(("doublon", "ins"), N_("Donnez ce matricule INS"))],
        description=lazy(N_("15 caractères, espaces permis.")),
        render_kw={"autocomplete": "off", "inputmode": "text", "maxlength": "30"},
    )
    traits = Ticks(
        lazy(N_("Trait faux : lesquels")),
        [_NeededFor((TRAITS_WRONG,), N_("Cochez au moins un trait"))],
        choices=[(code, lazy(name)) for code, name in TRAITS.items()],
    )
    piece = SelectField(
        lazy(N_("Trait faux : la pièce d’identité que vous avez vue")),
        [_NeededFor((TRAITS_WRONG,), N_("Choisissez la pièce d’identité que vous avez vue"))],
        choices=[("", lazy(N_("Choisir…"))), *((code, proof.label) for code, proof in proofs().items())],
        default="",
    )
    precisions = TextAreaField(
        lazy(N_("Précisions (trait faux : ce que dit la pièce)")),
        [_NeededFor((TRAITS_WRONG,), N_("Écrivez ce que dit la pièce d’identité"))],
        description=lazy(N_("Pour le guichet. N’écrivez aucune donnée de santé.")),
        render_kw={"rows": "3", "maxlength": "1000"},
    )


class DepositForm(Form):
    """First step: what the document is."""

    type = SelectField(
        lazy(N_("Type de document")),
        validate_choice=False,
        description=lazy(N_("Inutile pour un CDA ou un export XDM (.zip) : ils le disent eux-mêmes.")),
    )
    titre = StringField(
        lazy(N_("Titre (facultatif)")),
        description=lazy(N_("Sans titre, ce sera le nom de chaque fichier.")),
        render_kw={"maxlength": "120", "autocomplete": "off"},
    )
    date = DateField(lazy(N_("Date de l’acte")), [Required(N_("Donnez la date de l’acte"))])
    masque = BooleanField(lazy(N_("Masquer aux autres professionnels, à la demande de la personne")))
    annonce = BooleanField(
        lazy(N_("Ne pas montrer à la personne avant une consultation d’annonce")),
        description=lazy(N_("Elle le verra au plus tard dans un mois.")),
    )
    representants = BooleanField(lazy(N_("Ne pas montrer aux représentants légaux")))
    etape = HiddenField()


class SendForm(DepositForm):
    """Second step: the files, once the identity was read again."""

    fichiers = MultipleFileField(
        lazy(N_("Fichiers")),
        [
            HasFiles(
                N_("Choisissez les fichiers à déposer"),
                N_("Un de ces fichiers dépasse 50 Mo. Choisissez-en un plus petit."),
                MOST_BYTES,
            )
        ],
        description=lazy(
            N_("Choisissez-les ou faites-les glisser ici : dix au plus. PDF, CDA (.xml), image, texte ou XDM (.zip).")
        ),
        render_kw={"accept": ".pdf,.xml,.jpg,.jpeg,.png,.tif,.tiff,.txt,.rtf,.zip", "data-files": ""},
    )
    reunir = BooleanField(
        lazy(N_("Ces photos sont les pages d’un seul document")),
        description=lazy(N_("Elles sont réunies dans un PDF, dans l’ordre où elles sont choisies.")),
    )
