"""Keys: the master key, the data key of each citizen, the keys that sign tokens."""

from ambroise.kernel.crypto.application import ApplicationSecret
from ambroise.kernel.crypto.datakeys import DataKey, DataKeyDestroyed, DataKeys
from ambroise.kernel.crypto.master import MasterKeys, UnknownMasterKey
from ambroise.kernel.crypto.signing import SigningKeys

__all__ = [
    "ApplicationSecret",
    "DataKey",
    "DataKeyDestroyed",
    "DataKeys",
    "MasterKeys",
    "SigningKeys",
    "UnknownMasterKey",
]
