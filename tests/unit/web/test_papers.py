"""Papers made by the instance bear its own letters, and take nothing from elsewhere."""

import io
from pathlib import Path
from typing import Any, cast

import pypdf

from ambroise.interfaces.web.ui import paper
from ambroise.interfaces.web.ui.printer import pdf_of

STATIC = Path(paper.__file__).parent / "static"
SHEET = (Path(paper.__file__).parent / "templates/paper.html").read_text()


def fonts_of(pdf: bytes) -> set[str]:
    return {
        str(font.get_object()["/BaseFont"]).partition("+")[2]
        for page in pypdf.PdfReader(io.BytesIO(pdf)).pages
        for font in cast(Any, page["/Resources"])["/Font"].values()
    }


def test_a_paper_is_written_in_the_letters_of_the_portals():
    face = SHEET[SHEET.index("@font-face") : SHEET.index("@page")]
    html = f'<html lang="fr"><title>x</title><style>{face} body {{ font-family: Atkinson }}</style>Vu <b>œ</b></html>'
    assert {name.partition("-")[0] for name in fonts_of(pdf_of(html, STATIC))} == {"Atkinson"}


def test_a_paper_takes_nothing_from_outside_its_folder(tmp_path: Path):
    picture = tmp_path / "one.svg"
    picture.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>stolen</text></svg>')
    made = pdf_of(f'<html lang="fr"><title>x</title><img alt="" src="{picture.as_uri()}">Mot</html>', STATIC)
    read = pypdf.PdfReader(io.BytesIO(made)).pages[0].extract_text()
    assert "Mot" in read
    assert "stolen" not in read
