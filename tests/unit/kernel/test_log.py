import json

import pytest

from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.log import logger

INS = "279035121518989"


def logged(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    return json.loads(capsys.readouterr().err.strip().splitlines()[-1])


def test_content_given_by_mistake_is_withheld(capsys: pytest.CaptureFixture[str]) -> None:
    logger("here").warning("document_refused", ins=INS, text="a sentence of a letter", document_id="0190")
    line = logged(capsys)
    assert INS not in json.dumps(line)
    assert (line["event"], line["document_id"], line["where"]) == ("document_refused", "0190", "here")
    assert line["text"] == "[withheld]"


def test_the_text_of_a_foreign_exception_stays_out(capsys: pytest.CaptureFixture[str]) -> None:
    person = INS
    try:
        int("name of a person" + person)
    except ValueError:
        logger("here").exception("failed")
    text = json.dumps(logged(capsys))
    assert INS not in text
    assert "name of a person" not in text
    assert "builtins.ValueError" in text
    assert "test_log.py" in text


def test_our_own_refusals_say_what_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise Refusal(Kind.CONFLICT, "DMP_CLOSED", "The space is closed.")
    except Refusal:
        logger("here").exception("failed")
    assert "DMP_CLOSED: The space is closed." in json.dumps(logged(capsys))
