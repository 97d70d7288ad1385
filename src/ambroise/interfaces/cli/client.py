"""`client register`, `client list`, `client disable`: the software that may sign professionals in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ambroise.interfaces.cli.toolbox import Data, Toolbox, fail

if TYPE_CHECKING:
    from ambroise.interfaces.services import Services
    from ambroise.kernel.settings import Settings
    from ambroise.modules.identity.provider.api import ClientAuthentication, NewClient
    from ambroise.trust.context import Context


def register(app: typer.Typer, toolbox: Toolbox) -> None:
    clients = typer.Typer(help="Software that may sign professionals in.", no_args_is_help=True)
    app.add_typer(clients, name="client")

    @clients.command(name="register")
    def register_client(
        name: Annotated[str, typer.Option(metavar="NAME", help="Name shown to people.")],
        redirect_uri: Annotated[
            list[str], typer.Option(metavar="URI", help="Where people come back after signing in; may be repeated.")
        ] = [],  # noqa: B006 - typer copies it.
        post_logout_uri: Annotated[
            list[str], typer.Option(metavar="URI", help="Where people come back after leaving; may be repeated.")
        ] = [],  # noqa: B006
        backchannel_logout_uri: Annotated[
            str | None, typer.Option(metavar="URI", help="What we call when somebody leaves.")
        ] = None,
        public: Annotated[
            bool, typer.Option("--public", help="It keeps no secret: a program on the device of the person.")
        ] = False,
        machine: Annotated[
            bool, typer.Option("--machine", help="It also acts by itself, without anybody (client_credentials).")
        ] = False,
        ciba: Annotated[bool, typer.Option("--ciba", help="It also signs people in without a browser (CIBA).")] = False,
        jwks: Annotated[
            Path | None, typer.Option(metavar="FILE", help="Its public keys: it signs assertions, and has no secret.")
        ] = None,
        tls_subject: Annotated[
            str | None, typer.Option(metavar="DN", help="Subject of its certificate: it shows it on the mTLS port.")
        ] = None,
        launch_uri: Annotated[
            str | None,
            typer.Option(metavar="URI", help="Where professionals open it from a patient (SMART App Launch)."),
        ] = None,
        exchange: Annotated[
            bool,
            typer.Option("--exchange", help="It exchanges tokens for API tokens; needs --tls-subject."),
        ] = False,
        scope: Annotated[
            list[str], typer.Option(metavar="SCOPE", help="Scope beyond openid and scope_all; may be repeated.")
        ] = [],  # noqa: B006
        data: Data = None,
    ) -> None:
        """Register a client, and print it as JSON with its secret, which is shown this once."""
        from ambroise.modules.identity.provider.api import OPENID, SCOPE_ALL, Grant, NewClient

        people = ({Grant.CODE} if redirect_uri or not (machine or ciba or exchange) else set[Grant]()) | (
            {Grant.CIBA} if ciba else set[Grant]()
        )
        grants = people | ({Grant.REFRESH} if people else set()) | ({Grant.CLIENT} if machine else set())
        grants |= {Grant.EXCHANGE} if exchange else set()
        new = NewClient(
            name=name,
            redirect_uris=tuple(redirect_uri),
            post_logout_uris=tuple(post_logout_uri),
            backchannel_logout_uri=backchannel_logout_uri,
            authentication=_authentication(public=public, keys=jwks is not None, certificate=tls_subject is not None),
            grants=frozenset(grants),
            jwks=_keys(jwks) if jwks is not None else None,
            tls_subject=tls_subject,
            launch_uri=launch_uri,
            scopes=frozenset({*scope, *({OPENID, SCOPE_ALL} if people else ())}),
        )
        typer.echo(json.dumps(toolbox.run(_register(toolbox, toolbox.settings(data), new)), indent=2))

    @clients.command(name="list")
    def list_clients(data: Data = None) -> None:
        """Print every client as JSON, without secrets."""
        typer.echo(json.dumps(toolbox.run(_list(toolbox, toolbox.settings(data))), indent=2))

    @clients.command()
    def disable(
        client_id: Annotated[str, typer.Argument(metavar="CLIENT_ID", help="Identifier of the client.")],
        data: Data = None,
    ) -> None:
        """End a client: within a second, it is unknown."""
        toolbox.run(_disable(toolbox, toolbox.settings(data), client_id))
        typer.echo(f"{client_id} is unknown within a second.")


def _authentication(*, public: bool, keys: bool, certificate: bool) -> ClientAuthentication:
    from ambroise.modules.identity.provider.api import ClientAuthentication

    if certificate:
        return ClientAuthentication.CERTIFICATE
    if keys:
        return ClientAuthentication.ASSERTION
    return ClientAuthentication.NONE if public else ClientAuthentication.SECRET


def _keys(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError):
        fail(f"{file} is not a JSON file that can be read.")


async def _register(toolbox: Toolbox, settings: Settings, new: NewClient) -> dict[str, Any]:
    from ambroise.interfaces.oauth.registration import described

    async with toolbox.builder.services(settings) as services, services.database.transaction() as tx:
        made = await services.provider.clients.register(tx, _operator(services), new)
    secret = {"client_secret": made.secret, "client_secret_expires_at": 0} if made.secret else {}
    return {**described(made.client), **secret}


async def _list(toolbox: Toolbox, settings: Settings) -> list[dict[str, Any]]:
    from ambroise.interfaces.oauth.registration import described

    async with toolbox.builder.services(settings) as services, services.database.reader() as reader:
        return [described(client) for client in await services.provider.clients.everyone(reader)]


async def _disable(toolbox: Toolbox, settings: Settings, id: str) -> None:
    async with toolbox.builder.services(settings) as services, services.database.transaction() as tx:
        await services.provider.clients.disable(tx, _operator(services), id)


def _operator(services: Services) -> Context:
    from ambroise.trust.context import Context, System

    return Context(System(), services.clock, channel="cli", demonstration=services.demonstration)
