"""The face of identity: accounts, signing in, sessions, and the registry of patients' identities (INS)."""

from __future__ import annotations

from ambroise.modules.identity.codes.service import Codes
from ambroise.modules.identity.datamatrix.content import Scanned
from ambroise.modules.identity.datamatrix.content import read as read_datamatrix
from ambroise.modules.identity.datamatrix.face import datamatrix_of
from ambroise.modules.identity.enrolment.model import Claim, Enrolment
from ambroise.modules.identity.enrolment.model import Step as EnrolmentStep
from ambroise.modules.identity.enrolment.service import Enrolments, note_cards
from ambroise.modules.identity.federation.api import Federation, Partner, read_partners
from ambroise.modules.identity.ins import (
    DEFAULT_OID,
    Ins,
    Sex,
    Trait,
    Traits,
    birth_date_of,
    check_ins,
    check_traits,
    comparable,
    differences,
    normal_name,
)
from ambroise.modules.identity.insi import failures as insi_failures
from ambroise.modules.identity.insi.batch import Claim as InsiClaim
from ambroise.modules.identity.insi.batch import Verified as InsiVerified
from ambroise.modules.identity.insi.batch import verify_many as verify_insi_many
from ambroise.modules.identity.insi.failures import Failure as InsiFailure
from ambroise.modules.identity.insi.lexical import normal_query
from ambroise.modules.identity.insi.magic import add_people as add_insi_people
from ambroise.modules.identity.insi.model import Answer as InsiAnswer
from ambroise.modules.identity.insi.model import CardQuery as InsiCard
from ambroise.modules.identity.insi.model import Operation as InsiOperation
from ambroise.modules.identity.insi.model import Outcome as InsiOutcome
from ambroise.modules.identity.insi.model import TraitsQuery as InsiTraits
from ambroise.modules.identity.insi.service import Insi, check_software, query_of
from ambroise.modules.identity.insi.service import limits as insi_limits
from ambroise.modules.identity.model import (
    Account,
    AccountKind,
    DeviceToken,
    Draft,
    Emergency,
    NewAccount,
    NotSignedIn,
    Origin,
    PasswordHash,
    Session,
    SessionToken,
    SignedIn,
    SignInMeans,
    SignInProblem,
    Situation,
    TotpEnrolment,
)
from ambroise.modules.identity.passkeys.inviting import Invitations
from ambroise.modules.identity.passkeys.model import Ceremony, Passkey, RelyingParty
from ambroise.modules.identity.passkeys.model import Purpose as PasskeyPurpose
from ambroise.modules.identity.passkeys.service import Passkeys
from ambroise.modules.identity.passkeys.service import Reply as PasskeyReply
from ambroise.modules.identity.passkeys.vouching import Vouching
from ambroise.modules.identity.passwords import Weakness, hash_password, weakness
from ambroise.modules.identity.passwords import hash_in_thread as hash_password_in_thread
from ambroise.modules.identity.passwords import matches as password_matches
from ambroise.modules.identity.protection.devices import Devices
from ambroise.modules.identity.protection.factors import Factors
from ambroise.modules.identity.protection.model import Alert, AlertKind, CodesBy, Device, Protection, Ways
from ambroise.modules.identity.protection.reaching import Reaching
from ambroise.modules.identity.protection.recovery.rescue import Rescues
from ambroise.modules.identity.protection.recovery.service import RECOVERY_ASKED, Recovery
from ambroise.modules.identity.provider.api import Provider
from ambroise.modules.identity.proving import Proofs
from ambroise.modules.identity.registry.desk import IdentityDesk
from ambroise.modules.identity.registry.desk import require_duty as require_identity_duty
from ambroise.modules.identity.registry.model import PatientIdentity
from ambroise.modules.identity.registry.repository import (
    TrustLine,
    count_born,
    enter_many,
    erase,
    homonyms,
    identity_of,
    identity_under,
    known_among,
)
from ambroise.modules.identity.registry.repository import lines as trust_lines
from ambroise.modules.identity.registry.service import (
    change_ins,
    follow_resource,
    join,
    on_patient_created,
    on_patient_updated,
    open_for,
)
from ambroise.modules.identity.registry.trust import Attribute, Change, Proof, Status, Trust, proofs
from ambroise.modules.identity.repository import carry_sessions, having_account, restore_departed, suspend_departed
from ambroise.modules.identity.repository import delete_account_of as forget_account
from ambroise.modules.identity.sealing import KeySealer
from ambroise.modules.identity.service import Identity
from ambroise.modules.identity.tokens import Sealer, form_token
from ambroise.modules.identity.tracing import operator_named

__all__ = [
    "DEFAULT_OID",
    "RECOVERY_ASKED",
    "Account",
    "AccountKind",
    "Alert",
    "AlertKind",
    "Attribute",
    "Ceremony",
    "Change",
    "Claim",
    "Codes",
    "CodesBy",
    "Device",
    "DeviceToken",
    "Devices",
    "Draft",
    "Emergency",
    "Enrolment",
    "EnrolmentStep",
    "Enrolments",
    "Factors",
    "Federation",
    "Identity",
    "IdentityDesk",
    "Ins",
    "Insi",
    "InsiAnswer",
    "InsiCard",
    "InsiClaim",
    "InsiFailure",
    "InsiOperation",
    "InsiOutcome",
    "InsiTraits",
    "InsiVerified",
    "Invitations",
    "KeySealer",
    "NewAccount",
    "NotSignedIn",
    "Origin",
    "Partner",
    "Passkey",
    "PasskeyPurpose",
    "PasskeyReply",
    "Passkeys",
    "PasswordHash",
    "PatientIdentity",
    "Proof",
    "Proofs",
    "Protection",
    "Provider",
    "Reaching",
    "Recovery",
    "RelyingParty",
    "Rescues",
    "Scanned",
    "Sealer",
    "Session",
    "SessionToken",
    "Sex",
    "SignInMeans",
    "SignInProblem",
    "SignedIn",
    "Situation",
    "Status",
    "TotpEnrolment",
    "Trait",
    "Traits",
    "Trust",
    "TrustLine",
    "Vouching",
    "Ways",
    "Weakness",
    "add_insi_people",
    "birth_date_of",
    "carry_sessions",
    "change_ins",
    "check_ins",
    "check_software",
    "check_traits",
    "comparable",
    "count_born",
    "datamatrix_of",
    "differences",
    "enter_many",
    "erase",
    "follow_resource",
    "forget_account",
    "form_token",
    "hash_password",
    "hash_password_in_thread",
    "having_account",
    "homonyms",
    "identity_of",
    "identity_under",
    "insi_failures",
    "insi_limits",
    "join",
    "known_among",
    "normal_name",
    "normal_query",
    "note_cards",
    "on_patient_created",
    "on_patient_updated",
    "open_for",
    "operator_named",
    "password_matches",
    "proofs",
    "query_of",
    "read_datamatrix",
    "read_partners",
    "require_identity_duty",
    "restore_departed",
    "suspend_departed",
    "trust_lines",
    "verify_insi_many",
    "weakness",
]
