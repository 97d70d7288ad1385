"""The token that makes permits and scopes. Only `ambroise.trust.access` imports this module; a test keeps it so."""

from typing import Final, final


@final
class Seal:
    """Proof, by possession, that the caller is the access layer."""

    __slots__ = ()


SEAL: Final = Seal()
