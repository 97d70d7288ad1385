"""Every way a call of the INSi service fails: the code of ours, and the SOAP fault it is said by.

`siram` and `detail` are the codes of the fault (Subcode, and the code of siram:Erreur). Those of `PUBLISHED` were read
in public fixtures of clients of the real service; the others begin with `amb_`, so that nobody takes them for the
national service's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NoReturn

from msgspec import Struct

from ambroise.kernel.errors import Kind, Refusal

PUBLISHED: Final = frozenset({"insi_19", "insi_102", "desir_550"})

_UNREACHABLE: Final = (
    "Le service est temporairement inaccessible. Veuillez renouveler votre demande ultérieurement. Si le problème "
    "persiste, contactez l'éditeur du progiciel ou votre responsable informatique."
)
_SOFTWARE: Final = (
    "L'accès par ce progiciel au service n'est pas autorisé. Contactez l'éditeur du progiciel ou votre responsable "
    "informatique."
)
_REQUEST: Final = "La demande est incorrecte."
_CALLER: Final = "L'appelant n'est pas autorisé à utiliser ce service."


class Failure(Struct, frozen=True):
    """One failure. `reason` and `detail_text` are what the fault says; `hint` what a developer reads."""

    code: str
    kind: Kind
    siram: str
    detail: str
    reason: str
    detail_text: str
    hint: str
    severity: str = "erreur"

    @property
    def of_the_sender(self) -> bool:
        """Whether the fault is the caller's (Sender) rather than ours (Receiver)."""
        return self.kind not in (Kind.UNAVAILABLE, Kind.THROTTLED)

    def raised(self, **data: Any) -> NoReturn:
        """Refuse with this failure."""
        raise Refusal(self.kind, self.code, self.hint, data=data)


NAME_MISSING: Final = Failure(
    "INSI_NAME_MISSING", Kind.INVALID, "siram_10", "insi_19", _REQUEST,
    "Le champ nom de naissance est obligatoire", "Give the birth name.",
)  # fmt: skip
FIELD_MISSING: Final = Failure(
    "INSI_FIELD_MISSING", Kind.INVALID, "siram_10", "amb_01", _REQUEST,
    "Un champ obligatoire est absent.", "Give at least one first name, the sex and the birth date.",
)  # fmt: skip
LEXICAL: Final = Failure(
    "INSI_LEXICAL", Kind.UNPROCESSABLE, "siram_10", "amb_02", _REQUEST,
    "Un nom ou un prénom comporte un caractère ou un enchaînement interdit.",
    "Names hold A to Z, space, apostrophe and hyphen; write Œ as OE, drop accents, send nothing else.",
)  # fmt: skip
VALUE: Final = Failure(
    "INSI_VALUE", Kind.INVALID, "siram_10", "amb_03", _REQUEST,
    "Le sexe, la date ou le lieu de naissance est mal formé.",
    "Sex is M or F, the date YYYY-MM-DD and not to come, the place a COG code of 5 characters.",
)  # fmt: skip
MATRICULE: Final = Failure(
    "INSI_MATRICULE", Kind.UNPROCESSABLE, "siram_10", "amb_04", _REQUEST,
    "Le matricule est mal formé, sa clé est fausse, ou son OID n'est pas celui d'un INS.",
    "Check the 13 characters, the key and the OID of the INS.",
)  # fmt: skip
MALFORMED: Final = Failure(
    "INSI_MALFORMED", Kind.INVALID, "siram_10", "amb_05", _REQUEST,
    "Le message n'est pas conforme au WSDL.", "Send the message that the WSDL describes.",
)  # fmt: skip
TOO_LARGE: Final = Failure(
    "INSI_TOO_LARGE", Kind.TOO_LARGE, "siram_10", "amb_06", _REQUEST,
    "Le message est trop long.", "A message holds at most 64 KB.",
)  # fmt: skip
OPERATION: Final = Failure(
    "INSI_OPERATION", Kind.UNSUPPORTED, "siram_10", "amb_07", _REQUEST,
    "L'opération demandée n'existe pas. La récupération se fait une personne à la fois.",
    "The operations are those of the WSDL; identities are recovered one at a time, never in a batch.",
)  # fmt: skip
UNAUTHENTICATED: Final = Failure(
    "UNAUTHENTICATED", Kind.UNAUTHENTICATED, "siram_100", "amb_10", _CALLER,
    "Le jeton est absent, expiré ou invalide.", "Send `Authorization: Bearer …` with a professional's token.",
)  # fmt: skip
CALLER: Final = Failure(
    "INSI_CALLER", Kind.FORBIDDEN, "siram_100", "amb_11", _CALLER,
    "Ce service est réservé aux professionnels et aux structures.",
    "Professionals, the systems of structures, and operators who answer for identities may call.",
)  # fmt: skip
ASSERTION: Final = Failure(
    "INSI_ASSERTION", Kind.FORBIDDEN, "siram_100", "amb_12", _CALLER,
    "L'assertion ne correspond pas à l'appelant, ou il y manque un attribut obligatoire.",
    "The assertion names the caller of the token, with identifiantFacturation, and codeSpecialiteAMO for doctors.",
)  # fmt: skip
SOFTWARE: Final = Failure(
    "INSI_SOFTWARE", Kind.FORBIDDEN, "siram_100", "desir_550", _SOFTWARE,
    "Numéro d'autorisation du logiciel inconnu.", "Give the authorisation number (IDAM) of the software.",
)  # fmt: skip
THROTTLED: Final = Failure(
    "INSI_THROTTLED", Kind.THROTTLED, "siram_40", "amb_20", _UNREACHABLE,
    "Trop d'appels : patientez une minute.", "Too many calls; wait a minute.",
)  # fmt: skip
UNAVAILABLE: Final = Failure(
    "INSI_UNAVAILABLE", Kind.UNAVAILABLE, "siram_40", "insi_102", _UNREACHABLE,
    "L'appel au service de recherche avec les traits d'identité renvoie une erreur technique.",
    "The service does not answer; try again later.", severity="fatal",
)  # fmt: skip

FAILURES: Final[Mapping[str, Failure]] = MappingProxyType(
    {
        one.code: one
        for one in (
            NAME_MISSING, FIELD_MISSING, LEXICAL, VALUE, MATRICULE, MALFORMED, TOO_LARGE, OPERATION, UNAUTHENTICATED,
            CALLER, ASSERTION, SOFTWARE, THROTTLED, UNAVAILABLE,
        )
    }
)  # fmt: skip


def failure_of(refusal: Refusal) -> Failure:
    """The failure that a refusal amounts to; anything that is none of the table is a technical error of ours."""
    if refusal.kind is Kind.UNAUTHENTICATED:
        return UNAUTHENTICATED
    return FAILURES.get(refusal.code, UNAVAILABLE)
