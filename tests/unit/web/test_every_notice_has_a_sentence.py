"""Each code of notice has its kind, and is told by a sentence of its own, in both languages."""

from contextvars import copy_context

import pytest

from ambroise.interfaces.web.notices import SAID, said
from ambroise.interfaces.web.ui.i18n import LANGUAGES, gettext, speak
from ambroise.modules.notification.api import Code, Kind, codes_of, kind_of


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_is_told_as_what_it_is(language: str) -> None:
    copy_context().run(check, language)


def check(language: str) -> None:
    speak(language)
    unknown = gettext(said("NEVER_HEARD_OF").sentence)
    sentences = [gettext(said(code).sentence) for code in Code]
    assert unknown not in sentences
    assert len(set(sentences)) == len(Code)


def test_every_code_is_of_one_kind() -> None:
    assert set(SAID) == set(Code)
    assert {code for kind in Kind for code in codes_of(kind)} == set(Code)
    assert all(code in codes_of(kind_of(code)) for code in Code)
