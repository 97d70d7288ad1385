"""The code systems and profiles of the API FHIR Annuaire Santé (interop.esante.gouv.fr/ig/fhir/annuaire)."""

from __future__ import annotations

from typing import Final

from ambroise.modules.directory.resources import SECTOR_SYSTEM

_MOS: Final = "https://mos.esante.gouv.fr/NOS"
FR_CORE: Final = "https://hl7.fr/ig/fhir/core"
ANNUAIRE: Final = "https://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition"
SOURCE: Final = "https://annuaire.esante.gouv.fr"
IDENTIFIER_TYPES: Final = f"{FR_CORE}/CodeSystem/fr-core-cs-v2-0203"
ORGANIZATION_TYPES: Final = f"{FR_CORE}/CodeSystem/fr-core-cs-v2-3307"
SIRENE: Final = "https://sirene.fr"
PROFESSION: Final = f"{_MOS}/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"
TITLE: Final = f"{_MOS}/TRE_R95-UsagerTitre/FHIR/TRE-R95-UsagerTitre"
CATEGORY: Final = f"{_MOS}/TRE_R09-CategorieProfessionnelle/FHIR/TRE-R09-CategorieProfessionnelle"
SKILL_KIND: Final = f"{_MOS}/TRE_R04-TypeSavoirFaire/FHIR/TRE-R04-TypeSavoirFaire"
SPECIALTY: Final = f"{_MOS}/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale"
SECTION: Final = f"{_MOS}/TRE_R06-SectionTableauPharmacien/FHIR/TRE-R06-SectionTableauPharmacien"
FUNCTION: Final = f"{_MOS}/TRE_R21-Fonction/FHIR/TRE-R21-Fonction"
GENRE: Final = f"{_MOS}/TRE_R22-GenreActivite/FHIR/TRE-R22-GenreActivite"
MODE: Final = f"{_MOS}/TRE_R23-ModeExercice/FHIR/TRE-R23-ModeExercice"
MAILBOX: Final = f"{_MOS}/TRE_R256-TypeMessagerie/FHIR/TRE-R256-TypeMessagerie"
MAILBOX_KIND: Final = f"{_MOS}/TRE_R257-TypeBAL/FHIR/TRE-R257-TypeBAL"
DEVICE_TYPE: Final = f"{_MOS}/TRE_R272-TypeEquipementMaterielLourd/FHIR/TRE-R272-TypeEquipementMaterielLourd"
ARHGOS: Final = "https://arhgos.esante.gouv.fr"
SECTOR: Final = SECTOR_SYSTEM
EMAIL_TYPE: Final = f"{FR_CORE}/StructureDefinition/fr-core-contact-point-email-type"
MAILBOX_DATA: Final = f"{ANNUAIRE}/as-ext-mailbox-mss-metadata"
DATA_TRACE: Final = f"{ANNUAIRE}/as-ext-data-trace"
INSEE: Final = f"{FR_CORE}/StructureDefinition/fr-core-address-insee-code"
COMMUNES: Final = f"{_MOS}/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM"
