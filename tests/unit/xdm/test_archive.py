"""What a zip of a stranger may not do."""

import io
import struct
from pathlib import Path
from zipfile import ZipFile

import pytest

from ambroise.interfaces.xdm.archive import Archive, Limits
from ambroise.interfaces.xdm.reading import folders, read_subset
from ambroise.kernel.errors import Refusal
from tests.support.xdm import zipped

LIMITS = Limits(file=2_000_000, total=3_000_000, files=20)
LINK = 0o120777


def refused(content: bytes) -> tuple[str, str]:
    with pytest.raises(Refusal) as caught:
        archive = Archive(content, LIMITS)
        for name in archive.names:
            archive.read(name)
    return caught.value.code, caught.value.diagnostics


@pytest.mark.parametrize("name", ["../etc/passwd", "/etc/passwd", "a/../../b", "C:/x", "a\\..\\b", "a//b"])
def test_a_file_stays_inside_its_zip(name: str) -> None:
    code, text = refused(zipped({"fine.txt": b"x", name: b"x"}))
    assert code == "ZIP_UNSAFE"
    assert name in text


def test_a_link_is_no_file() -> None:
    code, text = refused(zipped({"link": b"/etc/passwd"}, attributes={"link": LINK}))
    assert code == "ZIP_UNSAFE"
    assert "link" in text


def test_names_that_differ_by_capitals_are_the_same() -> None:
    assert refused(zipped({"A.XML": b"x", "a.xml": b"y"}))[0] == "ZIP_UNSAFE"


def test_an_encrypted_file_is_named() -> None:
    content = bytearray(zipped({"secret.xml": b"x"}))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert refused(bytes(content)) == (
        "ZIP_ENCRYPTED",
        "secret.xml is encrypted: send the zip without a password.",
    )


def test_a_file_that_unfolds_without_end_is_refused_before_it_does() -> None:
    assert refused(zipped({"bomb.xml": b"\0" * 1_900_000}))[0] == "ZIP_TOO_LARGE"


def test_what_a_file_says_of_its_size_is_not_believed() -> None:
    content = bytearray(zipped({"liar.xml": b"".join(struct.pack("<I", each) for each in range(400_000))}))
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = struct.pack("<I", 10)
    assert refused(bytes(content))[0] in ("ZIP_DAMAGED", "ZIP_TOO_LARGE")


def test_files_are_counted_one_by_one_and_together() -> None:
    assert refused(zipped({f"{number}.txt": b"x" for number in range(21)}))[0] == "ZIP_TOO_LARGE"
    some = b"".join(struct.pack("<I", each * 7919) for each in range(300_000))
    assert refused(zipped({f"{number}.bin": some for number in range(3)}))[0] == "ZIP_TOO_LARGE"


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x05\x06" + b"\0" * 10, b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_zip_is_said_so(content: bytes) -> None:
    assert refused(content)[0] in ("ZIP_DAMAGED", "ZIP_TOO_LARGE")


def test_a_damaged_file_is_named() -> None:
    content = bytearray(zipped({"a.xml": bytes(range(256)) * 10}))
    content[60] ^= 0xFF
    code, text = refused(bytes(content))
    assert code == "ZIP_DAMAGED"
    assert text.startswith("a.xml")


@pytest.mark.parametrize(
    ("name", "folder", "file"),
    [
        # Written in small letters under a name in capitals, and without the patient, which the record refuses later.
        ("xdm_minimal_xdm_minimal.zip", "IHE_XDM/SUBSET", "DOC.TXT"),
        ("direct-messages_C32_Sample1_in_XDM.zip", "IHE_XDM/SUBSET01", "C32_SAMPLE1.XML"),
    ],
)
def test_zips_of_others_are_read(samples: Path, name: str, folder: str, file: str) -> None:
    archive = Archive((samples / "xdm" / name).read_bytes(), LIMITS)
    assert folders(archive) == [folder]
    assert read_subset(archive, folder).files == (f"{folder}/{file}",)


def test_metadata_of_another_version_are_refused_by_name(samples: Path) -> None:
    archive = Archive((samples / "xdm/lynn-xdm_xdm.zip").read_bytes(), LIMITS)
    with pytest.raises(Refusal, match=r"SUBSET01/METADATA\.XML is not the metadata"):
        read_subset(archive, "IHE_XDM/SUBSET01")


def test_a_second_end_that_says_something_else_is_not_believed() -> None:
    content = zipped({f"{number}.xml": b"x" for number in range(30)})
    at = content.rindex(b"PK\x05\x06")
    count, size, offset = struct.unpack("<HII", content[at + 10 : at + 20])
    second = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count, size, offset)
    second += struct.pack("<IIQI", 0x07064B50, 0, at, 1)
    first = content[at : at + 8] + struct.pack("<HHIIH", 0, 0, 0, offset, 0)
    lying = content[:at] + second + first
    assert len(ZipFile(io.BytesIO(lying)).infolist()) == 30, "the library reads the second"
    assert refused(lying)[0] == "ZIP_TOO_LARGE"
    assert refused(lying)[1] == "The list of files of this zip is too long to be read."
