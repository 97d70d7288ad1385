"""Every act that a module writes in the trace of a patient is told by a sentence of its own sort, in both languages."""

from collections.abc import Iterator
from contextvars import copy_context
from datetime import UTC, datetime
from importlib import import_module
from pkgutil import iter_modules

import pytest
from msgspec.structs import replace

from ambroise import modules
from ambroise.interfaces.web import sentences
from ambroise.interfaces.web.accesses import events
from ambroise.interfaces.web.ui.i18n import LANGUAGES, speak
from ambroise.kernel.ids import new_id
from ambroise.trust.audit.entry import Event, PatientEvent
from ambroise.trust.audit.history import TraceLine

ME = new_id(1)
ABOUT_NOBODY = {Event.MATRIX_PUBLISHED}
WHO = {"citizen": str(ME), "relative": str(new_id(2)), "professional": "899700000001", "operator": "desk"}


def traced() -> Iterator[PatientEvent]:
    for one in iter_modules(modules.__path__):
        import_module(f"ambroise.modules.{one.name}.api")
    found = PatientEvent.__subclasses__()
    assert len(found) >= 6, "the modules name their own acts"
    yield from (event for kind in found for event in kind if event not in ABOUT_NOBODY)


def line(event: str, who: str, *, refused: bool) -> TraceLine:
    return TraceLine(
        id=new_id(1),
        at=datetime(2026, 3, 14, 9, 30, tzinfo=UTC),
        patient=ME,
        actor_kind="citizen" if who == "relative" else who,
        actor_id=WHO[who],
        actor_name="Ana Fictive",
        role=None,
        specialty=None,
        organization=None,
        organization_name=None,
        acting_for=None,
        relation=None,
        action="U",
        event=event,
        resource=None,
        purpose="normal",
        reason=None,
        rule=None,
        refused=refused,
        channel="web",
        software=None,
        request_id=new_id(),
        secret=False,
        count=None,
        query=None,
        details={"party_name": "Hugo Fictif"},
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("who", WHO)
def test_every_event_is_told_as_what_it_is(who: str, language: str) -> None:
    copy_context().run(check, who, language)


def check(who: str, language: str) -> None:
    speak(language)
    unknown = told("never_heard_of", who)
    assert [event.value for event in traced() if told(event, who) == unknown] == []
    for event in traced():
        (refused,) = events([line(event, who, refused=True)], ME, {}, frozenset())
        assert "Ana Fictive" in sentences.plain(refused)


def told(event: str, who: str) -> str:
    (one,) = events([line(event, who, refused=False)], ME, {}, frozenset())
    return sentences.plain(one)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("demonstration", "L’opérateur de la démonstration"),
        ("cli", "L’administrateur du service"),
        ("space", "Le service Ambroise"),
    ],
)
def test_a_part_of_the_instance_is_named_by_what_it_is(name: str, told: str) -> None:
    speak("fr")
    act = replace(line("create", "operator", refused=False), actor_kind="system", actor_id=name, actor_name=name)
    (event,) = events([act], ME, {}, frozenset())
    assert str(sentences.sentence(event)).startswith(f"<strong>{told}</strong> a déposé")
