"""The plan that ends a prevention check-up (plan personnalisé de prévention, type 83869-8 of JDV_J07).

No published model of the CI-SIS says how such a plan is built: this one follows the minimal structure and the general
model of IHE PCC, and claims no other. Aims (mood GOL) and actions (mood INT) have entries that point into the
narrative, so that software reads the lines that people read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from msgspec import Struct

from ambroise.modules.record.cda.write.documents import MEDICAL, assembled
from ambroise.modules.record.cda.write.header import Header
from ambroise.modules.record.cda.write.model import Coded, Head
from ambroise.modules.record.cda.write.pieces import (
    LOINC,
    EntryIds,
    code,
    escape,
    paragraphs,
    section,
    structured,
    table,
)

PREVENTION_PLAN_TYPE = Coded("83869-8", "Plan personnalisé de prévention", LOINC)
_AIMS = ("Priorité", "Objectif convenu", "Comment on le verra", "Échéance")
_STEPS = ("Sorte", "Action", "Échéance")


class Aim(Struct, frozen=True):
    """What was decided together for one priority; `sign` is how one will see that it is reached."""

    priority: str
    words: str
    sign: str = ""
    until: date | None = None


class Step(Struct, frozen=True):
    """Something to do for it; `kind` is its sort in words: an appointment, a vaccine…"""

    kind: str
    words: str
    until: date | None = None


class PreventionPlan(Struct, frozen=True):
    """What a plan says. `checkup` names the check-up that it ends, `follow_up` says when one looks at it again."""

    checkup: str
    aims: Sequence[Aim]
    steps: Sequence[Step] = ()
    follow_up: Sequence[str] = ()


def prevention_plan(header: Header, head: Head, plan: PreventionPlan) -> bytes:
    """The plan that a professional hands over, of one aim at least."""
    ids = EntryIds(head.uid)
    parts = [
        _titled(ids, "42349-1", "Raison de la recommandation", "Bilan", paragraphs(plan.checkup)),
        _titled(
            ids, "51847-2", "Évaluation et plan", "Priorités et objectifs", table(_AIMS, _aim_rows(plan.aims)),
            "".join(_aim(one, n, ids) for n, one in enumerate(plan.aims)),
        ),
    ]  # fmt: skip
    if plan.steps:
        parts.append(
            _titled(
                ids, "18776-5", "Plan de soins", "Actions", table(_STEPS, _step_rows(plan.steps)),
                "".join(_step(one, n, ids) for n, one in enumerate(plan.steps)),
            )
        )  # fmt: skip
    if plan.follow_up:
        parts.append(_titled(ids, "55112-7", "Commentaire", "Suivi", paragraphs(*plan.follow_up)))
    return assembled(header, head, MEDICAL, structured("".join(parts)))


def _titled(ids: EntryIds, value: str, label: str, title: str, text: str, entries: str = "") -> str:
    return section(f"{ids()}{code('code', value, label, LOINC)}<title>{title}</title>{text}{entries}")


def _aim_rows(aims: Sequence[Aim]) -> str:
    return "".join(
        f'<tr><td><content ID="aim{n}-why">{escape(one.priority)}</content></td>'
        f'<td><content ID="aim{n}">{escape(one.words)}</content></td>'
        f'<td><content ID="aim{n}-sign">{escape(one.sign)}</content></td><td>{_shown(one.until)}</td></tr>'
        for n, one in enumerate(aims)
    )


def _step_rows(steps: Sequence[Step]) -> str:
    return "".join(
        f'<tr><td><content ID="step{n}-kind">{escape(one.kind)}</content></td>'
        f'<td><content ID="step{n}">{escape(one.words)}</content></td><td>{_shown(one.until)}</td></tr>'
        for n, one in enumerate(steps)
    )


def _aim(one: Aim, n: int, ids: EntryIds) -> str:
    sign = f'<value xsi:type="ED"><reference value="#aim{n}-sign"/></value>' if one.sign else ""
    inside = "".join((ids(), *_said(f"aim{n}", f"aim{n}-why", one.until), sign))
    return f'<entry><observation classCode="OBS" moodCode="GOL">{inside}</observation></entry>'


def _step(one: Step, n: int, ids: EntryIds) -> str:
    inside = "".join((ids(), *_said(f"step{n}", f"step{n}-kind", one.until)))
    return f'<entry><act classCode="ACT" moodCode="INT">{inside}</act></entry>'


def _said(text: str, what: str, until: date | None) -> Iterator[str]:
    """What an entry says, by where the narrative says it."""
    yield f'<code nullFlavor="UNK"><originalText><reference value="#{what}"/></originalText></code>'
    yield f'<text><reference value="#{text}"/></text><statusCode code="active"/>'
    if until is not None:
        yield f'<effectiveTime xsi:type="IVL_TS"><high value="{until:%Y%m%d}"/></effectiveTime>'


def _shown(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day is not None else ""
