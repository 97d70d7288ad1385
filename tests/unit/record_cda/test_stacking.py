"""A table too wide for a telephone says beside each cell what its column is."""

import time

import lxml.html
import pytest

from tests.unit.record_cda.test_render import narrative

WIDE = ("Date de délivrance", "Médicament", "Groupe thérapeutique", "Quantité", "Prescripteur")


def row(*cells: str, tag: str = "td") -> str:
    return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>"


def table(inside: str) -> lxml.html.HtmlElement:
    return lxml.html.fromstring(narrative(f"<table>{inside}</table>").html)


def labels(page: lxml.html.HtmlElement) -> list[tuple[str, str]]:
    return [(cell.get("data-label"), cell.text_content()) for cell in page.xpath("//*[@data-label]")]


def test_each_cell_of_a_wide_table_has_the_heading_of_its_column():
    values = ("26/05/2019", "LUDEAL", "HORMONES SEXUELLES", "1", "Dr Exemple")
    page = table(f"<thead>{row(*WIDE, tag='th')}</thead><tbody>{row(*values)}</tbody>")
    assert labels(page) == list(zip(WIDE, values, strict=True))
    assert [heads.text_content() for heads in page.xpath("//tr[@class='cda-heads']")] == ["".join(WIDE)]


def test_a_table_that_fits_is_left_as_it_is():
    page = table(f"<thead>{row('Analyse', 'Valeur', tag='th')}</thead><tbody>{row('Sodium', '140')}</tbody>")
    assert not labels(page)
    assert not page.xpath("//*[contains(@class, 'cda-stack')]")


def test_headings_follow_cells_that_reach_over_several_columns_and_rows():
    heads = f"<tr><th rowspan='2'>{WIDE[0]}</th><th colspan='3'>Délivré</th><th rowspan='2'>{WIDE[4]}</th></tr>"
    below = row(WIDE[1], WIDE[2], "Quantité délivrée", tag="th")
    body = "<tr><td rowspan='2'>26/05/2019</td><td>LUDEAL</td><td>HORMONES SEXUELLES</td><td>1</td><td>Dr Un</td></tr>"
    page = table(f"<thead>{heads}{below}</thead><tbody>{body}{row('CRESTOR', 'LIPIDES', '2', 'Dr Deux')}</tbody>")
    assert labels(page)[0] == (WIDE[0], "26/05/2019")
    assert labels(page)[1] == (f"Délivré {WIDE[1]}", "LUDEAL")
    assert labels(page)[5:] == [
        (f"Délivré {WIDE[1]}", "CRESTOR"),
        (f"Délivré {WIDE[2]}", "LIPIDES"),
        ("Délivré Quantité délivrée", "2"),
        (WIDE[4], "Dr Deux"),
    ]


def test_a_row_that_is_one_heading_keeps_its_words_and_an_empty_cell_says_nothing():
    month, act = "<tr><th colspan='5'>Mai</th></tr>", row("1", "", "a", "<br/>", "b")
    page = table(f"<thead>{row(*WIDE, tag='th')}</thead><tbody>{month}{act}</tbody>")
    assert [value for _, value in labels(page)][-3:] == ["1", "a", "b"]
    assert not page.xpath("//tr[@class='cda-heads'][contains(., 'Mai')]")


def test_a_row_with_a_cell_below_several_headings_says_something_else():
    advice = "<tr><td>Instruction au patient</td><td colspan='4'>À prendre au cours d’un repas</td></tr>"
    page = table(f"<thead>{row(*WIDE, tag='th')}</thead><tbody>{row('1', '2', '3', '4', '5')}{advice}</tbody>")
    assert [value for _, value in labels(page)] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    "body",
    [
        row(*["x"] * 400, tag="th") + row(*["y"] * 400),
        row("long " * 2000, "b", "c", tag="th") + row("y", "z", "a") * 3000,
        row(*WIDE, tag="th") * 3000 + row("a", "b", "c", "d", "e") * 3000,
        "<tr><th colspan='999' rowspan='999'>a</th><th>b</th></tr>" + row("c", "d") * 3000,
    ],
)
def test_what_is_no_table_of_a_report_costs_no_more_than_its_size(body: str):
    before = time.process_time()
    html = narrative(f"<table><tbody>{body}</tbody></table>").html
    assert time.process_time() - before < 2
    assert len(html) < 3 * len(body) + 2000
    assert "data-label" not in html
