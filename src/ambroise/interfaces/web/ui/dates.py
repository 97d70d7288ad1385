"""Instants as people read them: in Paris, in words of their language, always in a `time` element."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date as babel_date
from markupsafe import Markup, escape

from ambroise.interfaces.web.ui.i18n import current, gettext, ngettext, typographic

PARIS = ZoneInfo("Europe/Paris")
_NEVER_BROKEN = str.maketrans({" ": "\u00a0"})


def local(instant: datetime) -> datetime:
    """The same instant on the clock of Paris."""
    return instant.astimezone(PARIS)


def as_day(moment: date | datetime) -> date:
    """The day of an instant in Paris, or the day itself."""
    return local(moment).date() if isinstance(moment, datetime) else moment


def words(day: date, pattern: str) -> str:
    """A day written by a CLDR pattern in the current language."""
    text = babel_date(day, pattern, locale=current().code)
    # « 1er mars »: the first of the month is the only ordinal of French dates.
    first = current().code == "fr" and day.day == 1 and pattern.startswith(("d ", "EEEE d "))
    return text.replace("1 ", "1er ", 1) if first else text


def day(moment: date | datetime) -> Markup:
    """« 3 mars 2026 »."""
    found = as_day(moment)
    return _time(found.isoformat(), words(found, _long()).translate(_NEVER_BROKEN))


def short_day(moment: date | datetime) -> Markup:
    """« 3 mars »: the year is left out when it is the present one, of `today` as the page knows it."""
    found = as_day(moment)
    return _time(found.isoformat(), words(found, "d MMM y").translate(_NEVER_BROKEN))


def figures(moment: date | datetime) -> Markup:
    """« 03/03/2026 », for dense tables."""
    found = as_day(moment)
    return _time(found.isoformat(), words(found, "dd/MM/y"))


def month_figures(moment: date | datetime) -> Markup:
    """« 03/26 », for the head of a narrow column."""
    found = as_day(moment)
    return _time(found.isoformat(), words(found, "MM/yy"))


def full_day(moment: date | datetime) -> Markup:
    """« Jeudi 12 mars »."""
    found = as_day(moment)
    text = words(found, "EEEE d MMMM" if current().code == "fr" else "EEEE, MMMM d")
    return _time(found.isoformat(), text[:1].upper() + text[1:].replace(" ", "\u00a0"))


def clock_time(instant: datetime) -> str:
    """« 18 h 12 », or "18:12"."""
    here = local(instant)
    return f"{here.hour}\u00a0h\u00a0{here.minute:02}" if current().code == "fr" else f"{here:%H:%M}"


def hour(instant: datetime) -> Markup:
    """The time of the day alone."""
    return _time(local(instant).isoformat(timespec="minutes"), clock_time(instant))


def moment(instant: datetime) -> Markup:
    """« 3 mars 2026 à 18 h 12 »."""
    here = local(instant)
    both = gettext("%(day)s à %(time)s", day=words(here.date(), _long()), time=clock_time(instant))
    return _time(here.isoformat(timespec="minutes"), both.translate(_NEVER_BROKEN))


def near(instant: datetime, now: datetime) -> Markup:
    """« aujourd’hui à 9 h 12 », « hier à 18 h 12 », then the day."""
    here, today = local(instant), as_day(now)
    if here.date() == today:
        text = gettext("aujourd’hui à %(time)s", time=clock_time(instant))
    elif here.date() == today - timedelta(days=1):
        text = gettext("hier à %(time)s", time=clock_time(instant))
    else:
        return day(instant)
    return _time(here.isoformat(timespec="minutes"), text.translate(_NEVER_BROKEN))


def day_block(moment: date | datetime, *, month: bool = False) -> Markup:
    """The small pile « mar. / 24 / mars » at the left of a timeline."""
    found = as_day(moment)
    last = Markup(" <span>{}</span>").format(words(found, "MMM")) if month else Markup()
    return Markup('<time class="day" datetime="{}"><span>{}</span> <strong>{}</strong>{}</time>').format(
        found.isoformat(), words(found, "EEE"), found.day, last
    )


def month_title(found: date) -> str:
    """« Mars 2026 »."""
    text = words(found, "LLLL y")
    return text[:1].upper() + text[1:]


def age(birth: date, today: date) -> str:
    """« 42 ans », or months under two years."""
    years = today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
    if years >= 2:
        return _count_words(ngettext("%(count)s an", "%(count)s ans", years))
    months = (today.year - birth.year) * 12 + today.month - birth.month - (today.day < birth.day)
    return _count_words(ngettext("%(count)s mois", "%(count)s mois", months))


def _count_words(text: str) -> str:
    return typographic(text) if current().code == "fr" else text


def _long() -> str:
    return "d MMMM y"


def _time(machine: str, words_: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(machine, escape(words_))
