"""What a notice is: its code, and the kind by which people say what they want to be told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from msgspec import Struct, field


class Code(StrEnum):
    """The kinds of notices, under the codes of the national client."""

    DOCUMENT_ADDED = "AJOUT_DOCUMENT"
    DOCUMENT_CHANGED = "MODIF_DOCUMENT"
    DOCUMENT_DELETED = "SUPP_DOC"
    DOCUMENT_READ = "CONSULT_DOCUMENT"
    PROFESSIONAL_ACCESS = "ACCES_DMP_PS"
    EMERGENCY_ACCESS = "ACCES_BRIS_GLACE"
    WITHHELD_DOCUMENT = "DOC_INVISIBLE_PATIENT"
    """Fourteen days without a disclosure visit (R1111-53). The national list names no code for it."""
    VISIBLE_AGAIN = "REMISE_VISIBILITE_AUTO"
    VACCINATION_ADDED = "AJOUT_VACCINATION"
    VACCINATION_READ = "CONSULT_VACCINATION"
    RELATIVE_ADDED = "AJOUT_ENTOURAGE"
    GLUCOSE_COPIED = "COPIE_DOC_AJOUT_GLYCEMIE"
    HBA1C_COPIED = "COPIE_DOC_AJOUT_HBA1C"
    HEIGHT_COPIED = "COPIE_DOC_AJOUT_TAILLE"
    WEIGHT_COPIED = "COPIE_DOC_AJOUT_POIDS"
    HEAD_COPIED = "COPIE_DOC_AJOUT_PC"
    HISTORY_FED = "PRIMO_ALIM_MHS"
    PREVENTION_REMINDER = "RAPPEL_RDV_PREV"
    VACCINE_REMINDER = "RAPPEL_RDV_PREV_VACC"
    SCREENING_REMINDER = "RAPPEL_RDV_PREV_DEPIST"
    PLAN_FOLLOW_UP = "SUIVI_PLAN_PREVENTION"
    """Where one stands with a prevention plan. The national list names no code for it."""
    DIRECTIVES_REMINDER = "RAPPEL_MODIF_DA"
    REPORT_CLOSED = "REPONSE_SUPPORT"
    EMERGENCY_CODE = "CODE_URGENCE_OUVERT"
    """Somebody opened the emergency code. The national list names no code for it."""
    INVITED = "PARTAGE_PROFIL_AIDANT"
    INVITATION_ACCEPTED = "ACCORD_PARTAGE_PROFIL"
    INVITATION_REFUSED = "REFUS_PARTAGE_PROFIL"
    ENDED_BY_CARER = "REVOCATION_PAR_AIDANT"
    ENDED_BY_HOLDER = "REVOCATION_PAR_AIDE"
    OF_AGE = "RAPPEL_CONSENT_PASSAGE_MAJO"
    CHILD_OF_AGE = "RAPPEL_CONSENT_RL_PASSAGE_MAJO"
    CONSENT_RECORDED = "ACCORD_ENREGISTRE"
    """A professional recorded the holder's consent. The national list names no code for it."""
    HELP_BEGAN = "AIDE_SUR_PLACE"
    """A mediator helps. The national list names no code for it."""
    SPACE_OPENED = "ESPACE_OUVERT"
    """This code and those that follow tell the life of the space; the national list names none for them."""
    SPACE_CLOSED = "ESPACE_FERME"
    SPACE_SUSPENDED = "ESPACE_SUSPENDU"
    SPACE_BACK = "ESPACE_ROUVERT"
    SPACE_DELETION = "ESPACE_SUPPRESSION"
    EXPORT_READY = "EXPORT_PRET"
    """A copy of everything is ready, or failed; a record was read in. The national list names no codes for them."""
    EXPORT_FAILED = "EXPORT_ECHEC"
    IMPORT_DONE = "IMPORT_TERMINE"
    MAIL_RETURNED = "MAIL_REVENU"
    """Mails to the holder come back, so no more are sent. The national list names no code for it."""


class Kind(StrEnum):
    """What people choose about: the sorts of notices, for which a channel is wanted or not."""

    DOCUMENTS = "documents"
    ACCESSES = "accesses"
    EMERGENCIES = "emergencies"
    REMINDERS = "reminders"
    SERVICES = "services"
    SCREENING = "screening"
    RELATIVES = "relatives"
    SECURITY = "security"


_KINDS: Final[Mapping[Kind, frozenset[Code]]] = {
    Kind.DOCUMENTS: frozenset(
        {
            Code.DOCUMENT_ADDED,
            Code.DOCUMENT_CHANGED,
            Code.DOCUMENT_DELETED,
            Code.WITHHELD_DOCUMENT,
            Code.VISIBLE_AGAIN,
            Code.VACCINATION_ADDED,
            Code.GLUCOSE_COPIED,
            Code.HBA1C_COPIED,
            Code.HEIGHT_COPIED,
            Code.WEIGHT_COPIED,
            Code.HEAD_COPIED,
            Code.HISTORY_FED,
        }
    ),
    Kind.ACCESSES: frozenset(
        {
            Code.PROFESSIONAL_ACCESS,
            Code.DOCUMENT_READ,
            Code.VACCINATION_READ,
            Code.CONSENT_RECORDED,
            Code.REPORT_CLOSED,
        }
    ),
    Kind.EMERGENCIES: frozenset({Code.EMERGENCY_ACCESS, Code.EMERGENCY_CODE}),
    Kind.REMINDERS: frozenset(
        {Code.PREVENTION_REMINDER, Code.VACCINE_REMINDER, Code.PLAN_FOLLOW_UP, Code.DIRECTIVES_REMINDER}
    ),
    Kind.SCREENING: frozenset({Code.SCREENING_REMINDER}),
    Kind.RELATIVES: frozenset(
        {
            Code.RELATIVE_ADDED,
            Code.INVITED,
            Code.INVITATION_ACCEPTED,
            Code.INVITATION_REFUSED,
            Code.ENDED_BY_CARER,
            Code.ENDED_BY_HOLDER,
            Code.OF_AGE,
            Code.CHILD_OF_AGE,
            Code.HELP_BEGAN,
        }
    ),
    Kind.SECURITY: frozenset(
        {
            Code.SPACE_OPENED,
            Code.SPACE_CLOSED,
            Code.SPACE_SUSPENDED,
            Code.SPACE_BACK,
            Code.SPACE_DELETION,
            Code.EXPORT_READY,
            Code.EXPORT_FAILED,
            Code.IMPORT_DONE,
            Code.MAIL_RETURNED,
        }
    ),
}
_KIND_OF: Final[Mapping[str, Kind]] = {code.value: kind for kind, codes in _KINDS.items() for code in codes}


def kind_of(code: str) -> Kind:
    """The kind of a notice."""
    return _KIND_OF[code]


def codes_of(kind: Kind) -> frozenset[Code]:
    """The codes of a kind; none for the services, which nothing synchronises yet."""
    return _KINDS.get(kind, frozenset())


class Notice(Struct, frozen=True):
    """One thing told to a citizen. `subject` is the logical id of a document when there is one."""

    id: UUID
    at: datetime
    code: str
    subject: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    read_at: datetime | None = None
