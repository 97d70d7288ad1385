"""`vihf`: an assertion (VIHF) for one professional, signed by the demonstration authority's certificates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ambroise.interfaces.cli.options import Organization, PurposeOfAccess, Reason
from ambroise.interfaces.cli.toolbox import Data, Toolbox, fail

if TYPE_CHECKING:
    from ambroise.kernel.settings import Settings
    from ambroise.trust.context import Professional


def register(app: typer.Typer, toolbox: Toolbox) -> None:
    @app.command()
    def vihf(
        who: Annotated[str, typer.Option("--as", metavar="WHO", help="`professional:<RPPS>`.")],
        data: Data = None,
        organization: Organization = None,
        purpose: PurposeOfAccess = "normal",
        reason: Reason = None,
        patient: Annotated[
            str | None, typer.Option("--for", metavar="INS", help="The one patient that it is about (test INS).")
        ] = None,
        secret: Annotated[bool, typer.Option("--secret", help="Secret connection (connexion secrète).")] = False,
        seal: Annotated[
            bool, typer.Option("--seal", help="Signed by the seal of the structure, not by the professional.")
        ] = False,
    ) -> None:
        """Print a fresh assertion, alone on standard output: it opens `/xds` once, within five minutes."""
        from ambroise.modules.identity.ins import TEST_OID
        from ambroise.modules.identity.vihf.making import Making
        from ambroise.modules.identity.vihf.model import Mode
        from ambroise.trust.context import Purpose

        if purpose not in Purpose.__members__.values():
            fail(f"--purpose takes one of {', '.join(Purpose)}.")
        said = Making(
            mode=Mode.INDIRECT if seal else Mode.DIRECT,
            purpose=Purpose(purpose),
            reason=reason,
            patient=f"{patient}^^^&{TEST_OID}&ISO^NH" if patient else None,
            secret=secret,
        )
        settings = toolbox.settings(data)
        typer.echo(toolbox.run(_made(toolbox, settings, who, organization, said)).decode())


async def _made(toolbox: Toolbox, settings: Settings, who: str, organization: str | None, said: object) -> bytes:
    from cryptography import x509

    from ambroise.modules.identity.vihf.making import Making, make, sign

    assert isinstance(said, Making)  # noqa: S101
    role, _, rpps = who.partition(":")
    if role != "professional" or not rpps:
        fail("--as takes professional:<RPPS>.")
    if not (settings.demonstration_pki / "ca.pem").exists():
        fail(f"There is no demonstration authority in {settings.data}: start `ambroise demo` first.")
    async with toolbox.builder.people(settings) as people:
        actor = await people.professional(rpps, organization)
    if actor is None:
        fail(f"The directory knows no professional {rpps}{f' in {organization}' if organization else ''}.")
    sealed = said.mode.value != "DIRECTE"
    if sealed and not actor.organization:
        fail("A seal is that of a structure: this professional has none.")
    certificate, key = _certificate(settings.demonstration_pki, actor, sealed=sealed)
    issuer = x509.load_pem_x509_certificate(certificate).subject.rfc4514_string()
    return sign(make(actor, issuer, await toolbox.present(settings), said), certificate, key)


def _certificate(folder: Path, actor: Professional, *, sealed: bool) -> tuple[bytes, bytes]:
    """The certificate and the key of the professional or of the structure, issued the first time and kept."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509

    from ambroise.kernel.crypto.authority import DemonstrationAuthority
    from ambroise.kernel.crypto.files import write_secret

    name = str(actor.organization if sealed else actor.id)
    file, key_file = folder / "vihf" / f"{name}.pem", folder / "vihf" / f"{name}.key"
    if file.exists() and key_file.exists():
        ends = x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
        if ends - datetime.now(UTC) > timedelta(days=1):
            return file.read_bytes(), key_file.read_bytes()
    authority = DemonstrationAuthority.open(folder)
    if sealed:
        issued = authority.issue("VIHF", actor.organization_name or name, name)
    else:
        given, _, surname = actor.name.rpartition(" ")
        issued = authority.issue_person(name, surname, given or surname)
    write_secret(file, issued.certificate)
    write_secret(key_file, issued.key)
    return issued.certificate, issued.key
