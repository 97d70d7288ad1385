"""How much is measured, and what is aimed at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Plan:
    """The size of a run."""

    patients: int = 1_000
    observations: int = 20
    """Loaded for each patient before anything is measured."""
    documents: int = 1
    """Filed for each patient before anything is measured."""
    long: int = 5_000
    """Documents of the one patient whose record is long."""
    copied: int = 1_000
    """Documents of the record of which a copy is made."""
    seconds: float = 8.0
    warm_up: float = 2.0
    connections: int = 32
    processes: int = 1
    """Processes of the server that answer."""
    floor_seconds: float = 4.0
    starts: int = 3
    only: frozenset[str] = frozenset()
    scale: int = 0
    """Measure again with this many patients, in the same run; 0: do not."""
    out: Path = Path(__file__).parent

    @property
    def long_record(self) -> int:
        """Documents to file for the patient whose record is long; none where no workload looks for them."""
        return self.long if any(self.wants(name) for name in ON_A_LONG_RECORD) else 0

    def wants(self, name: str) -> bool:
        """Whether a workload is part of the run."""
        return not self.only or name in self.only


@dataclass(frozen=True)
class Target:
    """What a workload aims at, in operations a second."""

    name: str
    title: str
    at_least: float


WORKLOADS = (
    Target("read", "Read by id", 6_000),
    Target("search", "Search of a patient, sorted, 20 results", 3_500),
    Target("create", "Create", 2_000),
    Target("transaction", "Transaction of 3", 600),
    Target("submission", "ITI-65, CDA N1 with a 100 KB PDF", 350),
    Target("hl7v2", "HL7 v2 ORU^R01, the same document", 200),
    Target("xds", "XDS ITI-41 (MTOM), the same document", 200),
    Target("xds-find", "XDS ITI-18, FindDocuments of a patient with a long record", 5),
    Target("page-list", "Page: one's documents, a long record", 10),
    Target("page-patient", "Page: the documents of a patient, a long record", 10),
    Target("page-words", "Page: full-text search, a long record", 10),
    Target("page-document", "Page: one document, a CDA, a long record", 10),
)
PAGES = ("page-list", "page-patient", "page-words", "page-document")
"""They are asked for in sessions of browsers, and aim at 100 ms of the server, whose process answers one at a time."""
ON_A_LONG_RECORD = ("xds-find", *PAGES)
BULK = Target("bulk", "Bulk load, resources", 10_000)
BYTES_PER_RESOURCE = 1_600
START_SECONDS = 2.0
IDLE_MEGABYTES = 200.0
AT_SCALE = 0.8
