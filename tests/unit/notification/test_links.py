"""The link of a mail refuses what it says, and nothing else opens it."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambroise.kernel.errors import Refusal
from ambroise.modules.notification import refusing
from ambroise.modules.notification.model import Kind
from ambroise.modules.notification.push.text import b64, unb64

KEY, PERSON, SPACE = b"k" * 32, uuid4(), uuid4()


@given(st.frozensets(st.sampled_from(Kind)), st.integers(0, 48), st.integers(1, 255))
def test_a_link_says_its_kinds_and_one_changed_byte_makes_it_worth_nothing(
    kinds: frozenset[Kind], place: int, change: int
) -> None:
    token = refusing.written(KEY, PERSON, SPACE, kinds)
    assert refusing.read(KEY, token) == refusing.Refusing(PERSON, SPACE, kinds)
    content = bytearray(unb64(token))
    content[place] ^= change
    with pytest.raises(Refusal):
        refusing.read(KEY, b64(bytes(content)))
    with pytest.raises(Refusal):
        refusing.read(b"another key of this instance....", token)


@given(st.text(max_size=90))
def test_anything_else_is_refused(token: str) -> None:
    with pytest.raises(Refusal):
        refusing.read(KEY, token)
