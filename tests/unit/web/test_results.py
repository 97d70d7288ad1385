"""How pages say what was measured: figures, signs, units, names, and what must never be left out."""

from decimal import Decimal
from typing import Any

import pytest

from ambroise.interfaces.web.results import result, titled
from ambroise.interfaces.web.ui.i18n import speak
from ambroise.interfaces.web.ui.units import unit
from ambroise.modules.record.api import read_cda
from ambroise.modules.record.cda.extract import extract
from tests.support.cda_samples import cda, needs_samples


@pytest.fixture(autouse=True)
def french() -> None:
    speak("fr")


def measured(name: str) -> list[dict[str, Any]]:
    """The Observations of one sample."""
    return [fact.resource for fact in extract(read_cda(cda(name))) if fact.type == "Observation"]


def told(name: str) -> list[tuple[str, str, str]]:
    return [(one.name, one.value.replace("\u00a0", " "), one.about) for one in (result(x, ()) for x in measured(name))]


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("Cel", "°C"), ("mm[Hg]", "mmHg"), ("m[IU]/L", "mUI/L"), ("u[IU]/mL", "µUI/mL"), ("ug/mL", "µg/mL"),
        ("umol/L", "µmol/L"), ("/uL", "/µL"), ("10*9/L", "10⁹/L"), ("10*12/L", "10¹²/L"), ("kg/m2", "kg/m²"),
        ("{score}", ""), ("1", ""), ("{pack}/a", "paquets-années"), ("{tablet}", "tablet"), ("mg/dL", "mg/dL"),
        ("g/(24.h)", "g/(24.h)"), ("/min", "/min"), ("mL/min/{1.73_m2}", "mL/min/1,73\u00a0m²"),
    ],
)  # fmt: skip
def test_units_are_those_that_people_write(code: str, written: str) -> None:
    assert unit(code) == written


@needs_samples
def test_a_bound_is_not_taken_for_a_figure_and_an_antibiotic_never_stands_without_its_germ() -> None:
    found = [result(one, ()) for one in measured("BIO-CR-BIO_2024.01_Electrophorese.xml")]
    tried = [one for one in found if "CMI" in one.name]
    assert [(titled(one), one.value, one.flag) for one in tried[:2]] == [
        ("Amoxicilline+clavulanate - CMI, Escherichia coli", "≥\u00a00,512\u00a0µg/mL", "resistant"),
        ("Ampicilline - CMI, Escherichia coli", "<\u00a00,128\u00a0µg/mL", "intermediate"),
    ]
    assert {one.about for one in tried} == {"Escherichia coli", "Genus Streptococcus"}
    assert all(one.number is None for one in tried), "no curve is drawn through a bound"


@needs_samples
def test_the_zeros_of_a_machine_and_a_unit_said_twice_are_left_out() -> None:
    albumin = next(
        one
        for one in (result(x, ()) for x in measured("BIO-CR-BIO_2024.01_Electrophorese.xml"))
        if one.name == "Albumine" and one.unit == "g/L"
    )
    assert (albumin.low, albumin.high) == (Decimal(36), Decimal(48))
    assert str(albumin.low) == "36"


@needs_samples
def test_long_names_of_loinc_are_cut_where_a_reader_would() -> None:
    found = {name: (value, about) for name, value, about in told("AVC-EUNV_2022.01.xml")}
    assert found["Plaquettes"] == ("250 10⁹/L", "Sang, Comptage automate")
    assert found["Glucose"] == ("1,8 g/L", "Sérum/Plasma")
    assert "Fibrinogène" in found
    assert not any("[" in name for name in found)


@needs_samples
def test_the_two_pressures_are_one_line_with_a_name() -> None:
    assert ("Tension artérielle", "155/85 mmHg", "") in told("DLU-EHPAD-FLUDT_2022.01.xml")


@needs_samples
@pytest.mark.parametrize("name", ["CSE-CS8_2025.01.xml", "ANEST-CR-ANEST_2022.01.xml", "IPS-FR_2024.01.xml"])
def test_no_result_is_shown_by_its_code_nor_without_a_value(name: str) -> None:
    for one in told(name):
        assert one[1], one
        assert not one[0].replace("-", "").isdigit(), one
