"""Make plausible French FHIR resources from a seed: material for the body dictionary, for tests and measurements.

Everybody in them is made up, and no identifier has a valid key.
"""

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

Resource = dict[str, Any]

INS = "urn:oid:1.2.250.1.213.1.4.10"
NOS = "https://mos.esante.gouv.fr/NOS"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
PDSM = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition"

FAMILIES = [
    "Fictif",
    "Essai",
    "Exemple",
    "Modèle",
    "Démonstration",
    "Maquette",
    "Prototype",
    "Épreuve",
    "Témoin",
    "Patron",
    "Spécimen",
    "Factice",
]
GIVEN = [
    "Alix",
    "Camille",
    "Noé",
    "Jeanne",
    "Élodie",
    "Hugo",
    "Chloé",
    "Maël",
    "Inès",
    "Zoé",
    "Ambre",
    "François",
    "Aïcha",
    "Gaël",
    "Léon",
    "Soïzic",
]
CITIES = [
    ("Rennes", "35000"),
    ("Saint-Étienne", "42000"),
    ("Besançon", "25000"),
    ("Orléans", "45000"),
    ("Nîmes", "30000"),
]
STREETS = ["rue de l'Essai", "avenue du Modèle", "place de la Maquette", "chemin des Exemples"]

# code, English name, French name, unit, UCUM code, mean, spread, digits
MEASURES = [
    ("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "Hémoglobine A1c", "%", "%", 6.1, 1.2, 1),
    ("2345-7", "Glucose [Mass/volume] in Serum or Plasma", "Glycémie", "g/L", "g/L", 1.02, 0.3, 2),
    ("14682-9", "Creatinine [Moles/volume] in Serum or Plasma", "Créatinine", "µmol/L", "umol/L", 84, 22, 0),
    ("718-7", "Hemoglobin [Mass/volume] in Blood", "Hémoglobine", "g/dL", "g/dL", 13.6, 1.4, 1),
    ("2093-3", "Cholesterol [Mass/volume] in Serum or Plasma", "Cholestérol total", "g/L", "g/L", 1.98, 0.4, 2),
    ("29463-7", "Body weight", "Poids", "kg", "kg", 71, 14, 1),
    ("8302-2", "Body height", "Taille", "cm", "cm", 169, 9, 0),
    ("8867-4", "Heart rate", "Fréquence cardiaque", "/min", "/min", 72, 11, 0),
    ("8310-5", "Body temperature", "Température", "°C", "Cel", 36.8, 0.5, 1),
    ("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry", "Saturation en oxygène", "%", "%", 97, 2, 0),
]
DOCUMENTS = [
    ("11488-4", "CR ou fiche de consultation ou de visite", "11", "Compte rendu"),
    ("11502-2", "CR d'examens biologiques", "31", "Traitements, soins et examens"),
    ("57833-6", "Prescription de médicaments", "52", "Prescriptions"),
    ("34133-9", "Synthèse médicale", "10", "Synthèses"),
    ("18748-4", "CR d'imagerie médicale", "31", "Imagerie"),
    ("34112-3", "CR d'hospitalisation", "11", "Compte rendu"),
]
CONDITIONS = [
    ("E11", "Diabète sucré de type 2"),
    ("I10", "Hypertension essentielle"),
    ("J45", "Asthme"),
    ("M54", "Dorsalgie"),
]
DRUGS = [("A10BA02", "metformine"), ("C09AA05", "ramipril"), ("N02BE01", "paracétamol"), ("C10AA05", "atorvastatine")]
VACCINES = [
    ("J07BB02", "vaccin grippal inactivé"),
    ("J07AM51", "diphtérie tétanos"),
    ("J07BD52", "rougeole oreillons rubéole"),
]


class Generator:
    """One reproducible stream of resources; ids look like the server's."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def id(self) -> str:
        value = self.random.getrandbits(128)
        return str(uuid.UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62))

    def digits(self, count: int) -> str:
        return "".join(self.random.choice("0123456789") for _ in range(count))

    def instant(self) -> str:
        moment = datetime(2012, 1, 1, tzinfo=UTC) + timedelta(seconds=self.random.randrange(440_000_000))
        return moment.strftime("%Y-%m-%dT%H:%M:%S+01:00")

    def day(self, first: int = 1930, last: int = 2024) -> str:
        return f"{self.random.randint(first, last)}-{self.random.randint(1, 12):02}-{self.random.randint(1, 28):02}"

    def quantity(self, mean: float, spread: float, digits: int) -> Decimal:
        return Decimal(f"{abs(self.random.gauss(mean, spread)):.{digits}f}")

    def meta(self, *profiles: str) -> Resource:
        meta: Resource = {"versionId": "1", "lastUpdated": self.instant()}
        if profiles:
            meta["profile"] = list(profiles)
        return meta

    def concept(self, system: str, code: str, display: str) -> Resource:
        return {"coding": [{"system": system, "code": code, "display": display}]}

    def name(self) -> Resource:
        given = self.random.sample(GIVEN, self.random.choice((1, 1, 2)))
        return {"use": "official", "family": self.random.choice(FAMILIES), "given": given}

    def address(self) -> Resource:
        city, postcode = self.random.choice(CITIES)
        line = f"{self.random.randint(1, 99)} {self.random.choice(STREETS)}"
        return {"use": "home", "line": [line], "city": city, "postalCode": postcode, "country": "FRA"}

    def patient(self) -> Resource:
        profile = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-ins"
        return {
            "resourceType": "Patient",
            "id": self.id(),
            "meta": self.meta(profile),
            "identifier": [
                {
                    "use": "official",
                    "type": {
                        "coding": [
                            {"system": "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203", "code": "INS-NIR"}
                        ]
                    },
                    "system": INS,
                    "value": self.digits(15),
                }
            ],
            "active": True,
            "name": [self.name()],
            "telecom": [
                {"system": "phone", "value": "06" + self.digits(8), "use": "mobile"},
                {"system": "email", "value": f"essai.{self.digits(6)}@patient.invalid"},
            ],
            "gender": self.random.choice(("male", "female")),
            "birthDate": self.day(),
            "address": [self.address()],
        }

    def practitioner(self) -> Resource:
        return {
            "resourceType": "Practitioner",
            "id": self.id(),
            "meta": self.meta("https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-practitioner"),
            "identifier": [{"system": "urn:oid:1.2.250.1.71.4.2.1", "value": "8" + self.digits(11)}],
            "active": True,
            "name": [{**self.name(), "prefix": ["DR"]}],
            "telecom": [{"system": "email", "value": f"dr.{self.digits(6)}@cabinet.mssante.invalid"}],
        }

    def organization(self) -> Resource:
        return {
            "resourceType": "Organization",
            "id": self.id(),
            "meta": self.meta("https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-organization"),
            "identifier": [{"system": "urn:oid:1.2.250.1.71.4.2.2", "value": "1" + self.digits(9)}],
            "active": True,
            "type": [
                self.concept(
                    f"{NOS}/TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite", "SA07", "Cabinet individuel"
                )
            ],
            "name": f"Cabinet médical {self.random.choice(FAMILIES)}",
            "address": [self.address()],
        }

    def practitioner_role(self, practitioner: str, organization: str) -> Resource:
        return {
            "resourceType": "PractitionerRole",
            "id": self.id(),
            "meta": self.meta(),
            "active": True,
            "practitioner": {"reference": f"Practitioner/{practitioner}"},
            "organization": {"reference": f"Organization/{organization}"},
            "code": [self.concept(f"{NOS}/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante", "10", "Médecin")],
            "specialty": [
                self.concept(
                    f"{NOS}/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale", "SM54", "Médecine générale"
                )
            ],
        }

    def observation(self, patient: str, practitioner: str) -> Resource:
        code, english, french, unit, ucum, mean, spread, digits = self.random.choice(MEASURES)
        laboratory = digits > 0 and mean < 20
        category = "laboratory" if laboratory else "vital-signs"
        value = self.quantity(mean, spread, digits)
        resource: Resource = {
            "resourceType": "Observation",
            "id": self.id(),
            "meta": self.meta("https://interop.esante.gouv.fr/ig/fhir/mesures/StructureDefinition/mesures-observation"),
            "identifier": [{"system": "urn:oid:1.2.250.1.213.3.9", "value": self.digits(12)}],
            "status": "final",
            "category": [self.concept(f"{TERMINOLOGY}/observation-category", category, category.capitalize())],
            "code": {**self.concept(LOINC, code, english), "text": french},
            "subject": {"reference": f"Patient/{patient}"},
            "effectiveDateTime": self.instant(),
            "performer": [{"reference": f"Practitioner/{practitioner}"}],
            "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": ucum},
        }
        if laboratory:
            level, word = self.random.choice((("N", "Normal"), ("H", "High"), ("L", "Low")))
            resource["interpretation"] = [self.concept(f"{TERMINOLOGY}/v3-ObservationInterpretation", level, word)]
            resource["referenceRange"] = [
                {
                    "low": {
                        "value": self.quantity(mean - spread, 0, digits),
                        "unit": unit,
                        "system": UCUM,
                        "code": ucum,
                    },
                    "high": {
                        "value": self.quantity(mean + spread, 0, digits),
                        "unit": unit,
                        "system": UCUM,
                        "code": ucum,
                    },
                }
            ]
        return resource

    def blood_pressure(self, patient: str, practitioner: str) -> Resource:
        def part(code: str, name: str, mean: float) -> Resource:
            value = self.quantity(mean, 12, 0)
            return {
                "code": self.concept(LOINC, code, name),
                "valueQuantity": {"value": value, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"},
            }

        resource = self.observation(patient, practitioner)
        for left in ("valueQuantity", "interpretation", "referenceRange"):
            resource.pop(left, None)
        resource["category"] = [self.concept(f"{TERMINOLOGY}/observation-category", "vital-signs", "Vital signs")]
        resource["code"] = {**self.concept(LOINC, "85354-9", "Blood pressure panel"), "text": "Pression artérielle"}
        resource["component"] = [
            part("8480-6", "Systolic blood pressure", 128),
            part("8462-4", "Diastolic blood pressure", 78),
        ]
        return resource

    def document_reference(self, patient: str, practitioner: str) -> Resource:
        code, display, kind, kind_display = self.random.choice(DOCUMENTS)
        moment = self.instant()
        unique = f"urn:oid:1.2.250.1.999.1.{self.digits(4)}.{self.digits(8)}"
        return {
            "resourceType": "DocumentReference",
            "id": self.id(),
            "meta": self.meta(f"{PDSM}/pdsm-comprehensive-document-reference"),
            "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": unique},
            "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{self.id()}"}],
            "status": "current",
            "type": self.concept(LOINC, code, display),
            "category": [self.concept(f"{NOS}/TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument", kind, kind_display)],
            "subject": {"reference": f"Patient/{patient}"},
            "date": moment,
            "author": [{"reference": f"Practitioner/{practitioner}"}],
            "description": f"{display} du {moment[:10]}",
            "securityLabel": [self.concept(f"{TERMINOLOGY}/v3-Confidentiality", "N", "normal")],
            "content": [
                {
                    "attachment": {
                        "contentType": "text/xml",
                        "language": "fr-FR",
                        "url": f"Binary/{self.id()}",
                        "size": self.random.randrange(4_000, 900_000),
                        "hash": self.random.randbytes(20).hex()[:27] + "=",
                        "title": display,
                        "creation": moment,
                    },
                    "format": {
                        "system": "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode",
                        "code": "urn:ihe:iti:xds-sd:pdf:2008",
                        "display": "XDS-SD PDF",
                    },
                }
            ],
            "context": {
                "period": {"start": moment},
                "facilityType": self.concept(
                    f"{NOS}/TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite", "SA07", "Cabinet"
                ),
                "practiceSetting": self.concept(
                    f"{NOS}/TRE_A01-CadreExercice/FHIR/TRE-A01-CadreExercice", "AMBULATOIRE", "Ambulatoire"
                ),
            },
        }

    def condition(self, patient: str, practitioner: str) -> Resource:
        code, display = self.random.choice(CONDITIONS)
        return {
            "resourceType": "Condition",
            "id": self.id(),
            "meta": self.meta(),
            "clinicalStatus": self.concept(f"{TERMINOLOGY}/condition-clinical", "active", "Active"),
            "verificationStatus": self.concept(f"{TERMINOLOGY}/condition-ver-status", "confirmed", "Confirmed"),
            "category": [self.concept(f"{TERMINOLOGY}/condition-category", "problem-list-item", "Problem List Item")],
            "code": {**self.concept("http://hl7.org/fhir/sid/icd-10", code, display), "text": display},
            "subject": {"reference": f"Patient/{patient}"},
            "onsetDateTime": self.day(2000),
            "recordedDate": self.instant(),
            "recorder": {"reference": f"Practitioner/{practitioner}"},
        }

    def allergy(self, patient: str, practitioner: str) -> Resource:
        return {
            "resourceType": "AllergyIntolerance",
            "id": self.id(),
            "meta": self.meta(),
            "clinicalStatus": self.concept(f"{TERMINOLOGY}/allergyintolerance-clinical", "active", "Active"),
            "verificationStatus": self.concept(
                f"{TERMINOLOGY}/allergyintolerance-verification", "confirmed", "Confirmed"
            ),
            "type": "allergy",
            "category": ["medication"],
            "criticality": self.random.choice(("low", "high")),
            "code": {**self.concept("http://www.whocc.no/atc", "J01CA04", "amoxicilline"), "text": "Amoxicilline"},
            "patient": {"reference": f"Patient/{patient}"},
            "recordedDate": self.instant(),
            "recorder": {"reference": f"Practitioner/{practitioner}"},
        }

    def medication_request(self, patient: str, practitioner: str) -> Resource:
        code, name = self.random.choice(DRUGS)
        return {
            "resourceType": "MedicationRequest",
            "id": self.id(),
            "meta": self.meta(),
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": {
                **self.concept("http://www.whocc.no/atc", code, name),
                "text": name.capitalize(),
            },
            "subject": {"reference": f"Patient/{patient}"},
            "authoredOn": self.instant(),
            "requester": {"reference": f"Practitioner/{practitioner}"},
            "dosageInstruction": [
                {
                    "text": "1 comprimé matin et soir pendant 3 mois",
                    "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
                    "route": self.concept("http://standardterms.edqm.eu", "20053000", "voie orale"),
                    "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "comprimé"}}],
                }
            ],
        }

    def immunization(self, patient: str, practitioner: str) -> Resource:
        code, name = self.random.choice(VACCINES)
        return {
            "resourceType": "Immunization",
            "id": self.id(),
            "meta": self.meta(),
            "status": "completed",
            "vaccineCode": self.concept("http://www.whocc.no/atc", code, name),
            "patient": {"reference": f"Patient/{patient}"},
            "occurrenceDateTime": self.day(2000),
            "primarySource": True,
            "lotNumber": self.digits(8),
            "performer": [{"actor": {"reference": f"Practitioner/{practitioner}"}}],
        }

    def encounter(self, patient: str, practitioner: str) -> Resource:
        moment = self.instant()
        return {
            "resourceType": "Encounter",
            "id": self.id(),
            "meta": self.meta(),
            "status": "finished",
            "class": {"system": f"{TERMINOLOGY}/v3-ActCode", "code": "AMB", "display": "ambulatory"},
            "subject": {"reference": f"Patient/{patient}"},
            "participant": [{"individual": {"reference": f"Practitioner/{practitioner}"}}],
            "period": {"start": moment, "end": moment},
        }

    def appointment(self, patient: str, practitioner: str) -> Resource:
        moment = self.instant()
        return {
            "resourceType": "Appointment",
            "id": self.id(),
            "meta": self.meta(),
            "status": "booked",
            "description": "Consultation de suivi",
            "start": moment,
            "end": moment,
            "minutesDuration": 20,
            "participant": [
                {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"},
                {"actor": {"reference": f"Practitioner/{practitioner}"}, "status": "accepted"},
            ],
        }

    def clinical(self, patient: str, practitioner: str) -> Resource:
        """One resource of a record, mostly observations and documents as in real ones."""
        makers = (
            self.observation,
            self.blood_pressure,
            self.document_reference,
            self.condition,
            self.allergy,
            self.medication_request,
            self.immunization,
            self.encounter,
            self.appointment,
        )
        maker = self.random.choices(makers, (40, 8, 22, 6, 2, 10, 4, 5, 3))[0]
        return maker(patient, practitioner)

    def mixture(self, count: int) -> Iterator[Resource]:
        """Records and directory together, in about the proportions of a store."""
        for number in range(count):
            if number % 12 == 0:
                yield self.patient()
            elif number % 50 == 1:
                yield self.random.choice((self.practitioner, self.organization))()
            elif number % 50 == 2:
                yield self.practitioner_role(self.id(), self.id())
            else:
                yield self.clinical(self.id(), self.id())
