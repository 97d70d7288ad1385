"""A bounce of any form says which mail came back and why, nobody makes one up, and no mail holds its reader up."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambroise.modules.letters.api import LARGEST, Reading, ReturnPath, Said, read
from ambroise.modules.letters.returns.reading import answered

PATH = ReturnPath.over(b"k" * 32, "Retours@Ambroise.exemple")


def report(*fields: str, words: str = "Your mail could not be delivered.") -> bytes:
    """As RFC 3464 has it, from a server that returns the headers of the mail."""
    return "\r\n".join(
        (
            "From: MAILER-DAEMON@mx.exemple.fr (Mail Delivery System)",
            "Subject: Undelivered Mail Returned to Sender",
            "Auto-Submitted: auto-replied",
            "MIME-Version: 1.0",
            "Content-Type: multipart/report; report-type=delivery-status;",
            '\tboundary="9B095B5ADSN=_01/mx.exemple.fr"',
            "",
            "This is a MIME-encapsulated message.",
            "",
            "--9B095B5ADSN=_01/mx.exemple.fr",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            words,
            "--9B095B5ADSN=_01/mx.exemple.fr",
            "Content-Description: Delivery report",
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns; mx.exemple.fr",
            "",
            "Final-Recipient: rfc822; ana@exemple.fr",
            *fields,
            "",
            "--9B095B5ADSN=_01/mx.exemple.fr",
            "Content-Type: text/rfc822-headers",
            "",
            "Subject: Ambroise. Status: 5.1.1",
            "--9B095B5ADSN=_01/mx.exemple.fr--",
            "",
        )
    ).encode()


def plain(words: str, *fields: str) -> bytes:
    return "\n".join(("Subject: failure notice", *fields, "", words)).encode()


EXIM = "The following address failed:\n\n  ana@exemple.fr\n    host mx.exemple.fr: 550 5.1.1 No such user here"
QMAIL = "Hi. This is the qmail-send program.\n<ana@exemple.fr>:\nSorry, no mailbox here by that name. (#5.1.1)"
FRENCH = "Le message est refusé : l’adresse n’existe pas."
ABSENT = "Je suis en congés jusqu’au 5.1.2027. Écrivez à 550 rue du Port."


@pytest.mark.parametrize(
    ("content", "reading"),
    [
        (report("Action: failed", "Status: 5.1.1"), Reading(Said.GONE, "5.1.1")),
        (report("Action: FAILED", "Status: 5.2.1 (disabled)"), Reading(Said.GONE, "5.2.1")),
        (report("Action: failed", "Status: 5.2.2"), Reading(Said.LOST, "5.2.2")),
        (report("Action: failed", "Status: 5.7.1"), Reading(Said.LOST, "5.7.1")),
        (report("Action: failed", "Status: 4.4.7"), Reading(Said.LOST, "4.4.7")),
        (report("Action: delayed", "Status: 4.4.1"), Reading(Said.NOTHING)),
        (report("Action: delivered", "Status: 2.0.0"), Reading(Said.NOTHING)),
        (
            report("Action: failed", "Status: 5.0.0", "Diagnostic-Code: smtp; 550 5.1.1\r\n  user unknown"),
            Reading(Said.GONE, "5.1.1"),
        ),
        (report("Action: failed", "Status: 5.0.0", "Diagnostic-Code: smtp; 554 no"), Reading(Said.LOST, "5.0.0")),
        (plain(EXIM, "X-Failed-Recipients: ana@exemple.fr"), Reading(Said.GONE, "5.1.1")),
        (plain(QMAIL, "From: MAILER-DAEMON@mx.exemple.fr"), Reading(Said.GONE, "5.1.1")),
        (plain(FRENCH, "From: postmaster@exemple.fr"), Reading(Said.GONE)),
        (plain("552 mailbox full", "From: postmaster@exemple.fr"), Reading(Said.LOST)),
        (plain(ABSENT, "Auto-Submitted: auto-replied"), Reading(Said.NOTHING)),
        (plain(ABSENT), Reading(Said.NOTHING)),
        (plain("5.1.1 user unknown", "From: ana@exemple.fr"), Reading(Said.NOTHING)),
        (b"", Reading(Said.NOTHING)),
    ],
)
def test_a_failure_is_told_from_a_delay_and_from_an_absence(content: bytes, reading: Reading) -> None:
    assert read(content) == reading


def test_an_answer_given_at_once_says_only_that_nobody_reads_an_address() -> None:
    assert answered("5.1.1 <ana@exemple.fr>: Recipient address rejected") == Reading(Said.GONE, "5.1.1")
    assert answered("No such user here").said is Said.GONE
    for ours in ("5.7.1 Relay access denied", "5.2.2 over quota", "4.2.0 try later", "", "no"):
        assert answered(ours).said is Said.NOTHING


def test_a_return_path_says_its_letter_whatever_the_case_and_nothing_else_does() -> None:
    letter = uuid4()
    address = PATH.of(letter)
    assert len(address.partition("@")[0]) <= 64
    assert PATH.letter(address) == PATH.letter(address.upper()) == letter
    assert ReturnPath.over(b"x" * 32, "retours@ambroise.exemple").letter(address) is None
    token = address.partition("+")[2].partition("@")[0]
    for place in range(len(token)):
        other = token[:place] + ("b" if token[place] == "a" else "a") + token[place + 1 :]
        # The last letter carries two bits of the seal: what they leave over says nothing.
        assert PATH.letter(f"retours+{other}@ambroise.exemple") in (
            (None,) if place < len(token) - 1 else (None, letter)
        )
    assert PATH.letter(f"autres+{token}@ambroise.exemple") is None
    assert PATH.letter(f"retours+{token}@autre.exemple") is None


@given(st.text("abz27+=@. é\x00", max_size=70))
def test_any_other_address_is_no_return_path(address: str) -> None:
    assert PATH.letter(address) is None
    assert PATH.letter(f"retours+{address}@ambroise.exemple") is None


def test_a_local_part_that_leaves_no_room_is_refused() -> None:
    for address in ("a" * 22 + "@ambroise.exemple", "ambroise.exemple", "@ambroise.exemple", "é@ambroise.exemple"):
        with pytest.raises(ValueError, match="local@domain"):
            ReturnPath.over(b"k" * 32, address)


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    read(content)
    read(report("Action: failed") + content)
    read(report().replace(b"Reporting-MTA", content))


@pytest.mark.parametrize(
    "unit",
    [b"--x\n", b"\n\n", b" folded\n", b"A: b\n", b'boundary="', b"5.1.1.", b"a" * 1000, b"\x00\xff", b"550-"],
)
def test_the_time_grows_no_faster_than_the_mail(unit: bytes) -> None:
    head = b"From: mailer-daemon@x.fr\nContent-Type: multipart/report; report-type=delivery-status; boundary=x\n"
    began = time.process_time()
    for start in (b"", head, head + b"\n--x\nContent-Type: message/delivery-status\n\n", plain("")):
        read(start + unit * (LARGEST // len(unit)))
    assert time.process_time() - began < 1.5
