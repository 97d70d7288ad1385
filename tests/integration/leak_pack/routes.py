"""Where each route of the application is looked at for leaks, or why it shows nothing of a record.

Routes on which the walk through the pages meets a mark need no mention: being met is the proof that they are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_HERE = Path(__file__).parent

ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    "test_through_pages.py": ("/historique.csv", "/profil/synthese", "/urgence/{token}"),
    "test_through_copies.py": (
        "/mes-donnees", "/mes-donnees/{id}/telecharger", "/mes-donnees/{id}/supprimer", "/mes-donnees/reprendre",
        "/mes-donnees/reprendre/{id}",
    ),
    "test_through_notices.py": ("/accueil/lu", "/accueil/lu/{id}"),
    "test_through_presence.py": (
        "/vitale", "/vitale/demande", "/vitale/code", "/vitale/montrer", "/vitale/recus", "/vitale/delegations",
        "/vitale/telephone", "/acces/presence", "/pro/presence", "/vitale/v1/verifications", "/vitale/v1/challenges",
    ),
    "test_through_xds.py": ("/xds/repository", "/xds/registry"),
}  # fmt: skip
"""Other parts of the pack, and the routes that they ask."""

NOTHING_OF_A_RECORD: Mapping[str, tuple[str, ...]] = {
    "how the instance does, and files that are the same for everybody": (
        "/static/{name}", "/healthz", "/readyz", "/metrics", "/.well-known/security.txt", "/security.txt", "/aide",
        "/accessibilite", "/vie-privee", "/langue", "/notifications/sw.js", "/vitale/app", "/vitale/heure",
        "/vitale/sw.js", "/vitale/manifest.webmanifest",
    ),
    "what a code printed on a box says, whoever holds the box": ("/profil/vaccinations/scanner",),
    "who one is and how one comes in: accounts, no record": (
        "/", "/connexion", "/connexion/code", "/connexion/activer", "/connexion/cle", "/connexion/code/cle", "/etre",
        "/deconnexion", "/cle/defi", "/cle/premiere", "/cle/premiere/ajouter", "/preuve", "/preuve/cle",
        "/preuve/suite", "/inscription", "/inscription/code", "/inscription/contacts", "/inscription/acces",
        "/inscription/conditions", "/retrouver", "/retrouver/code", "/retrouver/guichet", "/retrouver/mot-de-passe",
        "/alerte", "/opposition", "/opposition/preuve.pdf", "/reglages", "/reglages/mot-de-passe", "/reglages/cles",
        "/reglages/cles/ajouter", "/reglages/securite", "/reglages/securite/application",
        "/reglages/securite/appareils", "/reglages/securite/contact", "/dossier", "/identite",
    ),
    "signing on to other software: who signs on, never for what they are treated": (
        "/auth", "/connexion/pro", "/connexion/pro/attente", "/connexion/pro/etat", "/connexion/pro/certificat",
        "/connexion/pro/certificat/retour", "/connexion/pro/cle", "/connexion/pro/accord", "/connexion/pro/patient",
        "/connexion/pro/portail", "/connexion/pro/portail/retour", "/deconnexion/pro", "/ecps", "/ecps/{id}",
        "/auth/realms/esante-wallet/protocol/openid-connect/logout",
        "/auth/realms/esante-wallet/.well-known/wallet-openid-configuration",
        "/auth/realms/esante-wallet/.well-known/openid-configuration",
        "/auth/realms/esante-wallet/protocol/openid-connect/token",
        "/auth/realms/esante-wallet/protocol/openid-connect/userinfo",
        "/auth/realms/esante-wallet/protocol/openid-connect/token/introspect",
        "/auth/realms/esante-wallet/protocol/openid-connect/revoke",
        "/auth/realms/esante-wallet/protocol/openid-connect/ext/par/request",
        "/auth/realms/esante-wallet/protocol/openid-connect/ext/ciba/auth",
        "/auth/realms/esante-wallet/protocol/openid-connect/ext/smart/launch",
        "/auth/realms/esante-wallet/protocol/openid-connect/certs",
        "/auth/realms/esante-wallet/clients-registrations/openid-connect",
    ),
    "what the caller's own tools put there for the caller's own session (tests/integration/oauth)": (
        "/psc-context-sharing/api/share", "/psc-context-sharing/api/discovery",
        "/psc-context-sharing/api/discovery/{name}", "/fhircast", "/fhircast/{topic}", "/fhircast/bind/{secret}",
        "/fhircast/.well-known/fhircast-configuration",
    ),
    "identities, found by exact traits, counted and traced; directories, open to whoever signs in": (
        "/insi/v1/traits", "/insi/v1/card", "/insi/v1/verification", "/insi/v1/verifications", "/insi/soap",
        "/annuaire/fhir/v2/metadata", "/annuaire/fhir/v2/{type}/_search", "/annuaire/fhir/v2/{type}",
        "/annuaire/fhir/v2/{type}/{id}", "/annuaire-sante", "/pro/annuaire", "/pro/datamatrix", "/pro", "/pro/patients",
        "/pro/patients/{patient}/identite", "/guichet/identites", "/guichet/identites/verifications",
        "/guichet/identites/{patient}/traits", "/guichet/identites/{patient}", "/xds/patients", "/xds/patientsPDQ",
        "/xds/patientsSpecific",
    ),
    "rights and choices: who may, not what is said": (
        "/acces", "/acces/chercher", "/acces/depots", "/acces/depots/structures", "/acces/urgence",
        "/acces/personnes/{id}", "/acces/personnes/{id}/limites", "/espace", "/espace/fermer", "/espace/opposition.pdf",
        "/proches", "/proches/inviter", "/proches/aide", "/proches/aider", "/pro/patients/{patient}/accord",
        "/pro/patients/{patient}/accord/autre", "/pro/patients/{patient}/accord/equipe",
        "/pro/patients/{patient}/demande", "/pro/patients/{patient}/urgence", "/pro/patients/{patient}/urgence/fermer",
        "/pro/patients/{patient}/signaler", "/pro/patients/{patient}/ouvrir", "/reglages/notifications",
        "/reglages/notifications/appareils", "/reglages/notifications/{avant}", "/notifications/refuser",
        "/notifications/envois", "/xds/habilitations",
    ),
    "a form to fill, or what the caller has just sent; the page that follows is looked at": (
        "/documents/ajouter", "/documents/{id}/epingle", "/agenda/grossesse", "/agenda/conseil", "/agenda/acte.ics",
        "/profil/codes/{list}", "/profil/directives", "/profil/directives/{model}", "/profil/urgence",
        "/profil/{section}/ajouter",
    ),
    "the desk: rules, letters on paper, lives of spaces; an operator opens no record": (
        "/courrier", "/guichet/acces", "/guichet/acces/{id}", "/guichet/acces/premiere-cle", "/guichet/acces/collegue",
        "/guichet/envois", "/guichet/espaces", "/guichet/espaces/fichiers", "/guichet/espaces/fichiers/{id}/refus.csv",
        "/guichet/espaces/lettres", "/guichet/espaces/lettres/{id}/{number:int}.pdf", "/guichet/espaces/{id}/lettre",
        "/guichet/proches", "/guichet/matrice", "/guichet/matrice/proposer", "/guichet/matrice/versions",
        "/guichet/prevention", "/guichet/prevention/regle", "/guichet/prevention/changer",
        "/guichet/prevention/nouvelle",
        "/guichet/simulateur", "/guichet/horloge", "/guichet/logiciels", "/guichet/cartes", "/guichet/cartes/{id}",
    ),
}  # fmt: skip


def listed() -> frozenset[str]:
    """Every route that one of the two lists names."""
    return frozenset(path for lists in (ELSEWHERE, NOTHING_OF_A_RECORD) for paths in lists.values() for path in paths)


def absent_files() -> list[str]:
    """Parts of the pack that are named and are not there."""
    return [name for name in ELSEWHERE if not (_HERE / name).exists()]
