"""MLLP frames, however the bytes arrive."""

from hypothesis import given
from hypothesis import strategies as st

from ambroise.interfaces.hl7v2.framing import Broken, Deframer, TooLarge, Whole, frame

_CONTENT = st.binary(max_size=60).map(lambda it: it.translate(None, b"\x0b\x1c"))


@given(st.lists(_CONTENT, max_size=6), st.data())
def test_messages_come_out_whole_however_they_are_split(contents: list[bytes], data: st.DataObject) -> None:
    stream = b"\r\n".join(frame(one) for one in contents)
    deframer, found = Deframer(40), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += deframer.feed(stream[:size])
        stream = stream[size:]
    assert found == [Whole(one) if len(one) <= 40 else TooLarge(one) for one in contents]
    assert not deframer.pending


@given(st.lists(st.binary(max_size=200), max_size=8))
def test_any_bytes_are_held_within_the_limit_and_nothing_follows_what_is_broken(chunks: list[bytes]) -> None:
    deframer = Deframer(100)
    found = [one for chunk in chunks for one in deframer.feed(chunk)]
    assert len(deframer._buffer) <= 100 + 1
    assert not any(isinstance(one, Broken) for one in found[:-1])


def test_a_message_over_the_limit_is_skipped_and_the_next_is_read() -> None:
    deframer = Deframer(10)
    begun = deframer.feed(b"\x0bMSH|^~\\&|")
    for _ in range(100):
        begun += deframer.feed(b"x" * 1000)
    assert begun == []
    assert deframer.feed(b"\x1c\r" + frame(b"next")) == [TooLarge(b"MSH|^~\\&|x"), Whole(b"next")]


def test_what_is_no_frame_is_broken() -> None:
    for stream in (b"MSH|no frame", b"\x0bone\x0btwo\x1c\r", b"\x0bone\x1ctwo\x1c\r"):
        assert isinstance(Deframer(100).feed(stream)[0], Broken)
