"""What files are, and what they must not carry."""

import asyncio
import base64
import contextlib
import io
import struct
import zlib
from pathlib import Path

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFile

from ambroise.kernel.errors import Kind, Refusal
from ambroise.modules.record.cda import parse
from ambroise.modules.record.content import (
    ClamAv,
    Sort,
    active_content,
    check_content,
    check_document,
    clean_photo,
    eicar,
    sniff,
)
from tests.support.cda_samples import cda, cda_names, needs_samples

EICAR = base64.b64decode("WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo=")
Name, Dictionary = pikepdf.Name, pikepdf.Dictionary


def pdf(change=lambda document: None, *, hidden: bool = False) -> bytes:
    document = pikepdf.new()
    document.add_blank_page()
    change(document)
    written = io.BytesIO()
    mode = pikepdf.ObjectStreamMode.generate if hidden else pikepdf.ObjectStreamMode.disable
    document.save(written, object_stream_mode=mode)
    return written.getvalue()


def opens(**action):
    def change(document):
        document.Root.OpenAction = document.make_indirect(Dictionary(**action))

    return change


def joins(name: str, content: bytes):
    def change(document):
        document.attachments[name] = content

    return change


def form(document):
    script = document.make_stream(b"<xdp:xdp><template><script contentType='application/x-javascript'/></template>")
    document.Root.AcroForm = Dictionary(XFA=pikepdf.Array(["template", script]))


ACTIVE = [
    (opens(S=Name.JavaScript, JS="app.alert(1)"), "JavaScript"),
    (opens(S=Name.Rendition, JS="app.alert(1)"), "JavaScript"),
    (opens(S=Name.URI, URI="java\nscript:alert(1)"), "JavaScript"),
    (form, "JavaScript"),
    (opens(S=Name.Launch, F="calc.exe"), "Launch"),
    (opens(S=Name.GoTo, Next=Dictionary(S=Name.SubmitForm, F="http://example.org")), "SubmitForm"),
    (joins("photo.JPG.exe", b"hello"), "EmbeddedExecutable"),
    (joins("photo.jpg", b"MZ\x90\x00"), "EmbeddedExecutable"),
    (joins("other.pdf", pdf(opens(S=Name.JavaScript, JS="1"), hidden=True)), "JavaScript"),
]


@pytest.mark.parametrize("hidden", [False, True], ids=["in clear", "in object streams"])
@pytest.mark.parametrize(
    ("change", "found"), ACTIVE, ids=[f"{number} {found}" for number, (_, found) in enumerate(ACTIVE)]
)
def test_active_content_is_found_and_named(change, found: str, hidden: bool):
    assert active_content(pdf(change, hidden=hidden)) == (found,)


def test_an_escaped_name_hides_nothing():
    plain = pdf(opens(S=Name.JavaScript, JS="1"))
    escaped = plain.replace(b"/JavaScript", b"/J#61vaScript").replace(b"/JS", b"/J#53")
    assert b"/JavaScript" not in escaped
    assert active_content(escaped) == ("JavaScript",)


def test_a_wreck_is_searched_all_the_same():
    hidden = zlib.compress(b"<< /S /Launch /F (a.exe) >>")
    assert active_content(b"%PDF-1.4\n1 0 obj <</S/JavaScript>> endobj") == ("JavaScript",)
    assert active_content(b"%PDF-1.4\n1 0 obj <<>> stream\n" + hidden + b"\nendstream") == ("Launch",)
    assert active_content(b"%PDF-1.4\n") == ()


def test_an_innocent_pdf_is_accepted():
    for hidden in (False, True):
        assert active_content(pdf(hidden=hidden)) == ()
        assert active_content(pdf(opens(S=Name.GoTo), hidden=hidden)) == ()
        assert active_content(pdf(joins("notes.txt", b"hello"), hidden=hidden)) == ()
        assert active_content(pdf(opens(S=Name.URI, URI="https://example.org"), hidden=hidden)) == ()


def test_a_bomb_is_refused_before_it_fills_the_memory():
    content = pdf(joins("zeros.bin", bytes(200 * 1024 * 1024)))
    with pytest.raises(Refusal) as refusal:
        active_content(content)
    assert refusal.value.code == "PDF_TOO_COMPLEX"


def test_a_pdf_under_password_is_refused():
    document = pikepdf.new()
    document.add_blank_page()
    written = io.BytesIO()
    document.save(written, encryption=pikepdf.Encryption(owner="a", user="b"))
    with pytest.raises(Refusal) as refusal:
        active_content(written.getvalue())
    assert refusal.value.code == "PDF_ENCRYPTED"


@needs_samples
@pytest.mark.parametrize("name", cda_names())
async def test_the_samples_are_clean(name: str):
    content = cda(name)
    await check_document(parse.read(content), content)


@needs_samples
async def test_the_file_inside_a_document_is_checked_too():
    sample = cda("TLM-CR_2022.01.xml")
    start, end = sample.index(b">", sample.index(b"<text ")) + 1, sample.index(b"</text>")

    async def refusal(inside: bytes) -> Refusal:
        content = sample[:start] + base64.encodebytes(inside) + sample[end:]
        with pytest.raises(Refusal) as found:
            await check_document(parse.read(content), content)
        return found.value

    active = await refusal(pdf(opens(S=Name.Launch, F="x")))
    assert (active.code, active.data["found"]) == ("ACTIVE_CONTENT", ["Launch"])
    assert (await refusal(EICAR)).code == "MALWARE"
    assert (await refusal(b"MZ\x90" + bytes(100))).code == "ACTIVE_CONTENT"


async def test_the_eicar_file_is_found_anywhere_without_a_scanner():
    assert eicar(EICAR)
    with pytest.raises(Refusal) as refusal:
        await check_content(b"before " + EICAR + b" after")
    assert refusal.value.code == "MALWARE"
    assert await check_content(b"un texte") is Sort.TEXT


@pytest.mark.parametrize(
    ("content", "sort"),
    [
        (b"%PDF-1.7\n", Sort.PDF),
        (b"\n\n%PDF-1.7\n", Sort.PDF),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", Sort.JPEG),
        (b"\x89PNG\r\n\x1a\n\x00", Sort.PNG),
        (b"II*\x00\x08", Sort.TIFF),
        (b"MM\x00*\x00", Sort.TIFF),
        (b"{\\rtf1\\ansi", Sort.RTF),
        (bytes(128) + b"DICM", Sort.DICOM),
        (b"<?xml version='1.0'?><a/>", Sort.XML),
        (b"\xef\xbb\xbf<ClinicalDocument/>", Sort.XML),
        ("<a/>".encode("utf-16"), Sort.XML),
        ("Compte rendu à relire".encode(), Sort.TEXT),
        ("Compte rendu à relire".encode("cp1252"), Sort.TEXT),
        (b"MZ\x90\x00\x03", Sort.UNKNOWN),
        (b"PK\x03\x04", Sort.UNKNOWN),
        (b"", Sort.UNKNOWN),
        (("é" * 3000).encode(), Sort.TEXT),
    ],
)
def test_a_file_is_what_its_bytes_say(content: bytes, sort: Sort):
    assert sniff(content) is sort


@given(
    st.binary(max_size=600), st.sampled_from([b"", b"%PDF-1.4\n", b"\xff\xd8\xff", b"II*\x00", b"\x89PNG\r\n\x1a\n"])
)
async def test_hostile_bytes_only_ever_meet_a_refusal(content: bytes, head: bytes):
    for check in (check_content(head + content), asyncio.to_thread(clean_photo, head + content)):
        with contextlib.suppress(Refusal):
            await check


@given(st.integers(0, 900), st.integers(0, 60), st.binary(max_size=30), st.booleans())
def test_a_damaged_pdf_is_judged_or_refused(start: int, length: int, patch: bytes, hidden: bool):
    content = INNOCENT[hidden]
    with contextlib.suppress(Refusal):
        active_content(content[:start] + patch + content[start + length :])


INNOCENT = {hidden: pdf(joins("notes.txt", b"hello"), hidden=hidden) for hidden in (False, True)}


# --- photos ---------------------------------------------------------------------------------------------------------


def photo(kind: str, *, mode: str = "RGB", pages: int = 1, orientation: int = 1) -> bytes:
    image = Image.new(mode, (40, 20), 100)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "A camera"
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 30.0)
    written = io.BytesIO()
    options: dict[str, object] = {"exif": exif}
    if kind == "TIFF":
        options = {"save_all": True, "append_images": [image] * (pages - 1), "tiffinfo": {270: "A camera"}}
    image.save(written, kind, **options)
    return written.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_a_photo_keeps_its_picture_and_loses_what_it_tells(kind: str):
    dirty = photo(kind)
    assert b"A camera" in dirty
    clean = clean_photo(dirty)
    assert b"A camera" not in clean
    with Image.open(io.BytesIO(clean)) as image:
        assert (image.format, image.size) == (kind, (40, 20))
        assert not image.getexif().get_ifd(0x8825)


@pytest.mark.parametrize("progressive", [False, True])
def test_an_upright_photo_loses_nothing_of_its_pixels_and_keeps_its_colours(progressive: bool):
    noise = Image.effect_noise((64, 48), 60).convert("RGB")
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    written = io.BytesIO()
    noise.save(written, "JPEG", quality=80, exif=exif, comment=b"home", icc_profile=b"p" * 40, progressive=progressive)
    dirty = written.getvalue() + b"PK\x03\x04 hidden"
    clean = clean_photo(dirty)
    with Image.open(io.BytesIO(dirty)) as before, Image.open(io.BytesIO(clean)) as after:
        assert before.tobytes() == after.tobytes()
        assert after.info["icc_profile"] == b"p" * 40
    assert not any(mark in clean for mark in (b"A camera", b"home", b"hidden", b"Exif"))
    cut = clean[: len(clean) // 2]
    # Whatever another library chose for the whole process.
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    with pytest.raises(Refusal):
        clean_photo(cut)


def test_a_photo_taken_sideways_is_set_upright():
    with Image.open(io.BytesIO(clean_photo(photo("JPEG", orientation=6)))) as image:
        assert image.size == (20, 40)


def test_every_page_of_a_scan_is_kept():
    with Image.open(io.BytesIO(clean_photo(photo("TIFF", pages=3)))) as image:
        assert image.n_frames == 3


@pytest.mark.parametrize("mode", ["P", "L", "LA", "RGBA", "1", "I;16"])
def test_every_kind_of_pixels_is_kept(mode: str):
    with Image.open(io.BytesIO(clean_photo(photo("PNG", mode=mode)))) as image:
        assert image.size == (40, 20)


def test_an_image_bomb_is_refused_without_being_decoded():
    header = b"IHDR" + struct.pack("!IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack("!I", 13) + header + struct.pack("!I", zlib.crc32(header))
    bomb += struct.pack("!I", 0) + b"IDAT" + struct.pack("!I", zlib.crc32(b"IDAT"))
    with pytest.raises(Refusal) as refusal:
        clean_photo(bomb)
    assert refusal.value.code == "IMAGE_TOO_LARGE"


# --- clamd ----------------------------------------------------------------------------------------------------------


async def clamd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as the daemon does: INSTREAM, pieces with their length, an empty one at the end."""
    assert await reader.readexactly(10) == b"zINSTREAM\0"
    content = b""
    while length := struct.unpack("!I", await reader.readexactly(4))[0]:
        content += await reader.readexactly(length)
    answer = b"stream: Win.Test-1 FOUND" if b"wicked" in content else b"stream: OK"
    writer.write((b"INSTREAM size limit exceeded. ERROR" if len(content) > 500_000 else answer) + b"\0")
    await writer.drain()
    writer.close()


async def test_clamd_is_asked_over_its_socket(tmp_path: Path):
    path = tmp_path / "clamd"
    async with await asyncio.start_unix_server(clamd, path):
        scanner = ClamAv(f"unix:{path}")
        assert await check_content(b"un texte " * 20_000, scanner=scanner) is Sort.TEXT
        with pytest.raises(Refusal) as refusal:
            await check_content(b"wicked", scanner=scanner)
        assert (refusal.value.code, refusal.value.data["malware"]) == ("MALWARE", "Win.Test-1")
        with pytest.raises(Refusal) as refusal:
            await check_content(b"a" * 600_000, scanner=scanner)
        assert refusal.value.code == "SCANNER_UNAVAILABLE"


async def test_a_scanner_that_does_not_answer_refuses_the_deposit(tmp_path: Path):
    for address in (f"unix:{tmp_path}/nobody", "tcp://127.0.0.1:1", "nonsense"):
        with pytest.raises(Refusal) as refusal:
            await check_content(b"un texte", scanner=ClamAv(address, timeout=2))
        assert refusal.value.kind is Kind.UNAVAILABLE
