"""Which pages are pictured, and through whose eyes."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from ambroise.interfaces.web.profiles import FACES

NADIA, MARCEL, INES, LEO, ALAIN = "Nadia Exemple", "Marcel Fictif", "Ines Modele", "Leo Modele", "Alain Exemple"
DOMINIQUE, DOCTOR, DESK = "Dominique Pat-Trois", "Camille Temoin", "Paul Guichet"

# Whose documents are looked at: the sample documents are Dominique's.
READERS = (DOMINIQUE, NADIA, MARCEL, INES, LEO, ALAIN)


class Place(Struct, frozen=True):
    """One page as somebody sees it.

    `press`: the button that is pressed there before the picture is taken. `about`: the patient of a professional, below
    whose record the address is.
    """

    group: str
    who: str
    address: str
    press: str = ""
    about: str = ""


_CITIZEN = {
    "home": ("/accueil",),
    "documents": (
        "/documents",
        "/documents?mots=glyc%C3%A9mie",
        "/documents?mots=zzz",
        "/documents/ranger",
        "/documents/ajouter",
        "/documents/emporter",
    ),
    "access": ("/acces", "/acces/comme", "/acces/urgence", "/acces/depots", "/acces/chercher", "/historique"),
    "profile": ("/profil", "/profil/synthese", "/profil/directives", "/profil/vaccinations/scanner", "/annuaire-sante"),
    "prevention": ("/agenda",),
    "notices": ("/notifications", "/notifications/envois", "/reglages/notifications"),
    "theirs": ("/mes-donnees", "/mes-donnees/reprendre", "/espace", "/espace/fermer"),
    "people": ("/proches", "/identite", "/reglages"),
}
_OF_PATIENT = {
    "documents": ("", "?filtre=glyc%C3%A9mie"),
    "profile": ("/synthese", "/synthese/rediger", "/mesures", "/vaccinations", "/vaccinations/noter"),
    "prevention": ("/prevention",),
    "duplicates": ("/examens",),
    "deposit": ("/deposer",),
    "theirs": ("/exporter",),
    "identity": ("/identite", "/accord", "/urgence", "/signaler"),
}
_DESK = (
    "/guichet",
    "/guichet/prevention",
    "/guichet/matrice",
    "/guichet/espaces",
    "/guichet/envois",
    "/guichet/proches",
)


def citizens() -> Iterator[Place]:
    """The pages of the citizen's portal."""
    for group, addresses in _CITIZEN.items():
        for address in addresses:
            yield Place(group, NADIA, address)
    for who in (INES, LEO, ALAIN):
        yield Place("prevention", who, "/agenda")
    yield Place("prevention", INES, "/agenda/grossesse")
    yield Place("prevention", ALAIN, "/agenda/bilan?tranche=60-65")
    yield Place("emergency", NADIA, "/profil/urgence")
    yield Place("emergency", NADIA, "/profil/urgence", press="main button.main")


def profiles() -> Iterator[Place]:
    """Every section of the medical profile: read, and filled in."""
    for face in FACES.values():
        yield Place("profile", NADIA, f"/profil/{face.address}")
        yield Place("profile", NADIA, f"/profil/{face.address}/ajouter")
    yield Place("profile", MARCEL, "/profil/handicaps")
    yield Place("profile", LEO, "/profil/mesures")


def professionals() -> Iterator[Place]:
    """The pages of the professional's portal about one patient."""
    for group, ends in _OF_PATIENT.items():
        for end in ends:
            yield Place(group, DOCTOR, end, about=NADIA)


def desks() -> Iterator[Place]:
    """The pages of the desk."""
    for address in _DESK:
        yield Place("desk", DESK, address)


def pages() -> Iterator[Place]:
    """All of them, but the documents."""
    yield from citizens()
    yield from profiles()
    yield from professionals()
    yield from desks()
