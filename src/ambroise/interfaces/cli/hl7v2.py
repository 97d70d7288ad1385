"""`hl7v2`: a tool of vendors, to send messages over MLLP and read what is answered."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Annotated

import typer

from ambroise.interfaces.cli.toolbox import Toolbox, fail

_TIMEOUT_SECONDS = 120


def register(app: typer.Typer, toolbox: Toolbox) -> None:
    group = typer.Typer(help="HL7 v2 over MLLP.", no_args_is_help=True)
    app.add_typer(group, name="hl7v2")

    @group.callback()
    def hl7v2() -> None:
        """HL7 v2 over MLLP."""

    @group.command()
    def send(
        files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Messages in ER7, one in each file.")],
        host: Annotated[str, typer.Option(help="Where to.")] = "localhost",
        port: Annotated[int, typer.Option(help="Port, such as the one that `ambroise demo` prints.")] = 2575,
        keys: Annotated[
            Path | None,
            typer.Option("--keys", metavar="DIR", help="Folder written by `ambroise pki issue`. Without it: no TLS."),
        ] = None,
    ) -> None:
        """Send messages one after the other; print the answers; exit with 1 when one was not taken."""
        if missing := [str(file) for file in files if not file.is_file()]:
            fail(f"No such file: {', '.join(missing)}.")
        tls = _tls(keys) if keys else None
        answers = toolbox.run(_exchanged(files, host, port, tls))
        for answer in answers:
            typer.echo(answer.decode(errors="replace").replace("\r", "\n"))
        if not all(b"\rMSA|AA|" in answer or b"\rMSA|CA|" in answer for answer in answers):
            raise typer.Exit(1)


def _tls(keys: Path) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(keys / "ca.pem"))
        context.load_cert_chain(keys / "client.pem", keys / "client.key")
    except OSError as error:
        fail(f"{keys} does not hold ca.pem, client.pem and client.key: {error.strerror or error}.")
    return context


async def _exchanged(files: list[Path], host: str, port: int, tls: ssl.SSLContext | None) -> list[bytes]:
    from ambroise.interfaces.hl7v2.framing import frame

    answers: list[bytes] = []
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_connection(host, port, ssl=tls, limit=2**24)
            for file in files:
                # Files have the ends of lines of their editor; segments end with CR.
                content = file.read_bytes().replace(b"\r\n", b"\r").replace(b"\n", b"\r")
                writer.write(frame(content))
                await writer.drain()
                answers.append((await reader.readuntil(b"\x1c\r"))[1:-2])
            writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        fail(f"{host}:{port} does not answer: {error or type(error).__name__}")
    return answers
