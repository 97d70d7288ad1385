"""The citizen's forms."""

from __future__ import annotations

from wtforms import (
    BooleanField,
    DateField,
    FieldList,
    FileField,
    MultipleFileField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)

from ambroise.interfaces.web.categories import CATEGORIES
from ambroise.interfaces.web.ui.forms import Form, HasFiles, Required
from ambroise.interfaces.web.ui.i18n import N_, lazy

MOST_BYTES = 5 * 1024 * 1024
ACCEPTED = ".pdf,.jpg,.jpeg,.png,.tif,.tiff,.txt,.rtf,application/pdf,image/*"
MORE_PAGES = 4
"""Pages that are chosen one by one where no script puts them in order."""
# What a citizen may file under: the categories that have a document type of the citizen's.
OWN_CATEGORIES = (
    "BIOLOGIE",
    "ORD_SOIN",
    "CPT_REND",
    "RADIO_SC",
    "DEPISTAG",
    "CERT_MED",
    "DIR_ANT",
    "DOC_ADM",
    "AUTR_DOC",
)


class AddForm(Form):
    fichier = MultipleFileField(
        lazy(N_("Fichier ou photos")),
        [
            HasFiles(
                N_("Choisissez un fichier ou prenez une photo"),
                N_("Ce fichier dépasse 5 Mo. Choisissez un fichier plus petit."),
                MOST_BYTES,
            )
        ],
        description=lazy(
            N_("PDF, photo ou texte, 5 Mo au plus. Plusieurs photos font un seul document, page après page.")
        ),
        render_kw={"accept": ACCEPTED},
    )
    pages = FieldList(
        FileField(lazy(N_("Page suivante")), render_kw={"accept": "image/*"}),
        min_entries=MORE_PAGES,
        max_entries=MORE_PAGES,
    )
    titre = StringField(
        lazy(N_("Titre du document")),
        [Required(N_("Donnez un titre au document"))],
        description=lazy(N_("Par exemple : radio du poignet.")),
        render_kw={"maxlength": "120", "autocomplete": "off"},
    )
    categorie = SelectField(
        lazy(N_("Catégorie")),
        [Required(N_("Choisissez une catégorie"))],
        choices=[("", lazy(N_("Choisir…"))), *((code, lazy(CATEGORIES[code])) for code in OWN_CATEGORIES)],
        validate_choice=False,
    )
    date = DateField(
        lazy(N_("Date du document")),
        [Required(N_("Donnez la date du document"))],
        description=lazy(N_("Le jour de l’examen ou de la consultation.")),
    )
    visible = RadioField(
        lazy(N_("Qui peut le voir ?")),
        choices=[
            ("soignants", lazy(N_("Moi et mes soignants autorisés"))),
            ("moi", lazy(N_("Moi, pas les professionnels"))),
        ],
        default="soignants",
    )


class ReportForm(Form):
    pourquoi = TextAreaField(
        lazy(N_("Pourquoi ne reconnaissez-vous pas cet accès ?")),
        [Required(N_("Dites en quelques mots ce qui vous étonne"))],
        description=lazy(N_("Par exemple : je ne connais pas cette personne.")),
        render_kw={"rows": "4", "maxlength": "1000"},
    )
    bloquer = BooleanField(lazy(N_("Bloquer cette personne dès maintenant")))


class MisfiledForm(Form):
    pourquoi = TextAreaField(
        lazy(N_("Pourquoi ce document n’est-il pas à vous ?")),
        [Required(N_("Dites en quelques mots pourquoi ce document n’est pas à vous"))],
        description=lazy(N_("Par exemple : il porte un autre nom. N’écrivez aucune donnée de santé.")),
        render_kw={"rows": "4", "maxlength": "1000"},
    )


class EmergencyForm(Form):
    samu = RadioField(
        lazy(N_("Le Samu peut lire mon dossier quand j’appelle le 15")),
        choices=[("oui", lazy(N_("Oui"))), ("non", lazy(N_("Non")))],
    )
    glace = RadioField(
        lazy(N_("Un soignant peut le lire si ma vie est en danger")),
        choices=[("oui", lazy(N_("Oui"))), ("non", lazy(N_("Non")))],
    )
    masques = RadioField(
        lazy(N_("Y compris mes documents masqués, pendant cette urgence")),
        choices=[("oui", lazy(N_("Oui"))), ("non", lazy(N_("Non")))],
    )


class FilingForm(Form):
    masques = RadioField(
        lazy(N_("Les documents des soignants arrivent masqués")),
        choices=[("oui", lazy(N_("Oui"))), ("non", lazy(N_("Non")))],
    )
    depots = RadioField(
        lazy(N_("Les soignants peuvent déposer des documents dans mon dossier")),
        choices=[("oui", lazy(N_("Oui"))), ("non", lazy(N_("Non, je m’y oppose")))],
    )
    motif = TextAreaField(
        lazy(N_("Motif de votre opposition")),
        description=lazy(N_("Seulement si vous vous opposez. N’écrivez aucune donnée de santé.")),
        render_kw={"rows": "3", "maxlength": "500"},
    )
