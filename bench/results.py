"""What a run found, ready to be written."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec

from bench import copies
from bench.client import Measure
from bench.disk import Disk


@dataclass
class Outcome:
    """One workload: measured under load, alone on one connection, and beside its floors."""

    name: str
    measure: Measure
    alone: Measure
    floor: float
    """Operations a second of the same rows through psycopg."""
    server: float
    """Processor seconds of the server for one request; `postgres` and `client` likewise."""
    postgres: float
    client: float
    bytes_sent: float
    load: str
    """How busy the machine was when it began."""

    @property
    def ratio(self) -> float:
        return self.measure.rate / self.floor if self.floor else 0.0


@dataclass
class Results:
    """One whole run."""

    machine: dict[str, str]
    command: str
    data: dict[str, int]
    began: str
    outcomes: list[Outcome] = field(default_factory=list)
    hello: Measure = field(default_factory=Measure)
    bulk: float = 0.0
    bulk_floor: float = 0.0
    export: copies.Measured | None = None
    starts: list[float] = field(default_factory=list)
    first_start: float = 0.0
    idle: int = 0
    loaded: int = 0
    largest: int = 0
    disk: Disk | None = None
    at_scale: dict[str, Measure] = field(default_factory=dict)
    scale: int = 0
    minutes: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Everything, with the rates that are computed."""
        written = asdict(self)
        for outcome, one in zip(written["outcomes"], self.outcomes, strict=True):
            outcome["rate"], outcome["ratio"] = one.measure.rate, one.ratio
        for name, one in self.at_scale.items():
            written["at_scale"][name]["rate"] = one.rate
        if self.export is not None:
            written["export"] = msgspec.structs.asdict(self.export)
        written["hello"]["rate"] = self.hello.rate
        return written
