"""A client of the DMP's administrative services for tests: messages written apart from the code that reads them."""

from typing import Any

from msgspec.structs import replace

from ambroise.modules.identity.vihf.api import Making
from tests.support.xds import Answer, Software

V3 = "urn:hl7-org:v3"
TEST_OID = "1.2.250.1.213.1.4.10"
NS = {"h": V3, "p": "urn:si-dmp-patients", "a": "urn:si-dmp-habilitations", "gdp": "asip:ci-sis:gdp:2010"}
_LABELS = {"TEST_EXST": "Test d'existence de dossier", "FERM": "Fermeture de dossier"}


def _message(interaction: str, control: str) -> str:
    return (
        f'<urn:{interaction} ITSVersion="XML_1.0" xmlns:urn="{V3}" xmlns="{V3}">'
        '<id root="1.3.6.1.4.1.48364.1.1" extension="1633a409-3d61-4869-aed8-74d92ae20272"/>'
        '<creationTime value="20260115093000"/>'
        f'<interactionId root="2.16.840.1.113883.1.6" extension="{interaction}"/>'
        '<processingCode code="D"/><processingModeCode code="T"/><acceptAckCode code="AL"/>'
        '<receiver typeCode="RCV"><device classCode="DEV" determinerCode="INSTANCE">'
        '<id root="1.2.250.1.213.4.1.1.1"/><softwareName>DMP</softwareName></device></receiver>'
        '<sender typeCode="SND"><device classCode="DEV" determinerCode="INSTANCE">'
        '<id root="1.3.6.1.4.1.48364"/><softwareName>Logiciel</softwareName></device></sender>'
        '<attentionLine xsi:nil="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/>'
        f'<urn:controlActProcess classCode="CACT" moodCode="EVN">{control}</urn:controlActProcess></urn:{interaction}>'
    )


def _reason(code: str) -> str:
    return f'<reasonCode code="{code}" codeSystem="1.2.250.1.213.1.1.4.11" displayName="{_LABELS.get(code, code)}"/>'


def demographics(ins: str, reason: str = "TEST_EXST") -> str:
    """PRPA_IN201307UV02 about one INS."""
    return _message(
        "PRPA_IN201307UV02",
        _reason(reason) + '<queryByParameter><queryId root="1.3.6.1.4.1.48364.2" extension="q-1"/>'
        '<statusCode code="new"/><parameterList>'
        '<dataSource xsi:nil="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/>'
        f'<patientIdentifier><value root="{TEST_OID}" extension="{ins}"/>'
        "<semanticsText>Patient.id</semanticsText></patientIdentifier></parameterList></queryByParameter>",
    )


def revision(ins: str, reason: str, person: str = "", more: str = "", interaction: str = "PRPA_IN201314UV02") -> str:
    """PRPA_IN201314UV02 (or 311) about one INS."""
    return _message(
        interaction,
        _reason(reason) + '<subject typeCode="SUBJ" contextConductionInd="false">'
        '<registrationRequest classCode="REG" moodCode="RQO"><statusCode code="active"/><subject1 typeCode="SBJ">'
        f'<patient classCode="PAT"><id root="{TEST_OID}" extension="{ins}"/><statusCode code="active"/>'
        '<patientPerson classCode="PSN" determinerCode="INSTANCE"><name><family qualifier="SP">PAT</family></name>'
        f"{person}</patientPerson>{more}</patient></subject1></registrationRequest></subject>",
    )


def opposition(code: str, value: str = "true") -> str:
    """An administrative observation that is true or false."""
    return (
        '<subjectOf typeCode="SBJ"><administrativeObservation classCode="OBS" moodCode="EVN">'
        f'<code code="{code}" codeSystem="1.2.250.1.213.4.1.2.3"/><value value="{value}" xsi:type="BL" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/></administrativeObservation></subjectOf>'
    )


def candidates(family: str, given: str = "", birth: str = "", sex: str = "") -> str:
    """PRPA_IN201305UV02: who has these traits."""
    said = f"<livingSubjectName><value><family>{family}</family>"
    said += f"<given>{given}</given>" if given else ""
    said += "</value><semanticsText>LivingSubject.name</semanticsText></livingSubjectName>"
    if birth:
        said += f'<livingSubjectBirthTime><value value="{birth}"/></livingSubjectBirthTime>'
    if sex:
        said += f'<livingSubjectAdministrativeGender><value code="{sex}"/></livingSubjectAdministrativeGender>'
    return _message(
        "PRPA_IN201305UV02",
        '<code code="PRPA_TE201305UV02" codeSystem="2.16.840.1.113883.1.6"/><queryByParameter>'
        '<queryId root="1.3.6.1.4.1.48364.2" extension="q-2"/><statusCode code="new"/>'
        f"<parameterList>{said}</parameterList></queryByParameter>",
    )


def habilitation(operation: str, **fields: str) -> str:
    """A request of the service of authorisations."""
    return _plain("urn:si-dmp-habilitations", operation, fields)


def patient_list(**fields: str) -> str:
    """A request of the list of patients."""
    return _plain("urn:si-dmp-patients", "patientList", fields)


def _plain(namespace: str, operation: str, fields: dict[str, str]) -> str:
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return f'<{operation} xmlns="{namespace}">{inside}</{operation}>'


class Lps:
    """The software of a professional, which speaks to the administrative services."""

    def __init__(self, software: Software) -> None:
        self.software = software

    async def call(
        self, path: str, action: str, body: str, ins: str | None = None, said: Making | None = None
    ) -> "Said":
        """One request; `ins`: the patient of the assertion."""
        making = said or Making()
        if ins is not None:
            making = replace(making, patient=f"{ins}^^^&{TEST_OID}&ISO^NH")
        assertion = self.software.assertion(making)
        return Said(await self.software.call(path, action, body, assertion=assertion))

    async def patients(self, body: str, ins: str | None = None, said: Making | None = None) -> "Said":
        interaction = body[len("<urn:") : body.index(" ")]
        return await self.call("/xds/patients", f"{V3}:{interaction}", body, ins, said)

    async def exists(self, ins: str) -> "Said":
        return await self.patients(demographics(ins))

    async def find(self, *traits: str) -> "Said":
        return await self.call("/xds/patientsPDQ", f"{V3}:PRPA_IN201305UV02", candidates(*traits))

    async def list(self, **fields: str) -> "Said":
        action = "urn:si-dmp-patients:PatientSpecificEndPoint:patientList"
        return await self.call("/xds/patientsSpecific", action, patient_list(**fields))

    async def set(self, ins: str | None, action: str, said: Making | None = None, **fields: str) -> "Said":
        body = habilitation("setAuthorization", action=action, **fields)
        name = "urn:si-dmp-habilitations:HabilitationsEndPoint:setAuthorization"
        return await self.call("/xds/habilitations", name, body, ins, said)

    async def authorised(self, ins: str, mode: str = "TOUTE") -> "Said":
        body = habilitation("listAuthorizationByPatient", mode=mode)
        name = "urn:si-dmp-habilitations:HabilitationsEndPoint:listAuthorizationByPatient"
        return await self.call("/xds/habilitations", name, body, ins)


class Said:
    """What a service answered."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.text = answer.http.text

    def one(self, path: str) -> Any:
        """The first element of a path."""
        return self.answer.envelope.find(f".//{path}", NS)

    def values(self, path: str) -> list[str]:
        """The texts of a path."""
        return [one.text or "" for one in self.answer.envelope.iterfind(f".//{path}", NS)]

    @property
    def acknowledged(self) -> tuple[str, str | None]:
        """AA or AE, and the code of the error."""
        found, detail = self.one("h:acknowledgement"), self.one("h:acknowledgementDetail/h:code")
        said = found.get("typeCode") or self.one("h:acknowledgement/h:typeCode").get("code")
        return said, detail.get("code") if detail is not None else None

    @property
    def response(self) -> str:
        """OK, NF or AE."""
        return self.one("h:queryResponseCode").get("code")

    def attention(self, keyword: str) -> str | None:
        """The value of a line of attention."""
        for line in self.answer.envelope.iterfind(".//h:attentionLine", NS):
            if line.find("h:keyWordText", NS).get("code") == keyword:
                value = line.find("h:value", NS)
                return value.get("code") or value.get("value")
        return None

    def observed(self, code: str) -> str | None:
        """An administrative observation."""
        for one in self.answer.envelope.iterfind(".//h:administrativeObservation", NS):
            if one.find("h:code", NS).get("code") == code:
                return one.find("h:value", NS).get("value")
        return None

    @property
    def status(self) -> tuple[str, str]:
        """The status and the code at the head of the context."""
        found = self.answer.envelope.find(".//{*}output")
        context = found.findtext("{*}context") or ""
        return found.findtext("{*}status"), context.partition(":")[0]
