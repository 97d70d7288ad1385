"""zeep, a SOAP client written by others, retrieves from a real server what FHIR filed, and reads our faults."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import requests
from lxml import etree
from zeep import Client
from zeep.exceptions import Fault
from zeep.transports import Transport
from zeep.wsa import WsAddressingPlugin

from ambroise.interfaces.token_claims import Role
from ambroise.interfaces.xds.names import WSSE, repository_id
from tests.conformance.fhir_clients.conftest import Served
from tests.integration.xds.conftest import RPPS, letter, people, software
from tests.support.xds import SUCCESS

pytestmark = pytest.mark.asyncio(loop_scope="module")
WSDL = str(Path(__file__).with_name("retrieve.wsdl"))


async def test_zeep_retrieves_in_parts_a_document_filed_by_fhir(served: Served) -> None:
    await people(served.house)
    author, entry = await software(served.house, RPPS), letter()
    # zeep cuts the line ends off both ends of a part.
    entry.content = entry.content.strip()
    async with served.house.client(Role.PROFESSIONAL, rpps=RPPS) as fhir:
        sent = await fhir.post(
            "DocumentReference/$generate-metadata", content=entry.content, headers={"content-type": "application/xml"}
        )
        assert sent.status_code == 200, sent.text
    asked = {
        "RepositoryUniqueId": repository_id(None, served.house.services.installation.id),
        "DocumentUniqueId": entry.unique_id,
    }
    session = requests.Session()
    session.trust_env = False
    transport = Transport(session=session)
    plugin: Any = WsAddressingPlugin()
    client = await asyncio.to_thread(Client, WSDL, transport=transport, plugins=[plugin])
    address = served.url.removesuffix("/fhir") + "/xds/repository"
    service = client.create_service("{urn:ambroise:test}Soap", address)

    def retrieve(assertion: bytes) -> Any:
        security = etree.Element(f"{{{WSSE}}}Security")
        security.append(etree.fromstring(assertion))
        return service.RetrieveDocumentSet(DocumentRequest=[asked], _soapheaders=[security])

    assertion = author.assertion()
    answer = await asyncio.to_thread(retrieve, assertion)
    assert answer.RegistryResponse.status == SUCCESS
    [document] = answer.DocumentResponse
    assert (document.DocumentUniqueId, document.mimeType) == (entry.unique_id, "application/xml")
    assert document.Document == entry.content
    with pytest.raises(Fault) as refused:
        await asyncio.to_thread(retrieve, assertion)
    assert refused.value.detail is not None
    assert refused.value.detail[0].get("code") == "VIHF_REPLAYED"
