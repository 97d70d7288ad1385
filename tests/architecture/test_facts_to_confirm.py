"""What we could not verify is marked in the data and listed for those who can."""

import re

from tests.architecture.source import ROOT, SOURCE

PACKAGE = SOURCE / "ambroise"
MARK = re.compile(r"^# confirm(:|\t) ?\S", re.MULTILINE)


def test_the_page_lists_the_data_that_are_marked_and_no_others() -> None:
    data = (path for path in PACKAGE.rglob("data/*") if path.suffix in (".toml", ".tsv"))
    marked = {path.relative_to(PACKAGE).as_posix() for path in data if MARK.search(path.read_text())}
    page = (ROOT / "docs/facts-to-confirm.md").read_text()
    assert set(re.findall(r"`([\w/]+\.(?:toml|tsv))`", page)) == marked
