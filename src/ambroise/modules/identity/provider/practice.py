"""What the provider tells of a professional: UserInfo in the shape of Pro Santé Connect (scope `scope_all`).

Every value is a string, empty when the directory does not know it. It holds every exercise and activity: which one is
practised now is the situation chosen at the sign-in, that the first claims describe.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ambroise.modules.directory.api import Found
from ambroise.modules.identity.model import Account, Situation
from ambroise.modules.identity.provider.model import SCOPE_ALL, Assurance

_PROFESSION_OID = "1.2.250.1.213.1.1.5.5"
_SECTOR_OID = "1.2.250.1.71.4.2.4"
_TIER_OID = "1.2.250.1.213.1.5.1.1.1"
_POLICY = "1.2.250.1.213.1.3.1.1"
# TRE_R09: the directory holds professionals in practice, who are all of the civil category.
_CIVIL = "C"
# TRE_R22: care and pharmacy.
_CARE = "GENR01"


def other_ids(account: Account) -> list[dict[str, Any]]:
    """Claim `otherIds`."""
    return [{"identifiant": account.professional or "", "origine": "RPPS", "qualite": 1}]


def user_info(
    account: Account, found: Sequence[Found], situation: int, scopes: Sequence[str], assurance: Assurance, subject: str
) -> dict[str, Any]:
    """The answer of UserInfo. `found`: the professional in each situation, from the directory; empty when unknown."""
    if SCOPE_ALL not in scopes:
        return {"sub": subject, "preferred_username": account.professional}
    chosen = account.situations[min(situation, len(account.situations) - 1)] if account.situations else None
    line = next((one for one in found if one.structure and chosen and _is_at(one, chosen)), None)
    sector = line.structure.facility if line and line.structure and line.structure.facility else ""
    given, family = _names(account, found)
    professions = dict.fromkeys(one.profession for one in account.situations)
    return {
        "sub": subject,
        "preferred_username": account.professional,
        "SubjectNameID": account.professional,
        "given_name": given,
        "family_name": family,
        "email_verified": False,
        "Secteur_Activite": f"{sector}^{_SECTOR_OID}" if sector else "",
        "SubjectOrganization": (chosen.organization_name or "") if chosen else "",
        "SubjectOrganizationID": (chosen.organization or "") if chosen else "",
        "SubjectRole": [f"{profession}^{_PROFESSION_OID}" for profession in professions],
        "Mode_Acces_Raison": "",
        "Acces_Regulation_Medicale": "FAUX",
        "UITVersion": "1.0",
        "Palier_Authentification": f"{assurance.tier}^{_TIER_OID}",
        "PSI_Locale": _POLICY,
        "otherIds": other_ids(account),
        "SubjectRefPro": {
            "codeCivilite": _civility(found),
            "exercices": _exercises(account, found, given, family),
        },
    }


def _exercises(account: Account, found: Sequence[Found], given: str, family: str) -> list[dict[str, Any]]:
    """One exercise for each profession and specialty, with the activities of it."""
    exercises: dict[tuple[str, str | None], dict[str, Any]] = {}
    title = next((one.entry.title for one in found if one.entry.title), None)
    for situation in account.situations:
        exercise = exercises.setdefault(
            (situation.profession, situation.specialty),
            {
                "codeProfession": situation.profession,
                "codeCategorieProfessionnelle": _CIVIL,
                "codeCiviliteDexercice": (title or "").upper(),
                "nomDexercice": family,
                "prenomDexercice": given,
                "codeTypeSavoirFaire": "S" if situation.specialty else "",
                "codeSavoirFaire": situation.specialty or "",
                "activities": [],
            },
        )
        exercise["activities"].append(
            _activity(situation, next((one for one in found if _is_at(one, situation)), None))
        )
    return list(exercises.values())


def _activity(situation: Situation, found: Found | None) -> dict[str, str]:
    place = found.structure if found else None
    number = situation.organization or ""
    prefix, value = number[:1], number[1:]
    return {
        "codeModeExercice": "",
        "codeSecteurDactivite": (place.facility or "") if place else "",
        "codeSectionPharmacien": "",
        "codeRole": "",
        "codeGenreActivite": _CARE,
        "numeroSiretSite": value if prefix == "3" else "",
        "numeroSirenSite": value if prefix == "2" else "",
        "numeroFinessSite": value if prefix == "1" else "",
        "numeroFinessetablissementJuridique": "",
        "identifiantTechniqueDeLaStructure": number,
        "raisonSocialeSite": (place.name if place else situation.organization_name) or "",
        "enseigneCommercialeSite": "",
        "complementDestinataire": "",
        "complementPointGeographique": "",
        "numeroVoie": "",
        "indiceRepetitionVoie": "",
        "codeTypeDeVoie": "",
        "libelleVoie": (place.address_line or "") if place else "",
        "mentionDistribution": "",
        "bureauCedex": "",
        "codePostal": (place.postal_code or "") if place else "",
        "codeCommune": "",
        "codePays": "",
        "telephone": (place.phone or "") if place else "",
        "telephone2": "",
        "telecopie": "",
        "adresseEMail": (place.email or "") if place else "",
        "codeDepartement": _department(place.postal_code) if place and place.postal_code else "",
        "ancienIdentifiantDeLaStructure": "",
        "autoriteDenregistrement": "",
    }


def _is_at(found: Found, situation: Situation) -> bool:
    return found.structure is not None and found.structure.id_nat == situation.organization


def _names(account: Account, found: Sequence[Found]) -> tuple[str, str]:
    if found:
        return found[0].entry.given, found[0].entry.family
    given, _, family = account.display_name.rpartition(" ")
    return given, family


def _civility(found: Sequence[Found]) -> str:
    """TRE_R81: `M` or `MME`."""
    sex = found[0].entry.sex if found else None
    return {"male": "M", "M": "M", "female": "MME", "F": "MME"}.get(sex or "", "")


def _department(postal_code: str) -> str:
    return postal_code[:3] if postal_code.startswith(("97", "98")) else postal_code[:2]
