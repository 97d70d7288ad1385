"""zeep, a SOAP client written by others, reads our WSDL of the DMP's administrative services and calls each of them."""

import asyncio
from typing import Any

import pytest
import pytest_asyncio
import requests
from lxml import etree
from zeep import Client
from zeep.exceptions import Fault
from zeep.transports import Transport
from zeep.wsa import WsAddressingPlugin

from ambroise.interfaces.xds.names import WSSE
from ambroise.modules.identity.vihf.api import Making
from tests.conformance.fhir_clients.conftest import Served
from tests.integration.xds.asking import INS
from tests.integration.xds.conftest import COLLEAGUE, people, software
from tests.support.dmp import NS, TEST_OID, candidates, demographics, revision
from tests.support.xds import Software

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Lps:
    """Software that knows nothing but our WSDL."""

    def __init__(self, client: Client, who: Software, base: str) -> None:
        self._client: Any = client
        self._who = who
        self._base = base

    async def call(self, port: str, operation: str, **fields: Any) -> Any:
        """One call, about the patient of the examples."""
        security = etree.Element(f"{{{WSSE}}}Security")
        security.append(etree.fromstring(self._who.assertion(Making(patient=f"{INS}^^^&{TEST_OID}&ISO^NH"))))
        service = self._client.bind("Dmp", port)
        # The instance believes itself elsewhere; a client may always choose the address.
        service._binding_options["address"] = f"{self._base}/xds/{port[0].lower()}{port[1:]}"
        return await asyncio.to_thread(service[operation], **fields, _soapheaders=[security])

    async def message(self, port: str, operation: str, written: str) -> Any:
        """One message of HL7 V3, whose inside the client gives as XML; the answer, as XML."""
        root = etree.fromstring(written)
        inside = [one for one in root if isinstance(one.tag, str)]
        answer = await self.call(port, operation, _value_1=inside, ITSVersion=root.get("ITSVersion"))
        made = etree.Element("answer")
        made.extend(one for one in answer._value_1 if one is not None)
        return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lps(served: Served) -> Lps:
    await people(served.house)
    base = served.url.removesuffix("/fhir")
    session = requests.Session()
    session.trust_env = False
    plugin: Any = WsAddressingPlugin()
    client = await asyncio.to_thread(
        Client, f"{base}/xds/patients?wsdl", transport=Transport(session=session), plugins=[plugin]
    )
    return Lps(client, await software(served.house, COLLEAGUE), base)


def said(answer: Any) -> tuple[str, str]:
    """How a query was acknowledged, and answered."""
    acknowledged = answer.find("h:acknowledgement", NS)
    typed = acknowledged.get("typeCode") or acknowledged.find("h:typeCode", NS).get("code")
    return typed, answer.find(".//h:queryResponseCode", NS).get("code")


async def test_another_houses_client_speaks_every_administrative_transaction_from_our_wsdl(lps: Lps) -> None:
    exists = await lps.message("Patients", "consultPatient", demographics(INS))
    assert said(exists) == ("AA", "OK")
    assert exists.find(".//h:patient/h:id", NS).get("extension") == INS
    assert said(await lps.message("Patients", "consultPatient", demographics("279035121518800"))) == (
        "AE",
        "AE",
    ), "the assertion is about somebody else"
    found = await lps.message("PatientsPDQ", "findCandidates", candidates("PAT-TROIS", "Dominique", "19790328", "F"))
    assert said(found) == ("AA", "OK")

    added = await lps.call("Habilitations", "setAuthorization", action="AJOUT", role="MEDECIN_TRAITANT")
    assert added.status == "DMPOk"
    data = await lps.message("Patients", "consultPatient", demographics(INS, "CNSLT_DATA"))
    assert said(data) == ("AA", "OK")
    listed = await lps.call("Habilitations", "listAuthorizationByPatient", mode="ACTIVE")
    assert [(one.nationalId, one.lastName, one.specificRight) for one in listed.listOfAuthorizationByPatient] == [
        (f"8{COLLEAGUE}", "ESSAI", "MEDECIN_TRAITANT")
    ]
    mine = await lps.call("PatientsSpecific", "patientList", dateType="LASTAUTORIZATION")
    assert [(one.patientIdentifier.nationalId, one.MT) for one in mine.patientlistData] == [(INS, "true")]

    create = revision(INS, "CREA_RD", interaction="PRPA_IN201311UV02")
    for operation, written in (("createPatient", create), ("revisePatient", revision(INS, "FERM"))):
        root = etree.fromstring(written)
        answer = await lps.call("Patients", operation, _value_1=list(root), ITSVersion="XML_1.0")
        kept = getattr(answer, "PRPA_IN201316UV02", None) or answer
        detail = next(one for one in kept._value_1 if etree.QName(one).localname == "acknowledgement")
        assert detail.get("typeCode") == "AE"
    assert (await lps.call("Habilitations", "setAuthorization", action="SUPPRESSION")).status == "DMPOk"


async def test_another_houses_client_reads_our_faults(lps: Lps) -> None:
    with pytest.raises(Fault) as refused:
        await lps.message("Patients", "consultPatient", demographics(INS, "CREA_RD"))
    assert refused.value.detail is not None
    assert refused.value.detail[0].get("code") == "DMP_MESSAGE"
