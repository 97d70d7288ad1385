"""Reading ER7: any bytes are read or refused, and what is read is what other libraries read."""

import hl7
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambroise.interfaces.hl7v2.acknowledging import acknowledgements, refused, taken
from ambroise.interfaces.hl7v2.framing import FS, VT
from ambroise.interfaces.hl7v2.message import Delimiters, Message, read, read_header
from ambroise.interfaces.hl7v2.profile import check_header, deposit_of, patient_of
from ambroise.interfaces.hl7v2.sender import in_charge, senders_of_documents
from ambroise.kernel.clock import SystemClock
from ambroise.kernel.errors import Refusal
from tests.support.cda_samples import FOLDER, needs_samples

_NOW = SystemClock().now()
_SIGNS = st.text(alphabet='MSHPIDOBXTRAZF|^~\\&\r\n"é.0159', max_size=300)
_HEADS = (
    "MSH|^~\\&|A|B|C|D|2026||ORU^R01^ORU_R01|1|P|2.5|||||FRA|UNICODE UTF-8\r",
    "MSH|^~\\&|A|B|C|D|2026||MDM^T02|1|P|2.6|||AL|AL|FRA|8859/1\rPID|",
)


def _everything(message: Message) -> None:
    check_header(message, demonstration=True)
    senders_of_documents(message), in_charge(message)
    patient_of(message), deposit_of(message)


@given(st.sampled_from(_HEADS), _SIGNS, st.sampled_from(["utf-8", "latin-1"]))
def test_any_message_is_read_or_refused_and_answered_by_one_that_can_be_read(head: str, rest: str, codec: str) -> None:
    content = (head + rest).encode(codec, "replace")
    try:
        _everything(read(content))
        outcome = taken()
    except Refusal as refusal:
        outcome = refused(refusal)
    for answer in acknowledgements(read_header(content), outcome, _NOW):
        assert VT not in answer
        assert FS not in answer
        assert read(answer).header.text(9) == "ACK"


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        _everything(read(content))
        outcome = taken()
    except Refusal as refusal:
        outcome = refused(refusal)
    assert acknowledgements(read_header(content), outcome, _NOW)


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc", "Z"]), max_size=50))
def test_what_is_escaped_is_read_again(text: str) -> None:
    signs = Delimiters()
    assert signs.unescaped(signs.escaped(text)) == text


def test_a_message_of_too_many_parts_is_refused() -> None:
    for flood in ("PID" + "|" * 10_000, "A00|\r" * 10_000, "PID|||" + "~" * 10_000, "PID|||" + "^" * 10_000):
        with pytest.raises(Refusal, match="HL7_MALFORMED"):
            _everything(read((_HEADS[0] + flood).encode()))


@needs_samples
@pytest.mark.parametrize("name", sorted(one.name for one in (FOLDER / "hl7v2").glob("*")))
def test_a_sample_reads_as_another_library_reads_it(name: str) -> None:
    content = (FOLDER / "hl7v2" / name).read_bytes()
    ours, theirs = read(content), hl7.parse(content.decode().replace("\n", "\r").strip() + "\r")
    assert [one.name for one in ours.segments] == [str(one[0]) for one in theirs]
    for segment, other in zip(ours.segments[1:], list(theirs)[1:], strict=True):
        for place in range(1, len(other)):
            assert segment.field(place).raw == str(other[place]), (segment.name, place)


def test_a_field_of_escapes_alone_is_refused_before_it_fills_the_memory() -> None:
    message = read((_HEADS[0] + "OBX|1|ED|" + "\\F" * 1_000_000).encode())
    with pytest.raises(Refusal, match="HL7_MALFORMED"):
        message.all("OBX")[0].text(3)
