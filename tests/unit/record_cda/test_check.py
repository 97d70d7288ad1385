"""Advice on headers: the published documents deserve little, a poor one hears all of it."""

import pytest

from ambroise.modules.record.cda import parse
from ambroise.modules.record.cda.check import header_advice
from tests.support.cda_samples import cda, cda_names, needs_samples

pytestmark = needs_samples


@pytest.mark.parametrize("name", cda_names())
def test_a_published_document_deserves_no_advice(name: str):
    assert header_advice(parse.read(cda(name))) == []


def test_a_poor_header_hears_what_it_lacks():
    content = cda("VAC-NOTE_2023.01.xml")
    for old, new in (
        (b'<realmCode code="FR"', b'<realmCode code="DE"'),
        (b'root="2.16.840.1.113883.2.8.2.1"', b'root="1.2.3"'),
        (b"<county>", b"<state>"),
        (b"</county>", b"</state>"),
        (b'code="G15_10/SM26"', b'code="G15_99"'),
    ):
        assert old in content
        content = content.replace(old, new)
    advice = {issue.expression for issue in header_advice(parse.read(content))}
    assert advice == {
        "ClinicalDocument/realmCode",
        "ClinicalDocument/templateId",
        "ClinicalDocument/recordTarget/patientRole/patient/birthplace/place/addr/county",
        "ClinicalDocument/author/assignedAuthor/code",
    }
    assert all(issue.severity == "warning" for issue in header_advice(parse.read(content)))
