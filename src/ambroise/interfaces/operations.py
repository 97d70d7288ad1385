"""Routes for who operates the instance: is it alive, is it ready, how is it doing."""

from __future__ import annotations

import ipaddress
import math
import os
import time
from collections.abc import Sequence

import psycopg
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ambroise.interfaces.services import Services
from ambroise.kernel import installation, outbox
from ambroise.kernel.errors import Refusal

# The variable of the library that counts: set where several processes count in one folder.
_TOGETHER = "PROMETHEUS_MULTIPROC_DIR"
_OPERATIONAL = frozenset({"healthz", "readyz", "metrics"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Metrics:
    """The measures of this process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        labels = ("surface", "method")
        self.requests = Counter(
            "ambroise_http_requests", "Requests answered.", (*labels, "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "ambroise_http_request_seconds", "Time to the last byte.", labels, buckets=_BUCKETS, registry=self.registry
        )
        self.events = Gauge(
            "ambroise_outbox_events",
            "Events not delivered yet.",
            ("state",),
            registry=self.registry,
            multiprocess_mode="mostrecent",
        )
        self.slots = Gauge(
            "ambroise_database_slots",
            "Connections to the database.",
            ("state",),
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def of(self, surface: str, method: str, status: int) -> tuple[Counter, Histogram]:
        """The count and the times of one sort of request, which takes as long to find as to count."""
        sort = (surface, method, status)
        known = self._known.get(sort)
        if known is None:
            known = self._known[sort] = (
                self.requests.labels(surface, method, status),
                self.seconds.labels(surface, method),
            )
        return known

    def text(self) -> bytes:
        """As Prometheus reads them: of this process, or of all that answer together on this machine."""
        if _TOGETHER not in os.environ:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)
        return generate_latest(together)


class Measured:
    """Counts and times every request, by surface, so that no path of a person ever becomes a label."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            count, seconds = self._metrics.of(_surface(scope["path"]), method, status)
            count.inc()
            seconds.observe(time.perf_counter() - started)


def _surface(path: str) -> str:
    first = path[1:].partition("/")[0]
    if first in ("fhir", "static", "auth", "insi", "annuaire", "fhircast"):
        return first
    return "operations" if first in _OPERATIONAL else "web"


def routes(services: Services, metrics: Metrics) -> Sequence[BaseRoute]:
    """`/healthz`, `/readyz` and `/metrics`."""

    async def healthz(request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def readyz(request: Request) -> Response:
        try:
            async with services.database.reader() as reader:
                await installation.read(reader)
        except (Refusal, psycopg.Error) as error:
            reason = error.code if isinstance(error, Refusal) else "DATABASE_UNAVAILABLE"
            return PlainTextResponse(f"not ready: {reason}\n", 503)
        return PlainTextResponse("ready\n")

    async def measures(request: Request) -> Response:
        if not _is_near(request):
            return PlainTextResponse("not found\n", 404)
        try:
            async with services.database.reader() as reader:
                waiting = await outbox.backlog(reader, services.clock.now())
            metrics.events.labels("due").set(waiting.due)
            metrics.events.labels("later").set(waiting.later)
            metrics.events.labels("dead").set(waiting.dead)
        except (Refusal, psycopg.Error):
            for state in ("due", "later", "dead"):
                metrics.events.labels(state).set(math.nan)
        metrics.slots.labels("open").set(services.database.opened)
        metrics.slots.labels("free").set(services.database.free)
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")

    return [
        Route("/healthz", healthz, methods=["GET"]),
        Route("/readyz", readyz, methods=["GET"]),
        Route("/metrics", measures, methods=["GET"]),
    ]


def _is_near(request: Request) -> bool:
    """Whether the question comes from this host or its private network, where a collector stands."""
    if request.client is None:
        return True
    try:
        address = ipaddress.ip_address(request.client.host)
    except ValueError:
        return False
    return address.is_loopback or address.is_private
