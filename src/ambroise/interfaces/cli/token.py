"""`token`: an access token for one person, for clients, tests and operators."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from ambroise.interfaces.cli.options import Organization, PurposeOfAccess, Reason
from ambroise.interfaces.cli.toolbox import Data, Toolbox, fail

if TYPE_CHECKING:
    from ambroise.interfaces.authentication import People
    from ambroise.kernel.settings import Settings

_DEFAULT_TTL = 3600


def register(app: typer.Typer, toolbox: Toolbox) -> None:
    @app.command()
    def token(
        who: Annotated[
            str, typer.Option("--as", metavar="WHO", help="`system`, `citizen:<INS>` or `professional:<RPPS>`.")
        ],
        data: Data = None,
        organization: Organization = None,
        purpose: PurposeOfAccess = "normal",
        reason: Reason = None,
        acting_for: Annotated[
            str | None, typer.Option("--for", metavar="INS", help="Person for whom the citizen acts.")
        ] = None,
        ttl: Annotated[int, typer.Option(metavar="S", min=1, help="Seconds until it expires.")] = _DEFAULT_TTL,
    ) -> None:
        """Print an access token (ES256 JWT), alone on standard output."""
        settings = toolbox.settings(data)
        claims = toolbox.run(
            _claims(
                toolbox,
                settings,
                who,
                organization=organization,
                purpose=purpose,
                reason=reason,
                acting_for=acting_for,
                ttl=ttl,
            )
        )
        from ambroise.interfaces.token_claims import sign
        from ambroise.kernel.crypto.signing import SigningKeys

        typer.echo(sign(claims, SigningKeys.load(settings.signing_keys).signer))


async def _claims(
    toolbox: Toolbox,
    settings: Settings,
    who: str,
    *,
    organization: str | None,
    purpose: str,
    reason: str | None,
    acting_for: str | None,
    ttl: int,
) -> dict[str, object]:
    from ambroise.interfaces.token_claims import Role, claims_for
    from ambroise.trust.context import Purpose

    role, _, name = who.partition(":")
    if role not in (Role.SYSTEM, Role.CITIZEN, Role.PROFESSIONAL) or (role != Role.SYSTEM and not name):
        fail("--as takes system, citizen:<INS> or professional:<RPPS>.")
    if purpose not in Purpose.__members__.values():
        fail(f"--purpose takes one of {', '.join(Purpose)}.")
    if not any(settings.signing_keys.glob("*.pem")):
        fail(f"There is no installation in {settings.data}: run `ambroise demo` or `ambroise migrate` first.")
    if role != Role.SYSTEM:
        async with toolbox.builder.people(settings) as people:
            await _check(people, role, name, organization, acting_for)
    return claims_for(
        Role(role),
        who,
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        issued_at=await toolbox.present(settings),
        lifetime=timedelta(seconds=ttl),
        ins=name if role == Role.CITIZEN else None,
        rpps=name if role == Role.PROFESSIONAL else None,
        organization=organization,
        purpose=purpose,
        reason=reason,
        acting_for=acting_for,
        software="ambroise-token",
    )


async def _check(people: People, role: str, name: str, organization: str | None, acting_for: str | None) -> None:
    """Say now what the server would refuse later."""
    if role == "professional" and await people.professional(name, organization) is None:
        fail(f"The directory knows no professional {name}{f' in {organization}' if organization else ''}.")
    for ins in (name if role == "citizen" else None, acting_for):
        if ins is not None and await people.space(ins) is None:
            fail(f"There is no space for the INS {ins}.")
