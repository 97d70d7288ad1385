"""Sending a message by SMTP (RFC 5321), with TLS where the address asks for it.

A message keeps its name (Message-ID) however often it is tried. A process that dies after the server took a message and
before it wrote that down hands it over again: SMTP has no way to ask (RFC 1047), and a reader's server that looks at
names drops the second. That is the one way to a double.
"""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from ambroise.modules.letters.model import Attachment, Mail

_SECONDS = 10
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class NeverTaken(Exception):
    """The reader's server will never take this message; `answer`: its code (5yz), `words`: what it says."""

    def __init__(self, answer: int, words: str = "") -> None:
        super().__init__(f"the server answered {answer}")
        self.answer = answer
        self.words = words


class Smtp(Struct, frozen=True):
    """A mail server: `smtp://host:port`, `smtp+starttls://user@host` or `smtps://user@host`."""

    url: str
    sender: str
    sms_domain: str | None = None
    password: str | None = None

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in _PORTS or not urlsplit(self.url).hostname:
            raise ValueError("the address of a mail server begins with smtp://, smtp+starttls:// or smtps://")

    def send(self, mail: Mail, attached: Attachment | None = None) -> None:
        """Hand one message to the server; blocks some time.

        Raises NeverTaken when the reader's side refuses it for good, OSError or SMTPException when it is not taken now.
        """
        try:
            with self._connection() as server:
                server.send_message(
                    self._message(mail, attached),
                    from_addr=mail.comes_back_to,
                    mail_options=["RET=HDRS"] if server.has_extn("dsn") else [],
                    rcpt_options=["NOTIFY=FAILURE"] if server.has_extn("dsn") else [],
                )
        except smtplib.SMTPRecipientsRefused as error:
            code, said = min(error.recipients.values())
            raise _judged(error, code, said.decode("utf-8", "replace")) from error
        except smtplib.SMTPDataError as error:
            raise _judged(error, error.smtp_code) from error

    def _message(self, mail: Mail, attached: Attachment | None) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, mail.to, mail.subject
        message["Date"] = formatdate()
        message["Message-ID"] = f"<{mail.id}@{parseaddr(self.sender)[1].rpartition('@')[2] or 'localhost'}>"
        message["Auto-Submitted"] = "auto-generated"
        if mail.refuse is not None:
            message["List-Unsubscribe"] = f"<{mail.refuse}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(mail.text)
        if mail.html is not None:
            message.add_alternative(mail.html, subtype="html")
        if attached is not None:
            main, _, sub = attached.media_type.partition("/")
            message.add_attachment(attached.content, maintype=main, subtype=sub, filename=attached.name)
        return message

    def send_sms(self, id: str, number: str, text: str) -> None:
        """Hand a short message to the mail gateway of the operator."""
        self.send(Mail(id, f"{number.removeprefix('+')}@{self.sms_domain}", "SMS", text))

    def _connection(self) -> smtplib.SMTP:
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_SECONDS, context=ssl.create_default_context())
        else:
            server = smtplib.SMTP(host, port, timeout=_SECONDS)
        if parts.scheme == "smtp+starttls":
            server.starttls(context=ssl.create_default_context())
        if parts.username and self.password:
            server.login(unquote(parts.username), self.password)
        return server


def _judged(error: smtplib.SMTPException, answer: int, words: str = "") -> Exception:
    """For good, or worth another try."""
    return NeverTaken(answer, words) if 500 <= answer < 600 else error
