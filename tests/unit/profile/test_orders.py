"""What prescriptions say is taken now, and in which words."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from ambroise.interfaces.web.prescribed import taken, until
from ambroise.interfaces.web.ui.i18n import speak
from ambroise.modules.profile.orders import Often, Order, running

TODAY = date(2026, 11, 22)


def order(name: str, written: str, end: str | None = None, **details: Any) -> dict[str, Any]:
    repeat: dict[str, Any] = {"frequency": 1, "period": 12, "periodUnit": "h"}
    if end:
        repeat["boundsPeriod"] = {"start": written, "end": end}
    return {
        "resourceType": "MedicationRequest",
        "status": "active",
        "meta": {"source": "DocumentReference/7#1"},
        "medicationCodeableConcept": {"text": name},
        "authoredOn": f"{written}T10:00:00+02:00",
        "requester": {"display": "DR Camille TEMOIN, Cabinet"},
        "dosageInstruction": [
            {"timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": {"value": 1, "code": "{tablet}"}}]}
        ],
        **details,
    }


def test_the_last_order_of_each_medicine_counts_while_it_runs() -> None:
    found = running(
        [
            order("Apixaban 5 mg", "2026-06-15", "2026-09-13"),
            order("Apixaban 5 mg", "2026-09-14", "2026-12-13"),
            order("Furosémide", "2026-01-10", "2026-04-10"),
            order("Amoxicilline", "2026-11-01"),
            order("Fer", "2026-07-01"),
            order("Ramipril", "2026-11-01", status="cancelled"),
            order("Ramipril", "illisible"),
        ],
        TODAY,
    )
    assert [(one.name, one.written, one.until) for one in found] == [
        ("Amoxicilline", date(2026, 11, 1), None),
        ("Apixaban 5 mg", date(2026, 9, 14), date(2026, 12, 13)),
    ]
    assert (found[1].by, found[1].document) == ("DR Camille TEMOIN", "7")
    assert running([order("Apixaban", "2026-09-14", "2026-11-22")], TODAY), "its last day included"
    assert not running([order("Apixaban", "2026-09-14", "2026-11-21")], TODAY)


@pytest.mark.parametrize(
    ("dose", "code", "often", "said"),
    [
        ("1", "{tablet}", Often(1, Decimal(12), "h"), "1 comprimé, 2 fois par jour"),
        ("2", "{tablet}", Often(3, Decimal(1), "d"), "2 comprimés, 3 fois par jour"),
        ("0.5", "{tablet}", Often(1, Decimal(1), "wk"), "0,5 comprimé, 1 fois par semaine"),
        ("10", "mL", Often(1, Decimal(5), "h"), "10 mL, toutes les 5 heures"),
        (None, "", Often(1, Decimal(3), "mo"), ""),
    ],
)
def test_the_dose_is_said_as_people_say_it(dose: str | None, code: str, often: Often, said: str) -> None:
    one = Order("X", "", TODAY, None, dose=Decimal(dose) if dose else None, dose_unit=code, often=often)
    speak("fr")
    assert taken(one).replace("\u00a0", " ").replace("\u202f", " ") == said
    assert until(one) == ""
    assert until(replace(one, until=TODAY)).replace("\u00a0", " ") == "jusqu’au 22 novembre 2026"
