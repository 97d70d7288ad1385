"""What the composition root hands to every interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from ambroise.interfaces.authentication import Authenticator
    from ambroise.kernel.clock import Clock
    from ambroise.kernel.crypto import ApplicationSecret, SigningKeys
    from ambroise.kernel.db import Database
    from ambroise.kernel.installation import Installation
    from ambroise.kernel.settings import Settings
    from ambroise.modules.identity.api import Enrolments, Federation, Identity, Passkeys, Provider
    from ambroise.modules.letters.api import Letters
    from ambroise.modules.notification.api import Wishing
    from ambroise.modules.portability.api import Exports, Imports
    from ambroise.modules.record.api import Record
    from ambroise.modules.relations.api import Relations
    from ambroise.modules.space.api import Spaces
    from ambroise.modules.vitale.api import Vitale
    from ambroise.trust.gateway import Gateway


class Services(Struct, frozen=True):
    """The objects of one process, built once. `public_url` is the address that people use, without a final slash."""

    settings: Settings
    installation: Installation
    public_url: str
    clock: Clock
    database: Database
    gateway: Gateway
    record: Record
    spaces: Spaces
    relations: Relations
    vitale: Vitale
    identity: Identity
    passkeys: Passkeys
    enrolments: Enrolments
    federation: Federation
    letters: Letters
    exports: Exports
    imports: Imports
    wishing: Wishing
    provider: Provider
    authenticator: Authenticator
    signing_keys: SigningKeys
    secret: ApplicationSecret

    @property
    def demonstration(self) -> bool:
        return self.installation.demonstration
