"""Write the tables of docs/how-to/insi.md from the code itself: `python tools/document_insi.py`."""

from __future__ import annotations

from pathlib import Path

from ambroise.modules.identity.insi.failures import FAILURES, PUBLISHED, Failure
from ambroise.modules.identity.insi.magic import PEOPLE, TRAPS
from ambroise.modules.identity.insi.model import LABELS

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "insi.md"
_MARKS = ("<!-- written by tools/document_insi.py -->", "<!-- end -->")

# How to produce what no test identity does: by the shape of the request, or by who calls.
PRODUCED = {
    "INSI_NAME_MISSING": "send no birth name",
    "INSI_FIELD_MISSING": "send no first name, no sex or no birth date",
    "INSI_LEXICAL": "send the birth name `DUPOND_`",
    "INSI_VALUE": "send the sex `X`, the date `2023-02-30` or the place `ABCDE`",
    "INSI_MATRICULE": "verify `279035121518988` (wrong key)",
    "INSI_MALFORMED": "send what is no JSON object or no SOAP envelope, or a document type",
    "INSI_TOO_LARGE": "send more than 64 KB",
    "INSI_OPERATION": "send another body element, or the Action of another operation (SOAP)",
    "UNAUTHENTICATED": "send no token, or an expired one",
    "INSI_CALLER": "send a citizen's token",
    "INSI_ASSERTION": "send an assertion about somebody else than the token's bearer (SOAP)",
    "INSI_SOFTWARE": "send the authorisation number `FAKE-IDAM`, or none (SOAP)",
}


def page() -> str:
    """The page with its tables as they should be."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(_MARKS[0])
    _, _, after = rest.partition(_MARKS[1])
    return f"{before}{_MARKS[0]}\n{_tables()}{_MARKS[1]}{after}"


def _tables() -> str:
    people = "\n".join(
        f"| `{one.birth_name}` | `{one.given_names}` | {one.sex.value} | {one.birth_date} | {one.birth_place} | "
        f"`{one.ins.matricule}` | {len(one.former) or ''} |"
        for one in PEOPLE
    )
    failures = "\n".join(_line(one) for one in FAILURES.values())
    codes = "\n".join(f"| `{code.value}` | {label} |" for code, label in LABELS.items())
    return f"""
### People of the base of reference

| Birth name | First names | Sex | Born | Place | INS | Former INS |
|---|---|---|---|---|---|---|
{people}

### Return codes

| Code | Words |
|---|---|
{codes}

### Failures

| Code | HTTP kind | SOAP | Subcode | Detail | Published | How to have it |
|---|---|---|---|---|---|---|
{failures}

"""


def _line(one: Failure) -> str:
    traps = [trap for trap in TRAPS if trap.failure is one]
    how = "; ".join(
        f"ask for `{trap.birth_name} {trap.given_name}`, {trap.sex.value}, {trap.birth_date}" for trap in traps
    )
    published = "yes" if one.detail in PUBLISHED else "ours"
    side = "Sender" if one.of_the_sender else "Receiver"
    how = how or PRODUCED[one.code]
    return f"| `{one.code}` | {one.kind.value} | {side} | `{one.siram}` | `{one.detail}` | {published} | {how} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
