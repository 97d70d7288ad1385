"""The measures of the medical profile as curves, with the targets agreed upon as their range."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from decimal import Decimal

from ambroise.interfaces.web.choices import MEASURES
from ambroise.interfaces.web.ui import plots
from ambroise.interfaces.web.ui.i18n import gettext
from ambroise.interfaces.web.ui.units import unit
from ambroise.modules.profile.api import Part, measures


def of_measures(part: Part, targets: Part, without: Collection[str] = ()) -> list[plots.Curve]:
    """The curves of the measures that were taken twice or more, with the targets as their range.

    `without`: measures that are drawn otherwise.
    """
    found: list[plots.Curve] = []
    for measure in measures().values():
        if measure.name in without:
            continue
        taken = [item for item in part.items if item.details.get("measure") == measure.name and len(item.start) == 10]
        target = next((one for one in targets.items if one.details.get("measure") == measure.name), None)
        for figure in measure.figures:
            points = [
                plots.Point(date.fromisoformat(item.start), Decimal(item.details[figure.name]))
                for item in taken
                if item.details.get(figure.name)
            ]
            bounds = [
                Decimal(target.details[one]) if target and target.details.get(one) else None for one in ("low", "high")
            ]
            title = gettext(MEASURES[measure.name])
            if figure.name == "systolic":
                title = gettext("Tension artérielle, la plus haute")
            elif figure.name == "diastolic":
                title = gettext("Tension artérielle, la plus basse")
            curve = plots.curve(title, unit(measure.unit), points, bounds[0], bounds[1], target=True)
            if curve is not None:
                found.append(curve)
    return found
