"""The INS datamatrix: the published vectors, every value that fits, and every content that does not."""

import io
import string
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ambroise.kernel.errors import Refusal
from ambroise.modules.identity.datamatrix import content, symbol
from ambroise.modules.identity.datamatrix.content import GS, HEADER, Problem, Scanned, read, written
from ambroise.modules.identity.ins import INS_OIDS, Ins, Sex, Traits, nir_key

PUBLISHED = (
    f"{HEADER}S1277010115400329S21.2.250.1.213.1.4.8{GS}S3SARAH-LOU ANNA{GS}S4GARCIA-HAMMADI{GS}S5FS621-01-1977S763220"
)
SAID = Scanned(
    Ins("277010115400329", "1.2.250.1.213.1.4.8"), "SARAH-LOU ANNA", "GARCIA-HAMMADI", Sex.FEMALE,
    date(1977, 1, 21), "63220",
)  # fmt: skip


def test_the_published_example_is_read_and_written_to_the_letter() -> None:
    assert read(PUBLISHED) == SAID
    assert written(SAID) == PUBLISHED


def test_blocks_come_in_any_order_and_the_last_needs_no_separator() -> None:
    name_last = (
        f"{HEADER}S1277010115400329S21.2.250.1.213.1.4.8{GS}S3SARAH-LOU ANNA{GS}S5FS621-01-1977S763220S4GARCIA-HAMMADI"
    )
    assert read(name_last) == SAID


def test_an_oid_of_twenty_characters_needs_no_separator() -> None:
    said = Scanned(
        Ins("277010115400329", "1.2.250.1.213.1.4.10"), "SARAH", "GARCIA", Sex.FEMALE, date(1977, 1, 21), None
    )
    assert "S21.2.250.1.213.1.4.10S3SARAH" in written(said)
    assert read(written(said)) == said


@pytest.mark.parametrize("around", ["]d2{}", "{}\r\n", "  {}"])
def test_what_readers_add_around_is_passed_over(around: str) -> None:
    assert read(around.format(PUBLISHED)) == SAID
    assert read(around.format(PUBLISHED.replace(GS, "<GS>"))) == SAID


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", Problem.OTHER_SYMBOL),
        ("https://example.org", Problem.OTHER_SYMBOL),
        (PUBLISHED.replace("IS01", "IS02", 1), Problem.VERSION),
        (PUBLISHED.replace("IS0100", "IS0110", 1), Problem.HEADER),
        (PUBLISHED + "S4" + "A" * 400, Problem.TOO_LONG),
        (PUBLISHED + "S8X", Problem.BLOCK_UNKNOWN),
        (PUBLISHED + "S5F", Problem.BLOCK_TWICE),
        (PUBLISHED.replace("S5F", ""), Problem.BLOCK_MISSING),
        (PUBLISHED[:-1], Problem.LENGTH),
        (PUBLISHED.replace("277010115400329", "277010115400328"), Problem.MATRICULE),
        (PUBLISHED.replace("213.1.4.8", "213.1.4.2"), Problem.OID),
        (PUBLISHED.replace("GARCIA", "García"), Problem.NAME),
        (PUBLISHED.replace("S5F", "S5X"), Problem.SEX),
        (PUBLISHED.replace("21-01-1977", "31-02-1977"), Problem.BIRTH_DATE),
        (PUBLISHED.replace("21-01-1977", "1977-01-21"), Problem.BIRTH_DATE),
        (PUBLISHED.replace("S763220", "S72C220"), Problem.BIRTH_PLACE),
    ],
)
def test_each_wrong_content_is_refused_with_its_reason(text: str, problem: Problem) -> None:
    with pytest.raises(Refusal) as refused:
        read(text)
    assert (refused.value.code, refused.value.data["problem"]) == ("DATAMATRIX_INVALID", problem)


def test_every_reason_has_its_words() -> None:
    assert set(content._WORDS) == set(Problem)


def test_a_difference_with_the_registry_is_named_and_what_is_unsaid_is_none() -> None:
    known = Traits("Garcia Hammadi", "Sarah-Lou", "Sarah-Lou Anna", date(1977, 1, 21), Sex.FEMALE, "63220")
    assert SAID.differences_from(known) == ()
    other = Traits("Garcia Hammadi", "Anna", None, date(1977, 1, 22), Sex.FEMALE, "63220")
    assert [one.trait.value for one in SAID.differences_from(other)] == ["birth_date", "first_given"]


names = st.from_regex(r"[A-Z][A-Z' \-]{0,98}[A-Z]", fullmatch=True).filter(lambda text: "  " not in text)
numbers = st.from_regex(r"[1-8][0-9]{2}(0[1-9]|1[0-2])(2[AB]|[0-9]{2})[0-9]{6}", fullmatch=True).filter(str.isascii)
people = st.builds(
    lambda number, oid, given_names, birth_name, sex, day, place: Scanned(
        Ins(f"{number}{nir_key(number):02}", oid), given_names, birth_name, sex, day, place
    ),
    numbers,
    st.sampled_from(sorted(INS_OIDS)),
    names,
    names,
    st.sampled_from([Sex.MALE, Sex.FEMALE]),
    st.dates(date(1880, 1, 1), date(2100, 1, 1)),
    st.none() | st.from_regex(r"([0-9]{5}|2[AB][0-9]{3})", fullmatch=True).filter(str.isascii),
)


@given(people)
def test_what_is_written_is_read_back(said: Scanned) -> None:
    assert read(written(said)) == said


@given(
    st.text(alphabet=string.printable + GS, max_size=420) | st.binary(max_size=300).map(lambda b: b.decode("latin-1"))
)
def test_no_content_does_anything_but_answer_or_refuse(text: str) -> None:
    for candidate in (text, HEADER + text, PUBLISHED[:-3] + text):
        with suppress(Refusal):
            read(candidate)


@given(st.data())
def test_a_content_changed_anywhere_is_read_otherwise_or_refused(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(PUBLISHED) - 1))
    sign = data.draw(st.characters(codec="latin-1"))
    changed = PUBLISHED[:place] + sign + PUBLISHED[place + 1 :]
    with suppress(Refusal):
        assert (read(changed) == SAID) == (changed == PUBLISHED)


@given(people)
@settings(max_examples=15)
def test_the_symbol_drawn_is_found_again_in_a_picture(said: Scanned) -> None:
    assert symbol.contents(symbol.png(written(said), scale=3)) == [written(said)]


def test_the_symbol_is_square_with_its_quiet_zone() -> None:
    with Image.open(io.BytesIO(symbol.png(PUBLISHED, scale=4))) as image:
        assert image.width == image.height
        assert all(image.getpixel((x, y)) == 255 for x in range(image.width) for y in range(4))
    drawn = symbol.svg(PUBLISHED)
    assert 'role="img" aria-label="INS à scanner"' in drawn
    assert "<script" not in drawn
    assert "<!DOCTYPE" not in drawn


def test_a_photo_of_the_symbol_is_read_turned_and_shrunk() -> None:
    with Image.open(io.BytesIO(symbol.png(PUBLISHED, scale=8))) as image:
        page = Image.new("L", (900, 700), 230)
        page.paste(image.rotate(90), (250, 160))
        photo = io.BytesIO()
        page.resize((780, 606)).rotate(4, fillcolor=230).save(photo, "JPEG", quality=70)
    assert symbol.contents(photo.getvalue()) == [PUBLISHED]


@pytest.mark.parametrize("picture", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\x00" * 50])
def test_what_is_no_picture_is_refused(picture: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        symbol.contents(picture)
    assert refused.value.code == "IMAGE_UNREADABLE"


def test_a_picture_without_symbol_holds_nothing() -> None:
    blank = io.BytesIO()
    Image.new("L", (50, 50), 255).save(blank, "PNG")
    assert symbol.contents(blank.getvalue()) == []
