"""What prescriptions say is taken now, in words."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from ambroise.interfaces.web import profiles
from ambroise.interfaces.web.ui import plots
from ambroise.interfaces.web.ui.i18n import gettext, ngettext
from ambroise.interfaces.web.ui.units import unit
from ambroise.modules.profile.api import Often, Order

_PIECES = frozenset({"{tablet}", "tablet", "{comprime}"})
_HOURS_OF_A_DAY = 24


def together(orders: Iterable[Order]) -> list[list[Order]]:
    """The orders of one prescription together: who wrote it, when and until when is said once."""
    found: dict[tuple[object, ...], list[Order]] = {}
    for one in orders:
        found.setdefault((one.document, one.by, one.written, one.until), []).append(one)
    return list(found.values())


def taken(order: Order) -> str:
    """How a medicine is taken: the words of the prescriber, else the dose and how often."""
    return order.words or ", ".join(part for part in (_dose(order), _often(order.often)) if part)


def until(order: Order) -> str:
    """Until when the order runs, when it says so."""
    return gettext("jusqu’au %(day)s", day=profiles.when(order.until.isoformat())) if order.until else ""


def _dose(order: Order) -> str:
    if order.dose is None:
        return ""
    if order.dose_unit in _PIECES:
        whole = order.dose == order.dose.to_integral_value()
        number = plots.number(order.dose)
        return ngettext("%(dose)s comprimé", "%(dose)s comprimés", int(order.dose) if whole else 1, dose=number)
    return f"{plots.number(order.dose)}\u00a0{unit(order.dose_unit)}".strip()


def _often(often: Often | None) -> str:
    if often is None:
        return ""
    times, period = often.times, often.period
    if often.unit == "h" and period and _HOURS_OF_A_DAY % period == 0:
        # « Toutes les 12 heures » is said « 2 fois par jour ».
        times, period = int(times * _HOURS_OF_A_DAY / period), Decimal(1)
    elif often.unit == "h":
        return gettext("toutes les %(hours)s heures", hours=plots.number(period))
    if period != 1:
        return ""
    if often.unit == "wk":
        return ngettext("%(count)s fois par semaine", "%(count)s fois par semaine", times)
    return ngettext("%(count)s fois par jour", "%(count)s fois par jour", times)
