"""Acts that ask to show again who one is: each route declares it, `screen.route(…, proof=Act.SPACE)`, and nothing else.

When the last proof is too old, what was sent is kept, the browser goes to the page `/preuve`, then finishes the act.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from ambroise.interfaces.web.ui.i18n import N_


class Act(StrEnum):
    """What somebody is about to do."""

    SPACE = "espace"
    MEANS = "moyens"
    IDENTITIES = "identites"
    MATRIX = "matrice"
    CLIENTS = "logiciels"
    PREVENTION = "prevention"
    EXPORT = "export"
    DELEGATION = "delegation"


WHY: Mapping[Act, str] = {
    Act.SPACE: N_("Vous allez changer l’état de votre espace : l’ouvrir, le fermer, ou en supprimer les données."),
    Act.MEANS: N_("Vous allez changer les moyens d’entrer dans votre compte."),
    Act.IDENTITIES: N_("Vous allez changer l’identité de quelqu’un."),
    Act.MATRIX: N_("Vous allez changer ce que les professionnels peuvent lire."),
    Act.PREVENTION: N_("Vous allez changer le calendrier de prévention de tout le monde."),
    Act.EXPORT: N_("Vous allez emporter une copie de vos données."),
    Act.DELEGATION: N_("Vous allez laisser quelqu’un agir pour vous."),
    Act.CLIENTS: N_("Vous allez changer les logiciels qui se connectent ici."),
}
"""Why it is asked, in words."""


def draft_of(path: str) -> str:
    """The name under which what was sent to a page waits for the proof."""
    return f"/preuve{path}"
