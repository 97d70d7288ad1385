"""Sending a message by SMTP (RFC 5321), with TLS where the address asks for it."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from ambroise.modules.letters.model import Attachment

_SECONDS = 10
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class Smtp(Struct, frozen=True):
    """A mail server: `smtp://host:port`, `smtp+starttls://user@host` or `smtps://user@host`."""

    url: str
    sender: str
    sms_domain: str | None = None
    password: str | None = None

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in _PORTS or not urlsplit(self.url).hostname:
            raise ValueError("the address of a mail server begins with smtp://, smtp+starttls:// or smtps://")

    def send(self, to: str, subject: str, text: str, attached: Attachment | None = None) -> None:
        """Hand one message to the server; blocks some time. Raises OSError or SMTPException when it is not taken."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, to, subject
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        if attached is not None:
            main, _, sub = attached.media_type.partition("/")
            message.add_attachment(attached.content, maintype=main, subtype=sub, filename=attached.name)
        with self._connection() as server:
            server.send_message(message)

    def send_sms(self, number: str, text: str) -> None:
        """Hand a short message to the mail gateway of the operator."""
        self.send(f"{number.removeprefix('+')}@{self.sms_domain}", "SMS", text)

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
