"""What a notice is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from msgspec import Struct, field


class Code(StrEnum):
    """The kinds of notices, under the codes of the national client."""

    DOCUMENT_ADDED = "AJOUT_DOCUMENT"
    DOCUMENT_CHANGED = "MODIF_DOCUMENT"
    DOCUMENT_DELETED = "SUPP_DOC"
    PROFESSIONAL_ACCESS = "ACCES_DMP_PS"
    EMERGENCY_ACCESS = "ACCES_BRIS_GLACE"
    WITHHELD_DOCUMENT = "DOC_INVISIBLE_PATIENT"
    """Fourteen days without a disclosure visit (R1111-53). The national list names no code for it."""
    VISIBLE_AGAIN = "REMISE_VISIBILITE_AUTO"
    REPORT_CLOSED = "REPONSE_SUPPORT"
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


class Notice(Struct, frozen=True):
    """One thing told to a citizen. `subject` is the logical id of a document when there is one."""

    id: UUID
    at: datetime
    code: str
    subject: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    read_at: datetime | None = None
