import base64
import textwrap
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambroise.kernel.objects.packing import Form, pack, unpack

NOISE = Random("packing").randbytes(30_000)
TEXT = base64.b64encode(NOISE)
FORM = {
    "a PDF in a CDA": (b"<text>" + TEXT + b"</text>", Form.WITHOUT_BASE64),
    "a PDF between blanks": (b"<text>\n  " + TEXT + b"\n  </text>", Form.WITHOUT_BASE64),
    "a PDF in lines": (b"<text>" + "\n".join(textwrap.wrap(TEXT.decode(), 76)).encode() + b"</text>", Form.ZSTD),
    "base64 that ends otherwise than written": (b"<a>" + base64.b64encode(NOISE + b"x")[:-3] + b"B==</a>", Form.ZSTD),
    "base64 outside of XML": (TEXT, Form.ZSTD),
    "sections": (b"<tr><td>Hb</td><td>13,2 g/dL</td></tr>" * 500, Form.ZSTD),
    "a photograph": (NOISE, Form.PLAIN),
    "nothing": (b"", Form.PLAIN),
}


@pytest.mark.parametrize(("content", "form"), FORM.values(), ids=FORM)
def test_each_sort_of_content_is_kept_in_the_form_that_is_small(content: bytes, form: Form) -> None:
    found, packed = pack(content)
    assert found is form
    assert unpack(found, packed, len(content)) == content
    assert len(packed) <= (len(content) if form is Form.PLAIN else 0.8 * len(content))


_AROUND = st.binary(max_size=300) | st.sampled_from([b">", b"<", b"<text>", b"</text>", b" ", b"\n"])


@given(_AROUND, st.binary(max_size=9_000), st.sampled_from([b"", b"=", b"\n", b"A"]), _AROUND)
def test_every_content_comes_back(before: bytes, meant: bytes, after: bytes, behind: bytes) -> None:
    content = before + b">" + base64.b64encode(meant) + after + b"<" + behind
    form, packed = pack(content)
    assert unpack(form, packed, len(content)) == content
