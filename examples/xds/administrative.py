"""Ask the administrative services of the DMP: python administrative.py http://localhost:8080 assertion.xml WHAT

exists 279035121518989          TD0.2: is there a record, may I read it
data 279035121518989            TD1.3a: the administrative data
find NAME FIRST 19790328 F      TD0.5: without an INS
list LASTDOC 20260101           TD0.4: my records
add [MEDECIN_TRAITANT]          TD0.3: the patient lets me read
withdraw [MEDECIN_TRAITANT]     TD0.3: no longer
authorised                      TD1.6: who reads, who is blocked

The last three are about the patient of the assertion (`ambroise vihf --for INS`). With `-` for the server, the request
is printed, to be sent with curl. An assertion is good once.
"""

import sys
import uuid
from pathlib import Path
from xml.sax.saxutils import escape

import httpx

TEST_INS = "1.2.250.1.213.1.4.10"
SENDER = "1.2.250.1.999.1"
V3 = "urn:hl7-org:v3"
PATIENTS, HABILITATIONS = "urn:si-dmp-patients", "urn:si-dmp-habilitations"
ENVELOPE = """<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header>
<a:Action xmlns:a="http://www.w3.org/2005/08/addressing">{action}</a:Action>
<a:MessageID xmlns:a="http://www.w3.org/2005/08/addressing">urn:uuid:{message}</a:MessageID>
<w:Security
    xmlns:w="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">{assertion}</w:Security>
</s:Header><s:Body>{body}</s:Body></s:Envelope>"""
MESSAGE = """<{name} ITSVersion="XML_1.0" xmlns="urn:hl7-org:v3"><id root="{sender}.1" extension="{id}"/>
<creationTime value="20260101000000"/><interactionId root="2.16.840.1.113883.1.6" extension="{name}"/>
<processingCode code="D"/><processingModeCode code="T"/><acceptAckCode code="AL"/>
<receiver typeCode="RCV"><device classCode="DEV" determinerCode="INSTANCE"><id root="1.2.250.1.213.4.1.1.1"/>
<softwareName>DMP</softwareName></device></receiver>
<sender typeCode="SND"><device classCode="DEV" determinerCode="INSTANCE"><id root="{sender}"/>
<softwareName>Example</softwareName></device></sender>
<controlActProcess classCode="CACT" moodCode="EVN">{reason}<queryByParameter>
<queryId root="{sender}.2" extension="{id}"/><statusCode code="new"/>
<parameterList>{parameters}</parameterList></queryByParameter></controlActProcess></{name}>"""


def main(server: str, assertion: Path, what: str, *asked: str) -> None:
    """Send one request, and print what is answered."""
    path, action, body = request_of(what, *asked)
    envelope = ENVELOPE.format(
        action=action, message=uuid.uuid4(), assertion=assertion.read_text().strip(), body=body
    ).encode()
    if server == "-":
        sys.stdout.buffer.write(envelope)
        return
    headers = {"content-type": "application/soap+xml"}
    print(httpx.post(server + path, content=envelope, headers=headers).text)


def request_of(what: str, *asked: str) -> tuple[str, str, str]:
    """The address, the action and the body of a request."""
    if what in ("exists", "data"):
        reason = "TEST_EXST" if what == "exists" else "CNSLT_DATA"
        identifier = f'<patientIdentifier><value root="{TEST_INS}" extension="{escape(asked[0])}"/>'
        identifier += "<semanticsText>Patient.id</semanticsText></patientIdentifier>"
        code = f'<reasonCode code="{reason}" codeSystem="1.2.250.1.213.1.1.4.11"/>'
        return "/xds/patients", f"{V3}:PRPA_IN201307UV02", message("PRPA_IN201307UV02", code, identifier)
    if what == "find":
        family, given, birth, sex = (escape(one) for one in asked)
        traits = f'<livingSubjectAdministrativeGender><value code="{sex}"/></livingSubjectAdministrativeGender>'
        traits += f'<livingSubjectBirthTime><value value="{birth}"/></livingSubjectBirthTime>'
        traits += (
            f"<livingSubjectName><value><family>{family}</family><given>{given}</given></value></livingSubjectName>"
        )
        code = '<code code="PRPA_TE201305UV02" codeSystem="2.16.840.1.113883.1.6"/>'
        return "/xds/patientsPDQ", f"{V3}:PRPA_IN201305UV02", message("PRPA_IN201305UV02", code, traits)
    if what == "list":
        fields = f"<startDate>{escape(asked[1])}</startDate><dateType>{escape(asked[0])}</dateType>"
        action = f"{PATIENTS}:PatientSpecificEndPoint:patientList"
        return "/xds/patientsSpecific", action, f'<patientList xmlns="{PATIENTS}">{fields}</patientList>'
    operation, fields = "listAuthorizationByPatient", "<mode>TOUTE</mode>"
    if what in ("add", "withdraw"):
        operation, fields = "setAuthorization", f"<action>{'AJOUT' if what == 'add' else 'SUPPRESSION'}</action>"
        fields += f"<role>{escape(asked[0])}</role>" if asked else ""
    action = f"{HABILITATIONS}:HabilitationsEndPoint:{operation}"
    return "/xds/habilitations", action, f'<{operation} xmlns="{HABILITATIONS}">{fields}</{operation}>'


def message(name: str, reason: str, parameters: str) -> str:
    """A query of HL7 V3."""
    return MESSAGE.format(name=name, sender=SENDER, id=uuid.uuid4(), reason=reason, parameters=parameters)


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), Path(sys.argv[2]), *sys.argv[3:])
