"""Letters in words, and the one who posts them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from babel.dates import format_date, format_datetime
from msgspec import Struct

from ambroise.interfaces.web.agents import device_name
from ambroise.interfaces.web.notices import mail_words
from ambroise.interfaces.web.ui.dates import PARIS
from ambroise.interfaces.web.ui.i18n import N_, Language, language
from ambroise.kernel.db import Transaction
from ambroise.kernel.outbox import Event
from ambroise.modules.letters.api import Attachment, Channel, Kind, Letter, Letters, Mail, NeverTaken, Smtp

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
    Kind.TREATING_WORD: (
        N_("Accès en urgence au dossier d’un de vos patients"),
        (
            N_("Le dossier d’une personne dont vous êtes le médecin traitant a été ouvert en urgence le %(when)s."),
            N_("Comme la loi le demande (CSP R. 1111-48), vous en êtes informé. Voir qui et quand :"),
            "%(address)s/pro/patients#urgences",
        ),
    ),
    Kind.SPACE_NOTICE: (
        N_("Votre espace de santé va s’ouvrir"),
        (
            N_(
                "Un espace numérique de santé va être ouvert pour vous : documents, messages, rendez-vous, sous votre "
                "seul contrôle. Sans opposition de votre part, il s’ouvre le %(until)s."
            ),
            N_("Pour vous y opposer, sans créer de compte : %(address)s/opposition?code=%(code)s"),
            N_("Pour l’utiliser tout de suite : %(address)s/inscription"),
        ),
    ),
    Kind.SPACE_OBJECTED: (
        N_("Votre opposition est enregistrée"),
        (
            N_("Votre espace de santé ne s’ouvrira pas. Rien n’y sera enregistré."),
            N_("La preuve de votre opposition, en PDF : %(address)s/opposition/preuve.pdf?code=%(code)s"),
        ),
    ),
    Kind.SPACE_OPENED: (
        N_("Votre espace de santé est ouvert"),
        (N_("Connectez-vous pour l’activer, ou pour le fermer : %(address)s"),),
    ),
    Kind.SPACE_CLOSED: (
        N_("Votre espace de santé est fermé"),
        (
            N_("Plus personne n’y accède. Ce qu’il contenait est archivé jusqu’au %(until)s, puis détruit."),
            N_("Vous pouvez le rouvrir ou demander sa suppression avant : %(address)s/espace"),
        ),
    ),
    Kind.SPACE_SUSPENDED: (
        N_("Votre espace de santé est suspendu"),
        (
            N_("Un dysfonctionnement ou une fraude est soupçonné : plus personne n’y accède."),
            N_("Sans contestation de votre part, il sera fermé le %(until)s : %(address)s/espace"),
        ),
    ),
    Kind.SPACE_BACK: (
        N_("Votre espace de santé est de nouveau ouvert"),
        (N_("Vous y retrouvez ce qu’il contenait : %(address)s"),),
    ),
    Kind.SPACE_DELETION: (
        N_("La suppression de vos données est prévue"),
        (N_("Tout sera détruit au plus tard le %(until)s. Vous pouvez encore y renoncer : %(address)s/espace"),),
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


Attach = Callable[[Transaction, Letter], Awaitable[Attachment | None]]
"""Makes the file that goes with a letter, if any."""


class Words(Struct, frozen=True):
    """What a letter says."""

    subject: str
    text: str
    html: str | None = None
    refuse: str | None = None


def words_of(letter: Letter, address: str) -> Words:
    """The subject and the text of a letter, in its language. `address`: where this instance is reached."""
    if letter.kind is Kind.NOTICES:
        told = mail_words(letter, address)
        return Words(told.subject, told.text, told.html, told.refuse)
    spoken: Language = language(letter.language)
    subject, sentences = _WORDS[letter.kind]
    values: dict[str, Any] = {"code": "", "until": "", **letter.details, "address": address, **_where(letter, spoken)}
    said = [spoken.gettext(one) % values for one in sentences]
    if letter.channel is Channel.SMS:
        return Words(spoken.gettext(subject), f"Ambroise. {' '.join(said)}")
    return Words(f"Ambroise. {spoken.gettext(subject)}", "\n\n".join([*said, "Ambroise"]) + "\n")


def _where(letter: Letter, spoken: Language) -> dict[str, str]:
    """From which device and when, or until which day, for the letters that say so."""
    details = letter.details
    if "until" in details:
        day = datetime.fromisoformat(details["until"]).astimezone(PARIS)
        return {"until": format_date(day, "long", locale=spoken.code)}
    if "at" not in details:
        return {}
    return {
        "device": device_name(details.get("agent", ""), spoken.gettext),
        "network": details.get("network") or spoken.gettext(N_("inconnu")),
        "when": format_datetime(datetime.fromisoformat(details["at"]), tzinfo=PARIS, locale=spoken.code),
    }


class Postman(Struct, frozen=True):
    """Sends letters. Without a server they only wait in the letter box of a demonstration."""

    letters: Letters
    smtp: Smtp | None
    address: str
    attach: Attach | None = None

    async def post(self, tx: Transaction, event: Event) -> None:
        """Send one letter; a server that fails makes the outbox try again later, one that refuses for good ends it."""
        letter = await self.letters.waiting(tx, UUID(event.payload["letter"]))
        if letter is None or await self.letters.hold(tx, letter):
            return
        try:
            if self.smtp is not None:
                await self._send(tx, self.smtp, letter)
        except NeverTaken as error:
            await self.letters.refused(tx, letter.id, error.answer, error.words)
            return
        await self.letters.sent(tx, letter.id)

    async def _send(self, tx: Transaction, smtp: Smtp, letter: Letter) -> None:
        said = words_of(letter, self.address)
        if letter.channel is Channel.MAIL:
            attached = await self.attach(tx, letter) if self.attach is not None else None
            back = self.letters.comes_back
            mail = Mail(
                str(letter.id),
                letter.address,
                said.subject,
                said.text,
                said.html,
                said.refuse,
                back.of(letter.id) if back is not None else None,
            )
            await asyncio.to_thread(smtp.send, mail, attached)
        elif smtp.sms_domain:
            await asyncio.to_thread(smtp.send_sms, str(letter.id), letter.address, said.text)
