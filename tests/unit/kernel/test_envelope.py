import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambroise.kernel.crypto.envelope import (
    CHUNK,
    HEADER,
    OVERHEAD_PER_CHUNK,
    Altered,
    seal,
    seal_stream,
    sealed_size,
    unseal,
    unseal_stream,
)

KEY = bytes(range(32))
sizes = st.sampled_from([0, 1, 15, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7]) | st.integers(0, 3 * CHUNK)


def content_of(size: int) -> bytes:
    return bytes(i * 31 & 0xFF for i in range(min(size, 4096))) + bytes(max(0, size - 4096))


@given(sizes)
def test_what_is_sealed_is_opened(size: int) -> None:
    content = content_of(size)
    sealed = seal(KEY, b"context", content)
    assert unseal(KEY, b"context", sealed) == content
    assert len(sealed) == sealed_size(size)


@given(sizes, st.integers(1, 2 * CHUNK))
def test_pieces_of_any_size_seal_and_open_alike(size: int, piece: int) -> None:
    content = content_of(size)
    sealed = b"".join(seal_stream(KEY, b"", (content[i : i + piece] for i in range(0, size, piece))))
    opened = b"".join(unseal_stream(KEY, b"", (sealed[i : i + piece] for i in range(0, len(sealed), piece))))
    assert opened == content


@given(st.integers(0, 2 * CHUNK), st.data())
def test_an_altered_byte_is_noticed(size: int, data: st.DataObject) -> None:
    sealed = bytearray(seal(KEY, b"", content_of(size)))
    where = data.draw(st.integers(0, len(sealed) - 1))
    sealed[where] ^= 1 + data.draw(st.integers(0, 254))
    with pytest.raises(Altered):
        unseal(KEY, b"", bytes(sealed))


@given(st.integers(1, 3 * CHUNK), st.data())
def test_a_truncated_envelope_is_noticed(size: int, data: st.DataObject) -> None:
    sealed = seal(KEY, b"", content_of(size))
    with pytest.raises(Altered):
        unseal(KEY, b"", sealed[: data.draw(st.integers(0, len(sealed) - 1))])


def test_an_envelope_cut_at_a_chunk_is_noticed() -> None:
    sealed = seal(KEY, b"", content_of(3 * CHUNK))
    with pytest.raises(Altered):
        unseal(KEY, b"", sealed[: HEADER + 2 * (CHUNK + OVERHEAD_PER_CHUNK)])


def test_chunks_cannot_be_exchanged() -> None:
    sealed = seal(KEY, b"", content_of(3 * CHUNK))
    size = CHUNK + OVERHEAD_PER_CHUNK
    first, second, rest = (
        sealed[HEADER : HEADER + size],
        sealed[HEADER + size : HEADER + 2 * size],
        sealed[HEADER + 2 * size :],
    )
    with pytest.raises(Altered):
        unseal(KEY, b"", sealed[:HEADER] + second + first + rest)


@pytest.mark.parametrize(("key", "context"), [(bytes(32), b"mine"), (KEY, b"another's")])
def test_another_key_or_context_opens_nothing(key: bytes, context: bytes) -> None:
    with pytest.raises(Altered):
        unseal(key, context, seal(KEY, b"mine", b"content"))


def test_the_same_content_never_seals_to_the_same_bytes() -> None:
    assert seal(KEY, b"", b"content") != seal(KEY, b"", b"content")
