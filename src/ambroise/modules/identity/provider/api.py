"""The face of the provider: one object for the composition root, and the words that interfaces need."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from msgspec import Struct

from ambroise.kernel.clock import Clock
from ambroise.kernel.crypto import SigningKeys
from ambroise.kernel.db import Database
from ambroise.modules.identity.provider.asking import Unmet, read, redirection
from ambroise.modules.identity.provider.assertions import ALGORITHMS, TYPE
from ambroise.modules.identity.provider.casting import EVENTS, Casting, Subscription
from ambroise.modules.identity.provider.certified import SHOW, Certified
from ambroise.modules.identity.provider.claims import FAMILY, LIMITED
from ambroise.modules.identity.provider.clients import Clients, Presented
from ambroise.modules.identity.provider.decoupled import Decoupled
from ambroise.modules.identity.provider.exchanging import ACCESS_TOKEN, Exchanging
from ambroise.modules.identity.provider.ground import REALM, TOKEN_ENDPOINT, Ground
from ambroise.modules.identity.provider.jose import PUBLISHED_FIRST, Jose
from ambroise.modules.identity.provider.launching import Launching
from ambroise.modules.identity.provider.leaving import CLIENT_TO_TELL, Leave, Leaving
from ambroise.modules.identity.provider.model import (
    ACR_VALUES,
    OPENID,
    SCOPE_ALL,
    Client,
    ClientAuthentication,
    Family,
    Grant,
    Listed,
    Means,
    NewClient,
    Registered,
    Request,
    SignOn,
    Tokens,
)
from ambroise.modules.identity.provider.repositories.clients import public_redirections
from ambroise.modules.identity.provider.sharing import CAST, CLOSED, LEFT, OPENED, SharedContext, Sharing, schemas
from ambroise.modules.identity.provider.signing_on import SigningOn
from ambroise.modules.identity.provider.smart import (
    FHIR,
    FHIR_USER,
    LAUNCH,
    LAUNCH_PATIENT,
    ONLINE,
    OPENING,
    WORDS,
    Launched,
    Opened,
    is_limited,
)
from ambroise.modules.identity.provider.tokens import TokenService
from ambroise.modules.identity.tokens import Sealer

__all__ = [
    "ACCESS_TOKEN",
    "ACR_VALUES",
    "ALGORITHMS",
    "CAST",
    "CLIENT_TO_TELL",
    "CLOSED",
    "EVENTS",
    "FAMILY",
    "FHIR",
    "FHIR_USER",
    "LAUNCH",
    "LAUNCH_PATIENT",
    "LEFT",
    "LIMITED",
    "ONLINE",
    "OPENED",
    "OPENID",
    "OPENING",
    "PUBLISHED_FIRST",
    "REALM",
    "SCOPE_ALL",
    "SHOW",
    "TOKEN_ENDPOINT",
    "TYPE",
    "WORDS",
    "Casting",
    "Client",
    "ClientAuthentication",
    "Family",
    "Grant",
    "Launched",
    "Launching",
    "Leave",
    "Listed",
    "Means",
    "NewClient",
    "Opened",
    "Presented",
    "Provider",
    "Registered",
    "Request",
    "SharedContext",
    "SignOn",
    "Subscription",
    "Tokens",
    "Unmet",
    "is_limited",
    "public_redirections",
    "read",
    "redirection",
    "schemas",
]


class Provider(Struct, frozen=True):
    """The OpenID provider: its clients, its signing on, its tokens, its ends."""

    ground: Ground
    clients: Clients
    signing_on: SigningOn
    tokens: TokenService
    leaving: Leaving
    decoupled: Decoupled
    exchanging: Exchanging
    sharing: Sharing
    certified: Certified
    launching: Launching
    casting: Casting

    @staticmethod
    def over(
        database: Database,
        clock: Clock,
        keys: SigningKeys,
        *,
        addresses: tuple[str, ...],
        audience: str,
        seed: UUID,
        sealer: Sealer,
        demonstration: bool = False,
        secure: Mapping[str, str] | None = None,
    ) -> Provider:
        """Build the provider of an instance. `addresses`: by which people reach it, the usual one first.

        `secure`: the address of the mTLS port of each.
        """
        ground = Ground(database, clock, Jose(keys), addresses, audience, seed, demonstration, secure or {})
        clients = Clients(ground)
        launching = Launching(ground)
        signing_on, tokens = SigningOn(ground, clients), TokenService(ground, launching)
        decoupled = Decoupled(ground, signing_on, tokens)
        exchanging, sharing = Exchanging(ground, tokens), Sharing(ground, tokens, sealer)
        certified = Certified(ground, signing_on)
        leaving = Leaving(ground)
        return Provider(
            ground, clients, signing_on, tokens, leaving, decoupled, exchanging, sharing, certified, launching,
            Casting(ground, sharing, launching),
        )  # fmt: skip
