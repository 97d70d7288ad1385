"""The one door to clinical data."""

from ambroise.fhir.search import Query, SearchResult
from ambroise.fhir.store.pages import PageSeal
from ambroise.fhir.store.past import HistoryPage
from ambroise.fhir.store.types import Flags, Label, Peeked, Permit, Scope, Stored
from ambroise.kernel.objects import BlobInfo, BlobStream
from ambroise.trust.access.decide import Action, Target
from ambroise.trust.gateway.core import Owner
from ambroise.trust.gateway.door import Gateway
from ambroise.trust.gateway.emergencies import EMERGENCY_OPENED
from ambroise.trust.gateway.explaining import Explanation
from ambroise.trust.gateway.finding import Found, Traits
from ambroise.trust.gateway.labels import author_of, follow, label_for
from ambroise.trust.gateway.loading import New
from ambroise.trust.gateway.rights import Rights

__all__ = [
    "EMERGENCY_OPENED",
    "Action",
    "BlobInfo",
    "BlobStream",
    "Explanation",
    "Flags",
    "Found",
    "Gateway",
    "HistoryPage",
    "Label",
    "New",
    "Owner",
    "PageSeal",
    "Peeked",
    "Permit",
    "Query",
    "Rights",
    "Scope",
    "SearchResult",
    "Stored",
    "Target",
    "Traits",
    "author_of",
    "follow",
    "label_for",
]
