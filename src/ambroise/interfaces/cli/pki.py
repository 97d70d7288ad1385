"""`pki issue`, `pki issue-person`, `pki revoke`, `pki list`: certificates of the demonstration authority."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ambroise.interfaces.cli.toolbox import Data, Toolbox, fail

if TYPE_CHECKING:
    from ambroise.kernel.crypto.authority import DemonstrationAuthority, Issued


def register(app: typer.Typer, toolbox: Toolbox) -> None:
    authority = typer.Typer(help="Certificates of the demonstration authority; never for real.", no_args_is_help=True)
    app.add_typer(authority, name="pki")

    @authority.command()
    def issue(
        service: Annotated[str, typer.Argument(metavar="SERVICE", help="Name of the service (CN).")],
        out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the certificate, its key and the CA.")],
        structure: Annotated[str, typer.Option(metavar="NAME", help="Structure (O).")] = "Structure Fictive",
        structure_id: Annotated[str, typer.Option(metavar="ID", help="Its identifier (OU).")] = "10B0000001",
        days: Annotated[int, typer.Option(metavar="N", help="Days until it expires; 0 makes one that has.")] = 365,
        data: Data = None,
    ) -> None:
        """Issue a client certificate; print its subject and its files as JSON."""
        from ambroise.kernel.crypto.authority import DemonstrationAuthority

        opened = DemonstrationAuthority.open(toolbox.settings(data).demonstration_pki)
        _write(opened, opened.issue(service, structure, structure_id, days=days), out)

    @authority.command(name="issue-person")
    def issue_person(
        rpps: Annotated[str, typer.Argument(metavar="RPPS", help="RPPS of the professional, 11 digits.")],
        surname: Annotated[str, typer.Option(metavar="NAME", help="Surname (SN).")],
        given: Annotated[str, typer.Option(metavar="NAME", help="First name (GN).")],
        out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the certificate, its key and the CA.")],
        days: Annotated[int, typer.Option(metavar="N", help="Days until it expires; 0 makes one that has.")] = 365,
        data: Data = None,
    ) -> None:
        """Issue the software certificate of a professional, in PEM and as PKCS#12 for a browser."""
        from ambroise.kernel.crypto.authority import DemonstrationAuthority

        if not (rpps.isascii() and rpps.isdecimal() and len(rpps) == 11):
            fail("An RPPS has 11 digits.")
        opened = DemonstrationAuthority.open(toolbox.settings(data).demonstration_pki)
        _write(opened, opened.issue_person(f"8{rpps}", surname, given, days=days), out, bundle=True)

    @authority.command()
    def revoke(
        serial: Annotated[str, typer.Argument(metavar="SERIAL", help="Serial number, in hexadecimal.")],
        data: Data = None,
    ) -> None:
        """Put a certificate on the revocation list: it is refused from the next request on."""
        from ambroise.kernel.crypto.authority import DemonstrationAuthority

        try:
            number = int(serial, 16)
        except ValueError:
            fail("A serial number is written in hexadecimal: `ambroise pki list` shows them.")
        if not DemonstrationAuthority.open(toolbox.settings(data).demonstration_pki).revoke(number):
            fail("This authority issued no certificate of that number: `ambroise pki list` shows them.")
        typer.echo(f"{serial} is revoked.")

    @authority.command(name="list")
    def list_certificates(data: Data = None) -> None:
        """Print the client certificates as JSON."""
        from ambroise.kernel.crypto.authority import DemonstrationAuthority

        opened = DemonstrationAuthority.open(toolbox.settings(data).demonstration_pki)
        known = [
            {"serial": f"{one.serial:x}", "subject": one.subject, "ends": one.ends.isoformat(), "revoked": one.revoked}
            for one in opened.everything()
        ]
        typer.echo(json.dumps(known, indent=2, ensure_ascii=False))


def _write(authority: DemonstrationAuthority, issued: Issued, out: Path, *, bundle: bool = False) -> None:
    """Write a certificate, its key and the authority in a folder; print where as JSON."""
    from ambroise.kernel.crypto.files import write_secret

    files = {"certificate": out / "client.pem", "key": out / "client.key", "authority": out / "ca.pem"}
    write_secret(files["certificate"], issued.certificate)
    write_secret(files["key"], issued.key)
    write_secret(files["authority"], authority.certificate.read_bytes())
    if bundle:
        # A browser imports a certificate with its key under a password.
        password = secrets.token_urlsafe(12)
        files |= {"bundle": out / "client.p12", "password": out / "client.p12.password"}
        write_secret(files["bundle"], issued.bundle(password))
        write_secret(files["password"], password.encode())
    said = {"subject": issued.subject, "serial": f"{issued.serial:x}"}
    typer.echo(json.dumps({**said, **{name: str(file) for name, file in files.items()}}, indent=2))
