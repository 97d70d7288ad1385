"""The versioned FHIR store on PostgreSQL. Every function wants a permit or a scope, so no check can be forgotten."""

from ambroise.fhir.store.bulk import Draft, bulk_insert
from ambroise.fhir.store.codec import keep_dictionaries
from ambroise.fhir.store.keys import as_key, key_of, new_key
from ambroise.fhir.store.pages import PageSeal
from ambroise.fhir.store.past import HistoryPage, history
from ambroise.fhir.store.reading import lock, peek, read, read_keys, vread
from ambroise.fhir.store.rebuilding import Place, rebuild
from ambroise.fhir.store.records import purge, relabel
from ambroise.fhir.store.types import Flags, Label, Peeked, Permit, Scope, ScopeBuilder, ScopeFor, ScopeRow, Stored
from ambroise.fhir.store.writing import delete, insert, update

__all__ = [
    "Draft",
    "Flags",
    "HistoryPage",
    "Label",
    "PageSeal",
    "Peeked",
    "Permit",
    "Place",
    "Scope",
    "ScopeBuilder",
    "ScopeFor",
    "ScopeRow",
    "Stored",
    "as_key",
    "bulk_insert",
    "delete",
    "history",
    "insert",
    "keep_dictionaries",
    "key_of",
    "lock",
    "new_key",
    "peek",
    "purge",
    "read",
    "read_keys",
    "rebuild",
    "relabel",
    "update",
    "vread",
]
