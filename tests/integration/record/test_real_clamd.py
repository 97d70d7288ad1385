"""The antivirus asked for real, where the machine has ClamAV: signatures of our own, its limits, its absence."""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.content import ClamAv, NoScanner, check_content
from ambroise.modules.record.content.malware import eicar

CLAMD = shutil.which("clamd", path="/usr/sbin:/usr/local/sbin:/usr/bin") or shutil.which("clamd")
pytestmark = pytest.mark.skipif(CLAMD is None, reason="no clamd on this machine")

WICKED = b"ceci n'est pas un virus, mais une signature de test le connait"
TWIN = b"un fichier entier, reconnu par son empreinte"


def settings(folder: Path) -> str:
    return "\n".join(
        (
            "Foreground yes",
            f"LocalSocket {folder}/socket",
            f"DatabaseDirectory {folder}/signatures",
            f"TemporaryDirectory {folder}",
            f"LogFile {folder}/log",
            "StreamMaxLength 2M",
            "MaxFileSize 1M",
            "MaxScanSize 1M",
            "AlertExceedsMax yes",
            "",
        )
    )


@pytest.fixture
async def clamd(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """A clamd of its own, with hand-made signatures; gone at the end of the test."""
    folder = tmp_path_factory.mktemp("clamd")
    (folder / "signatures").mkdir()
    (folder / "signatures" / "ours.ndb").write_text(f"Ambroise.Test:0:*:{WICKED.hex()}\n")
    digest = hashlib.md5(TWIN, usedforsecurity=False).hexdigest()
    (folder / "signatures" / "ours.hdb").write_text(f"{digest}:{len(TWIN)}:Ambroise.Twin\n")
    (folder / "conf").write_text(settings(folder))
    process = await asyncio.create_subprocess_exec(CLAMD or "", "-c", str(folder / "conf"))
    try:
        async with asyncio.timeout(30):
            while not (folder / "socket").exists():
                assert process.returncode is None, (folder / "log").read_text()
                await asyncio.sleep(0.05)
        yield folder / "socket"
    finally:
        process.terminate()
        await process.wait()


async def test_a_real_clamd_finds_what_its_signatures_know_and_its_limits_refuse(clamd: Path) -> None:
    scanner = ClamAv(f"unix:{clamd}", timeout=20)
    await check_content(b"un texte ordinaire " * 4000, scanner=scanner)
    for content, name in ((b"avant, " + WICKED + b", puis rien", "Ambroise.Test.UNOFFICIAL"), (TWIN, "Ambroise.Twin")):
        assert not eicar(content)
        await check_content(content, scanner=NoScanner())
        with pytest.raises(Refusal) as refused:
            await check_content(content, scanner=scanner)
        assert refused.value.code == "MALWARE"
        assert refused.value.data["malware"].removesuffix(".UNOFFICIAL") == name.removesuffix(".UNOFFICIAL")
    with pytest.raises(Refusal) as refused:
        await check_content(b"plus que ce que clamd regarde " * 50_000, scanner=scanner)
    assert refused.value.data["malware"].startswith("Heuristics.Limits.Exceeded"), "what it skips is not let in"
    with pytest.raises(Refusal) as refused:
        await check_content(b"plus que ce que clamd accepte " * 100_000, scanner=scanner)
    assert refused.value.code == "SCANNER_UNAVAILABLE"
    await check_content(b"et il repond encore", scanner=scanner)


async def test_a_clamd_that_stops_or_hangs_refuses_every_deposit(clamd: Path) -> None:
    scanner = ClamAv(f"unix:{clamd}", timeout=20)
    await check_content(b"un texte", scanner=scanner)
    silent = await asyncio.start_unix_server(lambda reader, writer: asyncio.sleep(3), clamd.parent / "silent")
    async with silent:
        for address in (f"unix:{clamd.parent}/silent", f"unix:{clamd.parent}/nobody"):
            with pytest.raises(Refusal) as refused:
                await check_content(b"un texte", scanner=ClamAv(address, timeout=0.5))
            assert (refused.value.kind, refused.value.code) == (Kind.UNAVAILABLE, "SCANNER_UNAVAILABLE")
