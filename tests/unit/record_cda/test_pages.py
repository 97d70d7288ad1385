"""Photos of a paper document become one PDF, a page each, that tells nothing of where they were taken."""

import io

import pikepdf
import pytest
from PIL import Image

from ambroise.kernel.errors import Refusal
from ambroise.modules.record.api import bound_photos
from ambroise.modules.record.content.pdf import active_content


def photo(colour: str, size: tuple[int, int] = (60, 80), kind: str = "JPEG", **more: object) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, colour).save(written, kind, **more)
    return written.getvalue()


def test_each_photo_is_a_page_in_its_order_and_its_pixels_are_not_encoded_again() -> None:
    photos = [photo("red"), photo("blue", (80, 60)), photo("green", (5000, 2500))]
    content = bound_photos(photos)
    assert content == bound_photos(photos), "the same photos make the same bytes"
    assert not active_content(content)
    with pikepdf.open(io.BytesIO(content)) as paper:
        assert [[int(one) for one in page.mediabox] for page in paper.pages] == [
            [0, 0, 595, 842],
            [0, 0, 842, 595],
            [0, 0, 842, 595],
        ]
        pictures = [page.images["/Photo"] for page in paper.pages]
        assert [one.read_raw_bytes() for one in pictures[:2]] == photos[:2]
        assert max(int(pictures[2].Width), int(pictures[2].Height)) == 2200


def test_the_pages_of_a_scan_are_pages_and_there_are_at_most_twelve() -> None:
    scan = photo("white", kind="TIFF", save_all=True, append_images=[Image.new("RGB", (60, 80))])
    with pikepdf.open(io.BytesIO(bound_photos([scan, photo("red")]))) as paper:
        assert len(paper.pages) == 3
    with pytest.raises(Refusal) as refused:
        bound_photos([photo("red")] * 13)
    assert refused.value.code == "TOO_MANY_PAGES"
