"""Opening an account, step by step: who, a code, contacts, credentials, terms (enrolment of Mon espace santé).

Whoever does not know a person's number, birth date and card or names learns nothing: every mismatch is NO_USER_FOUND.
That the person died or has an account already is said only to who read the code sent to the person's own contact.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from ambroise.kernel.db import Reader, Row, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id
from ambroise.modules.identity import attempts, contacts, passwords, tokens
from ambroise.modules.identity.codes.repository import sweep as forget_codes
from ambroise.modules.identity.codes.service import Codes, Destination
from ambroise.modules.identity.enrolment import repository
from ambroise.modules.identity.enrolment.claiming import card_digest, claimed, number_of
from ambroise.modules.identity.enrolment.model import (
    LASTS,
    MOST_SENDS,
    Claim,
    Enrolment,
    Step,
    is_minor,
    mail_of,
    mobile_of,
    name_from,
    name_problem,
    serial_of,
)
from ambroise.modules.identity.model import Account, AccountKind, NewAccount, Origin, PasswordHash
from ambroise.modules.identity.protection import rule
from ambroise.modules.identity.registry.repository import identity_of
from ambroise.modules.identity.service import Identity, sign_in_name
from ambroise.modules.letters.api import Channel
from ambroise.modules.letters.api import Kind as LetterKind
from ambroise.trust.access.facts import SpaceState
from ambroise.trust.access.spaces import space_of
from ambroise.trust.context import Citizen, Context, System
from ambroise.trust.gateway import Gateway

_SEALED: Final = "enrolment"
_IDENTITY: Final = "identity"

Activate = Callable[[Transaction, Context, UUID, str], Awaitable[object]]
"""Begins the use of a space whose holder accepts these terms."""


class Enrolments(Struct, frozen=True):
    """The use cases of opening an account. A browser holds a token; everything else is here."""

    identity: Identity
    gateway: Gateway
    codes: Codes
    activate: Activate

    async def begin(self, claim: Claim, origin: Origin) -> tuple[str, Enrolment]:
        """Find who somebody says they are. Raises NO_USER_FOUND, SEVERAL_HOLDERS, CONTACTS_NOT_FOUND, …_WAIT."""
        if not self.codes.letters.channels:
            raise Refusal(Kind.UNAVAILABLE, "LETTERS_UNAVAILABLE", "This instance sends no message yet.")
        now = self.identity.clock.now()
        network = attempts.network_of(origin) or ""
        keys = [attempts.key("enrolment", number_of(claim), network), *attempts.address_keys(origin)]
        one = await attempts.begin(self.identity.database, keys, now)
        if one.wait:
            left = one.wait.seconds + 1
            raise Refusal(Kind.THROTTLED, "ENROLMENT_WAIT", "Wait before trying again.", data={"retry_after": left})
        async with self.identity.database.reader() as reader:
            found = await claimed(reader, claim, demonstration=self.identity.demonstration)
        if not found:
            await one.failed(self.identity.database, now)
            raise Refusal(Kind.NOT_FOUND, "NO_USER_FOUND", "Nobody is known by these details.")
        await one.take_back(self.identity.database)
        if len(found) > 1:
            problem = "Several people are on this card: give the names too."
            raise Refusal(Kind.CONFLICT, "SEVERAL_HOLDERS", problem, element="prenom")
        patient, token = found[0].patient, tokens.new_session_token()
        async with self.identity.database.transaction() as tx:
            known = await self._known_contacts(tx, patient)
            if not known:
                raise Refusal(Kind.CONFLICT, "CONTACTS_NOT_FOUND", "The health insurer knows no contact of yours.")
            begun = Enrolment(new_id(), Step.IDENTIFIED, patient, 0, now + LASTS, known)
            await repository.insert(
                tx, tokens.digest(token), begun.id, begun.step.value, begun.patient, self._sealed(begun), now,
                begun.ends_at,
            )  # fmt: skip
        return token, begun

    async def begin_proven(self, patient: UUID) -> str:
        """Begin for somebody whom a trusted provider identified: only contacts and terms are left (FranceConnect+).

        Raises LETTERS_UNAVAILABLE, DECEASED_INDIVIDUAL, PROFILE_ALREADY_EXISTS, LEGAL_REPRESENTATIVE_REQUIRED.
        """
        if not self.codes.letters.channels:
            raise Refusal(Kind.UNAVAILABLE, "LETTERS_UNAVAILABLE", "This instance sends no message yet.")
        now, token = self.identity.clock.now(), tokens.new_session_token()
        async with self.identity.database.transaction() as tx:
            ending = await self._terminal(tx, patient)
            if ending is None:
                begun = Enrolment(new_id(), Step.PROVEN, patient, 0, now + LASTS)
                await repository.insert(
                    tx, tokens.digest(token), begun.id, begun.step.value, patient, self._sealed(begun), now,
                    begun.ends_at,
                )  # fmt: skip
        if ending is not None:
            raise ending
        return token

    async def present(self, token: str) -> Enrolment:
        """The enrolment of a browser. Raises SESSION_TIMED_OUT."""
        async with self.identity.database.reader() as reader:
            return self._open(await repository.find(reader, tokens.digest(token)))

    async def send_code(self, token: str, channel: Channel, origin: Origin, *, language: str = "fr") -> Enrolment:
        """Send the code that proves the identity. Raises MIN_DELAY_ERROR, ENROLMENT_SENDS."""
        async with self.identity.database.transaction() as tx:
            held = await self._held(tx, token, Step.IDENTIFIED, Step.CODE_SENT)
            address = held.known.get(channel)
            if address is None:
                raise Refusal(Kind.UNPROCESSABLE, "CONTACTS_NOT_FOUND", "No such contact is known.", element="canal")
            pace = f"{held.patient} {attempts.network_of(origin) or ''}"
            sent = self._counted(held)
            to = Destination(channel, address, language)
            await self.codes.send(tx, held.id, _IDENTITY, to, LetterKind.ENROLMENT_CODE, pace=pace)
            return await self._write(tx, replace(sent, step=Step.CODE_SENT))

    async def prove(self, token: str, code: str) -> Enrolment:
        """Take the code. Raises CODE_*; DECEASED_INDIVIDUAL, PROFILE_ALREADY_EXISTS and a minor's end the enrolment."""
        present = await self._at(token, Step.CODE_SENT)
        reached = await self.codes.check(present.id, _IDENTITY, code)
        async with self.identity.database.transaction() as tx:
            held = await self._held(tx, token, Step.CODE_SENT)
            ending = await self._terminal(tx, held.patient)
            if ending is None:
                return await self._write(tx, replace(held, step=Step.PROVEN, proven={reached.channel: reached.address}))
            await repository.delete(tx, held.id)
        raise ending

    async def send_contact_code(self, token: str, channel: Channel, address: str, *, language: str = "fr") -> Enrolment:
        """Send a code to an address that the person gives. Raises CONTACT_INVALID, MIN_DELAY_ERROR."""
        clean = mail_of(address) if channel is Channel.MAIL else mobile_of(address)
        if clean is None:
            raise Refusal(Kind.UNPROCESSABLE, "CONTACT_INVALID", "This is no such address.", element=channel.value)
        async with self.identity.database.transaction() as tx:
            held = await self._held(tx, token, Step.PROVEN)
            await self.codes.send(
                tx, held.id, channel.value, Destination(channel, clean, language), LetterKind.CONTACT_CODE
            )
            return await self._write(tx, self._counted(held))

    async def prove_contact(self, token: str, channel: Channel, code: str) -> Enrolment:
        """Take the code that went to an address of the person."""
        present = await self._at(token, Step.PROVEN)
        reached = await self.codes.check(present.id, channel.value, code)
        async with self.identity.database.transaction() as tx:
            held = await self._held(tx, token, Step.PROVEN)
            return await self._write(tx, replace(held, proven={**held.proven, channel: reached.address}))

    async def keep_contacts(self, token: str) -> Enrolment:
        """Go on with the contacts proven. Raises MAIL_NOT_PROVEN: alerts and recovery need a mail address."""
        async with self.identity.database.transaction() as tx:
            held = await self._held(tx, token, Step.PROVEN, Step.CONTACTS_OK, Step.CREDENTIALS_OK)
            if Channel.MAIL not in held.proven:
                raise Refusal(Kind.UNPROCESSABLE, "MAIL_NOT_PROVEN", "Prove a mail address first.", element="mail")
            return await self._write(tx, replace(held, step=Step.CONTACTS_OK))

    async def suggestions(self, token: str, *, count: int = 3) -> list[str]:
        """Sign-in names that are free, made of the person's name."""
        present = await self.present(token)
        async with self.identity.database.reader() as reader:
            person = await identity_of(reader, present.patient)
            if person is None or present.step in (Step.IDENTIFIED, Step.CODE_SENT):
                return []
            stem = name_from(person.traits.first_given or "", person.traits.birth_name or "")
            possible = [stem, *(f"{stem}{number}" for number in range(2, 40))]
            taken = await repository.names_taken(reader, possible)
        return [name for name in possible if name not in taken][:count]

    async def choose_credentials(self, token: str, name: str, password: str) -> Enrolment:
        """Keep a sign-in name and a password. Raises LOGIN_*, PASSWORD_*."""
        name = sign_in_name(name)
        problem = name_problem(name)
        if problem is not None:
            raise Refusal(Kind.UNPROCESSABLE, problem, "Choose another sign-in name.", element="identifiant")
        present = await self._at(token, Step.CONTACTS_OK, Step.CREDENTIALS_OK)
        async with self.identity.database.reader() as reader:
            person = await identity_of(reader, present.patient)
            taken = await repository.names_taken(reader, [name])
        if taken:
            raise Refusal(
                Kind.CONFLICT, "LOGIN_ALREADY_EXISTS", "Somebody has this sign-in name.", element="identifiant"
            )
        rule.check(AccountKind.CITIZEN, password, name, *present.proven.values(), *rule.personal(person))
        hashed = await passwords.hash_in_thread(password)
        async with self.identity.database.transaction() as tx:
            held = await self._held(tx, token, Step.CONTACTS_OK, Step.CREDENTIALS_OK)
            return await self._write(tx, replace(held, step=Step.CREDENTIALS_OK, sign_in_name=name, password=hashed))

    async def finish(self, token: str, terms: str, *, language: str = "fr") -> Account:
        """Accept the terms: the account is made, the space activated, the enrolment over."""
        identity = self.identity
        async with identity.database.transaction() as tx:
            held = await self._held(tx, token, Step.CREDENTIALS_OK)
            ending = await self._terminal(tx, held.patient)
            if ending is not None:
                raise ending
            person = await identity_of(tx, held.patient)
            name = person.display_name if person else held.sign_in_name
            ctx = Context(
                Citizen(held.patient, name), identity.clock, channel="web", software="portal",
                demonstration=identity.demonstration,
            )  # fmt: skip
            await self.activate(tx, ctx, held.patient, terms)
            account = await identity.create_account(
                tx,
                NewAccount(
                    AccountKind.CITIZEN,
                    held.sign_in_name,
                    name,
                    patient=held.patient,
                    password=PasswordHash(held.password),
                ),
            )
            for channel, address in held.proven.items():
                await contacts.keep(tx, identity.sealer, account, channel, address, identity.clock.now())
            await self.codes.letters.write(
                tx, Channel.MAIL, held.proven[Channel.MAIL], LetterKind.ACCOUNT_OPENED, language=language
            )
            await repository.delete(tx, held.id)
            made = await identity.account_of(tx, patient=held.patient)
        if made is None:
            raise AssertionError("the account was just made")
        return made

    async def mail_of(self, tx: Transaction, patient: UUID) -> str | None:
        """The mail address of a person: the one they proved, else the one that the insurer gave."""
        account = await self.identity.account_of(tx, patient=patient)
        if account is not None:
            proven = (await contacts.of_account(tx, self.identity.sealer, account.id)).get(Channel.MAIL)
            if proven is not None:
                return proven
        with suppress(Refusal):
            return (await self._known_contacts(tx, patient)).get(Channel.MAIL)
        return None

    async def sweep(self, tx: Transaction) -> int:
        """Forget the enrolments and codes that ended; how many."""
        now = self.identity.clock.now()
        return await repository.sweep(tx, now) + await forget_codes(tx, now - timedelta(hours=1))

    # Steps

    async def _known_contacts(self, tx: Transaction, patient: UUID) -> dict[Channel, str]:
        """The contacts that the Patient says, among the channels that this instance has."""
        identity = self.identity
        ctx = Context(System("enrolment"), identity.clock, channel="web", demonstration=identity.demonstration)
        resource: dict[str, Any] = json.loads((await self.gateway.read(tx, ctx, "Patient", str(patient))).body)
        known: dict[Channel, str] = {}
        for one in resource.get("telecom", ()):
            value = str(one.get("value", ""))
            channel, address = (
                (Channel.MAIL, mail_of(value)) if one.get("system") == "email" else (Channel.SMS, mobile_of(value))
            )
            if address is not None and channel in self.codes.letters.channels:
                known.setdefault(channel, address)
        return known

    async def _terminal(self, reader: Reader, patient: UUID) -> Refusal | None:
        """Why this person cannot open an account here, ever."""
        space = await space_of(reader, patient)
        person = await identity_of(reader, patient)
        if space is None or person is None or person.traits.birth_date is None:
            return Refusal(Kind.NOT_FOUND, "NO_USER_FOUND", "Nobody is known by these details.")
        if space.state is SpaceState.DECEASED:
            return Refusal(Kind.FORBIDDEN, "DECEASED_INDIVIDUAL", "This person is known as deceased.")
        if await self.identity.account_of(reader, patient=patient) is not None:
            return Refusal(Kind.CONFLICT, "PROFILE_ALREADY_EXISTS", "This person has an account already.")
        if is_minor(person.traits.birth_date, self.identity.clock.now().date()):
            return Refusal(
                Kind.FORBIDDEN, "LEGAL_REPRESENTATIVE_REQUIRED", "A legal representative opens the space of a minor."
            )
        return None

    def _counted(self, held: Enrolment) -> Enrolment:
        if held.sends >= MOST_SENDS * len(Channel):
            raise Refusal(Kind.THROTTLED, "ENROLMENT_SENDS", "Too many codes were sent: start again.")
        return replace(held, sends=held.sends + 1)

    async def _at(self, token: str, *steps: Step) -> Enrolment:
        return _expected(await self.present(token), steps)

    async def _held(self, tx: Transaction, token: str, *steps: Step) -> Enrolment:
        return _expected(self._open(await repository.hold(tx, tokens.digest(token))), steps)

    def _open(self, row: Row | None) -> Enrolment:
        if row is None or row[4] <= self.identity.clock.now():
            raise Refusal(Kind.GONE, "SESSION_TIMED_OUT", "Too much time went by: start again.")
        kept = json.loads(self.identity.sealer.unseal(_SEALED, bytes(row[5])))
        return Enrolment(
            row[0], Step(row[1]), row[2], row[3], row[4], _channels(kept["known"]), _channels(kept["proven"]),
            kept["name"], kept["password"],
        )  # fmt: skip

    async def _write(self, tx: Transaction, moved: Enrolment) -> Enrolment:
        await repository.write(tx, moved.id, moved.step.value, moved.sends, self._sealed(moved))
        return moved

    def _sealed(self, one: Enrolment) -> bytes:
        kept = {"known": one.known, "proven": one.proven, "name": one.sign_in_name, "password": one.password}
        return self.identity.sealer.seal(_SEALED, json.dumps(kept).encode())


async def note_cards(tx: Transaction, cards: Iterable[tuple[UUID, str]]) -> None:
    """Note the serial numbers of the cards that the insurer gave to people; what is no serial is left out."""
    kept = [(patient, card_digest(patient, serial)) for patient, text in cards if (serial := serial_of(text))]
    if kept:
        await repository.put_cards(tx, kept)


def _expected(one: Enrolment, steps: tuple[Step, ...]) -> Enrolment:
    if one.step not in steps:
        raise Refusal(Kind.CONFLICT, "ENROLMENT_STEP", "This step is not the present one.")
    return one


def _channels(kept: dict[str, str]) -> dict[Channel, str]:
    return {Channel(channel): address for channel, address in kept.items()}
