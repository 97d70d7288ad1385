"""Letters in words, and the one who posts them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from babel.dates import format_datetime

from ambroise.interfaces.web.agents import device_name
from ambroise.interfaces.web.ui.dates import PARIS
from ambroise.interfaces.web.ui.i18n import N_, Language, language
from ambroise.kernel.db import Transaction
from ambroise.kernel.outbox import Event
from ambroise.modules.letters.api import Channel, Kind, Letter, Letters, Smtp

_CODE = N_("Ne donnez ce code à personne. Il n’est valable que 10 minutes. Si vous n’avez rien demandé, ignorez-le.")
_FROM = N_("Appareil : %(device)s. Réseau : %(network)s. Le %(when)s.")
_UNEXPECTED = N_(
    "Si c’est vous, il n’y a rien à faire. Sinon, fermez tout et choisissez un nouveau mot de passe : "
    "%(address)s/alerte?cle=%(token)s"
)

_WORDS: Mapping[Kind, tuple[str, tuple[str, ...]]] = {
    Kind.ENROLMENT_CODE: (
        N_("Votre code pour ouvrir votre espace de santé"),
        (N_("Votre code est %(code)s."), _CODE),
    ),
    Kind.CONTACT_CODE: (
        N_("Votre code pour vérifier cette adresse"),
        (N_("Votre code est %(code)s."), _CODE),
    ),
    Kind.SIGN_IN_CODE: (N_("Votre code de connexion"), (N_("Votre code est %(code)s."), _CODE)),
    Kind.RECOVERY_CODE: (
        N_("Votre code pour retrouver l’accès à votre compte"),
        (N_("Votre code est %(code)s."), _CODE),
    ),
    Kind.ACCOUNT_OPENED: (
        N_("Votre compte est ouvert"),
        (N_("Vous pouvez vous connecter à votre espace de santé : %(address)s"),),
    ),
    Kind.NEW_DEVICE: (
        N_("Connexion depuis un nouvel appareil"),
        (N_("Quelqu’un vient de se connecter à votre compte depuis un nouvel appareil."), _FROM, _UNEXPECTED),
    ),
    Kind.PASSWORD_CHANGED: (
        N_("Votre mot de passe a changé"),
        (N_("Le mot de passe de votre compte vient de changer."), _FROM, _UNEXPECTED),
    ),
    Kind.FACTOR_CHANGED: (
        N_("Vos codes de connexion ont changé"),
        (
            N_("La façon de recevoir les codes de votre compte, ou vos codes de secours, viennent de changer."),
            _FROM,
            _UNEXPECTED,
        ),
    ),
}


@dataclass(frozen=True)
class Words:
    """What a letter says."""

    subject: str
    text: str


def words_of(letter: Letter, address: str) -> Words:
    """The subject and the text of a letter, in its language. `address`: where this instance is reached."""
    spoken: Language = language(letter.language)
    subject, sentences = _WORDS[letter.kind]
    values: dict[str, Any] = {"code": "", **letter.details, "address": address, **_where(letter, spoken)}
    said = [spoken.gettext(one) % values for one in sentences]
    if letter.channel is Channel.SMS:
        return Words(spoken.gettext(subject), f"Ambroise. {' '.join(said)}")
    return Words(f"Ambroise. {spoken.gettext(subject)}", "\n\n".join([*said, "Ambroise"]) + "\n")


def _where(letter: Letter, spoken: Language) -> dict[str, str]:
    """From which device and when, for the letters that say so."""
    details = letter.details
    if "at" not in details:
        return {}
    return {
        "device": device_name(details.get("agent", ""), spoken.gettext),
        "network": details.get("network") or spoken.gettext(N_("inconnu")),
        "when": format_datetime(datetime.fromisoformat(details["at"]), tzinfo=PARIS, locale=spoken.code),
    }


@dataclass(frozen=True)
class Postman:
    """Sends letters. Without a server they only wait in the letter box of a demonstration."""

    letters: Letters
    smtp: Smtp | None
    address: str

    async def post(self, tx: Transaction, event: Event) -> None:
        """Send one letter; a server that fails makes the outbox try again later."""
        letter = await self.letters.waiting(tx, UUID(event.payload["letter"]))
        if letter is None:
            return
        if self.smtp is not None:
            await self._send(self.smtp, letter)
        await self.letters.sent(tx, letter.id)

    async def _send(self, smtp: Smtp, letter: Letter) -> None:
        said = words_of(letter, self.address)
        if letter.channel is Channel.MAIL:
            await asyncio.to_thread(smtp.send, letter.address, said.subject, said.text)
        elif smtp.sms_domain:
            await asyncio.to_thread(smtp.send_sms, letter.address, said.text)
