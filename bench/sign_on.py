"""What the provider of professionals serves: tokens of machines (client_credentials) and refreshes, all signed ES256.

    python -m bench.sign_on [--seconds 6] [--connections 32]

The aim is a number of answers for each second of processor that the server spends, so that it holds on a machine that
does other things at the same time. PostgreSQL's own share is told beside.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

from ambroise.interfaces.services import Services
from ambroise.main.builder import InstanceBuilder
from ambroise.modules.identity.api import AccountKind, NewAccount, Situation
from ambroise.modules.identity.provider.api import REALM, TOKEN_ENDPOINT, Grant, NewClient, Registered
from ambroise.modules.identity.provider.model import Means
from ambroise.trust.context import Context, System
from bench.client import Job, Measure, Parts, measure
from bench.instance import Instance

AT_LEAST = 1_500
_SESSIONS = 500
_TOKENS_EACH = 10
_WARMING = 500
_OK = frozenset({200})


@dataclass(frozen=True)
class Prepared:
    """The requests of both measures, written beforehand."""

    machine: list[Parts]
    refreshes: list[Parts]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="Measure the tokens that the provider gives.")
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--warm-up", type=float, default=1.0)
    parser.add_argument("--connections", type=int, default=32)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ambroise-bench-") as folder:
        instance = Instance(Path(folder) / "data")
        instance.start()
        try:
            prepared = asyncio.run(_prepare(instance))
            for name, requests, once in (
                ("client_credentials", prepared.machine, False),
                ("refresh_token", prepared.refreshes, True),
            ):
                job = Job(instance.host, instance.port, given.connections, 0.0, given.seconds, requests, _OK, once=once)
                measure(replace(job, requests=requests[:_WARMING], seconds=given.warm_up))
                before = instance.spent()
                found = measure(replace(job, requests=requests[_WARMING:] if once else requests))
                after = instance.spent()
                print(_line(name, found, after[0] - before[0], after[1] - before[1]))
        finally:
            instance.stop()


def _line(name: str, found: Measure, server: float, database: float) -> str:
    """One measure in words."""
    each = found.answered / server if server else 0.0
    aim = "reached" if each >= AT_LEAST else "missed"
    return (
        f"{name}: {each:,.0f} answers a second of the server's processor ({aim}: {AT_LEAST:,}), {found.rate:,.0f}/s on "
        f"this machine as it was, {1e6 * server / max(found.answered, 1):,.0f} µs each of the server and "
        f"{1e6 * database / max(found.answered, 1):,.0f} µs of PostgreSQL, p95 {found.p95 * 1000:.1f} ms, "
        f"{found.errors} errors{' ' + found.first_error if found.first_error else ''}"
    )


async def _prepare(instance: Instance) -> Prepared:
    """A machine, a client of people, and refresh tokens of many sign-ons, each good once."""
    async with InstanceBuilder().services(instance.settings) as services:
        machine = await client_of(services, Grant.CLIENT, scopes=frozenset({"mesure"}))
        people = await client_of(services, Grant.CODE, Grant.REFRESH, redirect_uris=("https://rp.example/back",))
        tokens = await refresh_tokens(services, people)
    asked = [token_request(instance, machine, {"grant_type": "client_credentials", "scope": "mesure"})]
    refreshes = [
        token_request(instance, people, {"grant_type": "refresh_token", "refresh_token": one}) for one in tokens
    ]
    return Prepared(asked, refreshes)


async def client_of(services: Services, *grants: Grant, **more: object) -> Registered:
    """Software registered for these grants."""
    new = NewClient(name="Mesure", grants=frozenset(grants), **more)  # type: ignore[arg-type]
    async with services.database.transaction() as tx:
        return await services.provider.clients.register(tx, Context(System(), services.clock), new)


async def refresh_tokens(
    services: Services, client: Registered, people: int = _SESSIONS, each: int = _TOKENS_EACH
) -> list[str]:
    """Every token belongs to a sign-on of its own turn: those under way at one time never meet."""
    provider, given = services.provider, []
    practice = Situation("10", organization="1370000002", organization_name="Cabinet")
    async with services.database.transaction() as tx:
        new = NewAccount(AccountKind.PROFESSIONAL, "bench", "Mesure Fictive", professional="810000000012",
                         situations=(practice,), demonstration=True)  # fmt: skip
        await services.identity.create_account(tx, new)
    async with services.database.reader() as reader:
        account = await services.identity.account_of(reader, professional="810000000012")
    assert account is not None
    async with services.database.transaction() as tx:
        issuer = provider.ground.issuer
        sessions = [await provider.signing_on.open(tx, account, Means.E_CPS, client.client.id) for _ in range(people)]
        for _ in range(each):
            for session in sessions:
                tokens = await provider.tokens.grant(tx, session, client.client, issuer, ("openid", "scope_all"))
                given.append(tokens.refresh or "")
    return given


def token_request(instance: Instance, client: Registered, fields: dict[str, str]) -> Parts:
    """A request of a token, as it goes over the wire."""
    body = urlencode(fields).encode()
    basic = base64.b64encode(f"{client.client.id}:{client.secret}".encode()).decode()
    head = (
        f"POST {REALM}{TOKEN_ENDPOINT} HTTP/1.1\r\nHost: {instance.host}:{instance.port}\r\n"
        f"Authorization: Basic {basic}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return (head.encode(), body)


if __name__ == "__main__":
    main()
