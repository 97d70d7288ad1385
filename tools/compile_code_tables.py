"""Compile the French code tables (jeux de valeurs of the CI-SIS) into the small files that the record reads.

    python tools/compile_code_tables.py [SAMPLES]

SAMPLES is the folder of public samples (default: $AMBROISE_SAMPLES, else ../shared/samples beside the repository).
Every table becomes `src/ambroise/modules/record/tables/data/<name>.tsv`: lines `# key<TAB>value` say where it comes
from, then one row a code: code, label, OID of its code system. Running it twice gives the same bytes.

Two tables are kept by hand beside the compiled ones, since the official associations are not published as files:
`document_class.tsv` (the class of each document type) and `document_format.tsv` (the format of each CDA template).
This tool checks that the first one covers the compiled list of types exactly.
"""

import os
import re
import sys
from pathlib import Path

from lxml import etree

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "src/ambroise/modules/record/tables/data"
SVS = {"svs": "urn:ihe:iti:svs:2008"}

# Name in code → file of the value set, relative to the samples' `tables` folder.
SOURCES = {
    "author_specialty": "jdv/JDV_J01_XdsAuthorSpecialty_CISIS.xml",
    "facility_type": "jdv/JDV_J02_XdsHealthcareFacilityTypeCode_CISIS.xml",
    "practice_setting": "jdv/JDV_J04_XdsPracticeSettingCode_CISIS.xml",
    "document_type": "jdv/JDV_J07_XdsTypeCode_CISIS.xml",
    "confidentiality": "jdv/JDV_J08_XdsConfidentialityCode_CISIS.xml",
    "patient_relation": "jdv/JDV_J11_RelationPatient_CISIS.xml",
    "author_role": "jdv/JDV_J47_FunctionCode_CISIS.xml",
    "lay_profession": "jdv/JDV_J48_ProfessionNonPS_CISIS.xml",
    "subject_role": "psc/JDV_J65-SubjectRole-DMP.xml",
    "civil_title": "jdv/JDV_J245_Civilite_CISIS.xml",
    "professional_title": "jdv/JDV_J246_Titre_CISIS.xml",
    "encounter_participation": "jdv/JDV_J140_EncounterParticipationType_CISIS.xml",
    "role_class": "jdv/JDV_J141_RoleClass_CISIS.xml",
    "encounter_type": "jdv/JDV_J142_TypeRencontre_CISIS.xml",
    "sex": "jdv/JDV_J143_AdministrativeGender_CISIS.xml",
    "participation_type": "jdv/JDV_J144_ParticipationType_CISIS.xml",
    "reference_range_for": "jdv/JDV_J148_ReferenceRangeAppliesTo_CISIS.xml",
    "weight_method": "jdv/JDV_J145_MethodBodyWeight_ENS.xml",
    "height_method": "jdv/JDV_J146_MethodBodyHeight_ENS.xml",
    "heart_rate_method": "jdv/JDV_J147_MethodHeartrate_ENS.xml",
    "blood_pressure_site": "jdv/JDV_J149_BodySiteBP_ENS.xml",
    "blood_pressure_method": "jdv/JDV_J150_MethodBP_ENS.xml",
    "temperature_site": "jdv/JDV_J151_BodySiteBodyTemperature_ENS.xml",
    "temperature_method": "jdv/JDV_J152_MethodBodyTemperature_ENS.xml",
    "diabetes_type": "jdv/JDV_J153_TypeDiabete_ENS.xml",
    "glucose_type": "jdv/JDV_J154_TypeGlucose_ENS.xml",
    "blood_glucose_method": "jdv/JDV_J155_MethodGlucoseSanguin_ENS.xml",
    "interstitial_glucose_method": "jdv/JDV_J156_MethodGlucoseInterstitiel_ENS.xml",
    "glucose_moment": "jdv/JDV_J157_MomentGlucose_ENS.xml",
    "steps_method": "jdv/JDV_J158_MethodStepsByDay_ENS.xml",
    "pain_method": "jdv/JDV_J159_MethodPainSeverity_ENS.xml",
    "laterality": "jdv/JDV_J161_Lateralite_CISIS.xml",
    "glucose_units": "jdv/JDV_J163_GlucoseUnits_ENS.xml",
    "reference_id_type": "jdv/JDV_J197_XdsTypesIdentifiantsReferenceId_CISIS.xml",
    "reference_id_type_dmp": "jdv/JDV_J231_XdsTypesIdentifiantsReferenceId_DMP.xml",
    "observation_interpretation": "jdv/JDV_HL7_ObservationInterpretation_CISIS.xml",
    "immunization_code": "jdv/JDV_HL7_ActSubstanceAdministrationImmunizationCode_CISIS.xml",
    "immunization_route": "jdv/JDV_ImmunizationRouteCodes_CISIS.xml",
    "immunization_site": "jdv/JDV_ImmunizationApproachSiteCode_CISIS.xml",
    "administration_route": "jdv/JDV_RouteofAdministration_CISIS.xml",
    "substitution": "jdv/JDV_HL7_ActSubstanceAdminSubstitutionCode_CISIS.xml",
    "vital_sign": "jdv/JDV_SignesVitaux_CISIS.xml",
    "problem_kind": "jdv/JDV_ProblemCodes_CISIS.xml",
    "condition_clinical": "jdv/JDV_HL7_ConditionClinical_CISIS.xml",
    "condition_verification": "jdv/JDV_HL7_condition_ver_status_CISIS.xml",
    "allergy_kind": "jdv/JDV_HL7_ObservationIntoleranceType_CISIS.xml",
    "allergy_criticality": "jdv/JDV_HL7_allergy_intolerance_criticality_CISIS.xml",
    "severity": "jdv/JDV_HL7_SeverityObservationCode_CISIS.xml",
    "social_history": "jdv/JDV_SocialHistoryCodes_CISIS.xml",
    "smoking_status": "jdv/JDV_StatutTabagique_CISIS.xml",
    "result_status": "jdv/JDV_StatutResultat_CISIS.xml",
    "document_status": "jdv/JDV_StatutDoc_CISIS.xml",
    "absent_problem": "jdv/JDV_AbsentOrUnknownProblem_CISIS.xml",
    "absent_allergy": "jdv/JDV_AbsentOrUnknownAllergy_CISIS.xml",
    "absent_medication": "jdv/JDV_AbsentOrUnknownMedication_CISIS.xml",
    "absent_immunization": "jdv/JDV_AbsentOrUnknownImmunization_CISIS.xml",
    "absent_device": "jdv/JDV_AbsentOrUnknownDevices_CISIS.xml",
    "absent_procedure": "jdv/JDV_AbsentOrUnknownProcedure_CISIS.xml",
}


def main(arguments: list[str]) -> int:
    """Write every table; exit 1 when a source is missing or the class table does not cover the types."""
    samples = Path(arguments[0] if arguments else os.environ.get("AMBROISE_SAMPLES", ROOT.parent / "shared/samples"))
    DATA.mkdir(parents=True, exist_ok=True)
    for name, source in SOURCES.items():
        (DATA / f"{name}.tsv").write_text(compiled(samples / "tables" / source), encoding="utf-8")
    return check_classes()


def compiled(path: Path) -> str:
    """The table of one value set file, as text."""
    root = etree.parse(path, etree.XMLParser(resolve_entities=False, no_network=True)).getroot()
    value_set = root.find("svs:ValueSet", SVS)
    if value_set is None:
        raise SystemExit(f"{path} holds no ValueSet")
    about = {
        "source": path.name,
        "oid": value_set.get("id", ""),
        "date": _date(value_set.get("revisionDate") or value_set.get("dateMaj") or value_set.get("dateValid") or ""),
        "title": value_set.get("description") or value_set.get("displayName", "").removesuffix(".tabs"),
    }
    lines = [f"# {key}\t{_clean(value)}" for key, value in about.items()]
    seen: set[tuple[str, str]] = set()
    for concept in value_set.iterfind("svs:ConceptList/svs:Concept", SVS):
        code, system = concept.get("code", "").strip(), concept.get("codeSystem", "").strip()
        if code and (code, system) not in seen:
            seen.add((code, system))
            lines.append("\t".join((code, _clean(concept.get("displayName", "")), system)))
    return "\n".join(lines) + "\n"


def check_classes() -> int:
    """Every published type has a class; a class row that is not published is listed, not refused."""
    published = {line.split("\t")[0] for line in _rows("document_type.tsv")}
    classified = {line.split("\t")[0] for line in _rows("document_class.tsv")}
    for code in sorted(published - classified):
        print(f"document_class.tsv gives no class to the type {code}", file=sys.stderr)
    for code in sorted(classified - published):
        print(f"note: {code} has a class and is not in the published list of types")
    return 1 if published - classified else 0


def _rows(name: str) -> list[str]:
    return [line for line in (DATA / name).read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]


def _clean(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _date(text: str) -> str:
    digits = re.sub(r"\D", "", text)[:8]
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if len(digits) == 8 else text


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
