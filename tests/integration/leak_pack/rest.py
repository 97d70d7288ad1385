"""The FHIR interface as a door of the leak pack: the same questions, asked over HTTP with tokens."""

from typing import Any

import httpx

from ambroise.interfaces.token_claims import Role
from ambroise.trust.context import Citizen, Context, Professional
from tests.integration.leak_pack.door import Page
from tests.support.server import House

_NOTHING = (403, 404)


class RestDoor:
    """`/fhir` of a house."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def search(self, viewer: Context, query: str) -> Page:
        answer = await self._get(viewer, query)
        bundle = answer.json()
        assert answer.status_code == 200, bundle
        entries = [entry["resource"] for entry in bundle.get("entry", ())]
        following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
        cursor = httpx.URL(following[0]).params.get("_cursor") if following else None
        found = frozenset(f"{one['resourceType']}/{one['id']}" for one in entries)
        return Page(found, bundle.get("total"), cursor)

    async def read(self, viewer: Context, reference: str) -> bool:
        return _answered(await self._get(viewer, reference))

    async def vread(self, viewer: Context, reference: str, version: int) -> bool:
        return _answered(await self._get(viewer, f"{reference}/_history/{version}"))

    async def history(self, viewer: Context, path: str) -> frozenset[str]:
        answer = await self._get(viewer, f"{path}/_history?_count=500".lstrip("/"))
        if answer.status_code in _NOTHING:
            return frozenset()
        return frozenset(_version(entry) for entry in answer.json().get("entry", ()))

    async def content(self, viewer: Context, id: str) -> bytes | None:
        answer = await self._get(viewer, f"Binary/{id}", accept="application/pdf")
        return answer.content if _answered(answer) else None

    async def _get(self, viewer: Context, path: str, accept: str = "application/fhir+json") -> httpx.Response:
        async with self._client(viewer) as client:
            return await client.get(path, headers={"accept": accept})

    def _client(self, viewer: Context) -> httpx.AsyncClient:
        match viewer.actor:
            case Professional(rpps=rpps):
                return self._house.client(Role.PROFESSIONAL, rpps=rpps)
            case Citizen(patient=patient):
                for_ = {"acting_for": str(viewer.acting_for)} if viewer.acting_for else {}
                return self._house.client(Role.CITIZEN, patient=patient, **for_)
            case _:
                return self._house.client()


def _answered(answer: httpx.Response) -> bool:
    assert answer.status_code in (200, *_NOTHING), answer.text
    return answer.status_code == 200


def _version(entry: dict[str, Any]) -> str:
    """`Type/id/version` of an entry of a history."""
    location: str = entry["response"]["location"]
    return location.replace("/_history", "")
