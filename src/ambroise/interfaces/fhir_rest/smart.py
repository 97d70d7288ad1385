"""`.well-known/smart-configuration`: how software is let in here (SMART App Launch 2.2), without a token."""

from __future__ import annotations

from ambroise.fhir.json import encode
from ambroise.interfaces.fhir_rest.http import Answer, Call
from ambroise.interfaces.fhir_rest.routing import SMART, Table
from ambroise.interfaces.oauth.smart import configuration
from ambroise.modules.identity.api import Provider
from ambroise.modules.identity.provider.api import FHIR


class Smart:
    """Answers for the provider of this instance."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def table(self) -> Table:
        """The handler."""
        return {"/".join(SMART): {"GET": self.answer}}

    async def answer(self, call: Call) -> Answer:
        issuer = self._provider.ground.issuer_at(call.base.removesuffix(FHIR))
        described = configuration(issuer, self._provider.ground.secure_address(issuer))
        return Answer(200, encode(described), "application/json")
