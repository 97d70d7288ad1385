"""Who owns which resource types, who hears of which event, and what comes back periodically."""

from __future__ import annotations

from datetime import timedelta

from ambroise.interfaces.services import Services
from ambroise.interfaces.web import templates
from ambroise.interfaces.web.letters import Postman
from ambroise.interfaces.web.notices import push_words
from ambroise.interfaces.web.printing import Printer
from ambroise.interfaces.web.proofs import Proofs
from ambroise.kernel.db import Transaction
from ambroise.kernel.jobs import Schedule
from ambroise.kernel.objects import Blobs
from ambroise.kernel.outbox import Subscriptions
from ambroise.kernel.retention import Sweep, purge
from ambroise.modules.identity.api import RECOVERY_ASKED, KeySealer, Recovery, on_patient_created, on_patient_updated
from ambroise.modules.identity.provider.api import CLIENT_TO_TELL
from ambroise.modules.identity.vihf.api import forget as forget_assertions
from ambroise.modules.letters.api import LETTER_RETURNED, LETTER_WRITTEN, Smtp
from ambroise.modules.notification.api import PUSH_DUE, Teller, TreatingWord, Visits, forget_sent
from ambroise.modules.portability.api import GOES_ON, TAKES_ON
from ambroise.modules.prevention.api import Handlers as PreventionHandlers
from ambroise.modules.prevention.api import Prevention, remind
from ambroise.modules.profile.api import forget_purged as forget_emergency_code
from ambroise.modules.record.api import Handlers, own_types
from ambroise.modules.relations.api import Handlers as RelationHandlers
from ambroise.modules.space.api import PRINTING_ASKED, PURGED, Notices, Populations, Printings, Telling, end_delays
from ambroise.modules.space.api import Handlers as SpaceHandlers
from ambroise.modules.vitale.api import forget_purged
from ambroise.trust.access.lookups import forget_lookups
from ambroise.trust.audit.seal import seal
from ambroise.trust.gateway import EMERGENCY_OPENED

_SEAL_EVERY = timedelta(minutes=1)
_FORGET_EVERY = timedelta(days=1)
_SWEEP_EVERY = timedelta(hours=1)
_LIFE_EVERY = timedelta(minutes=1)
_TELL_EVERY = timedelta(seconds=5)


def own(services: Services) -> None:
    """Every write of these types, by any way in, runs the owner's use case."""
    own_types(services.record, services.gateway)
    services.gateway.on_patient_created = on_patient_created
    services.gateway.on_patient_updated = on_patient_updated


def subscribe(subscriptions: Subscriptions, services: Services) -> None:
    """Tell modules what happened elsewhere."""
    for event, handler in Handlers(services.record, services.clock).table().items():
        subscriptions.on(event, handler)
    for event, handler in RelationHandlers(services.relations, services.clock).table().items():
        subscriptions.on(event, handler)
    populations = Populations(services.database, services.gateway)
    for event, handler in (
        SpaceHandlers(populations, services.clock, demonstration=services.demonstration).table().items()
    ):
        subscriptions.on(event, handler)
    telling = Telling(services.letters, services.clock, services.enrolments.mail_of)
    for event, handler in telling.table().items():
        subscriptions.on(event, handler)
    subscriptions.on(LETTER_RETURNED, telling.letter_returned)
    subscriptions.on(PURGED, forget_purged)
    subscriptions.on(PURGED, forget_emergency_code)
    prevention = PreventionHandlers(services.clock)
    for event, handler in prevention.table().items():
        subscriptions.on(event, handler)
    for event, together in prevention.table_of_many().items():
        subscriptions.on_many(event, together)
    proofs = Proofs(templates, services.clock)
    subscriptions.on(LETTER_WRITTEN, Postman(services.letters, _smtp(services), services.public_url, proofs.of).post)
    teller = tell_outside(services)
    subscriptions.on(LETTER_WRITTEN, teller.letter_left)
    subscriptions.on(LETTER_RETURNED, teller.letter_returned)
    subscriptions.on(PUSH_DUE, teller.push)
    subscriptions.on(EMERGENCY_OPENED, TreatingWord(services.letters, services.clock).emergency_opened)
    subscriptions.on(PRINTING_ASKED, Printer(printings(services), templates, services.public_url).make)
    subscriptions.on(RECOVERY_ASKED, Recovery(services.identity).answer)
    subscriptions.on(GOES_ON, services.exports.go_on)
    subscriptions.on(TAKES_ON, services.imports.go_on)
    for forgetting in (services.exports.forget, services.imports.forget):
        subscriptions.on(PURGED, forgetting)
    subscriptions.on(CLIENT_TO_TELL, services.provider.leaving.tell)


def tell_outside(services: Services) -> Teller:
    """How notices reach people outside the portal."""
    wishing = services.wishing
    return Teller(
        services.database,
        services.clock,
        services.letters,
        services.enrolments.mail_of,
        wishing.key,
        push_words,
        wishing.pusher,
    )


def printings(services: Services) -> Printings:
    """The letters on paper of an instance."""
    sealer, demonstration = KeySealer(services.secret), services.demonstration
    return Printings(services.database, services.gateway, sealer, services.clock, demonstration)


def _smtp(services: Services) -> Smtp | None:
    settings = services.settings
    if settings.smtp_url is None:
        return None
    return Smtp(settings.smtp_url, settings.mail_from, settings.sms_domain, settings.smtp_password)


def schedule(schedule: Schedule, services: Services, blobs: Blobs) -> None:
    """The periodic jobs."""

    async def seal_the_trace(tx: Transaction) -> None:
        await seal(services.database, services.clock)

    async def sweep_orphans(tx: Transaction) -> None:
        await blobs.sweep(tx, services.clock.now())

    notices = Notices(services.database, services.spaces, services.clock, demonstration=services.demonstration)

    kinds: dict[str, Sweep] = {
        "sign-in: sessions, tries, drafts, devices, warnings, recoveries": services.identity.sweep,
        "sign-in: challenges and codes of passkeys": services.passkeys.sweep,
        "enrolments and codes": services.enrolments.sweep,
        "federation: requests": services.federation.sweep,
        "letters": services.letters.sweep,
        "copies of records": services.exports.sweep,
        "what was sent about notices": lambda tx: forget_sent(tx, services.clock.now()),
        "codes of notices": notices.sweep,
        "printed notices": printings(services).sweep,
        "e-carte: tokens": services.vitale.showings.sweep,
        "sign-on: requests and sessions": lambda tx: services.provider.signing_on.sweep(
            tx, services.clock.now() - _FORGET_EVERY
        ),
        "assertions: those that were used": lambda tx: forget_assertions(tx, services.clock.now()),
        "counts of searches": lambda tx: forget_lookups(tx, services.clock.now()),
    }

    async def purge_what_is_over(tx: Transaction) -> None:
        await purge(tx, services.clock, kinds)

    async def expire_cards(tx: Transaction) -> None:
        await services.vitale.cards.expire()

    async def end_space_delays(tx: Transaction) -> None:
        await end_delays(services.database, services.spaces, services.clock)

    prevention = Prevention(services.gateway)

    async def remind_of_prevention(tx: Transaction) -> None:
        await remind(services.database, prevention, services.clock)

    schedule.every(_LIFE_EVERY, "prevention.reminders", remind_of_prevention)

    async def tell_of_visits(tx: Transaction) -> None:
        await Visits(services.gateway).tell(tx)

    schedule.every(_LIFE_EVERY, "space.delays", end_space_delays)
    schedule.every(_TELL_EVERY, "notices.tell", tell_outside(services).work)
    schedule.every(_SEAL_EVERY, "notices.visits", tell_of_visits)
    schedule.every(_FORGET_EVERY, "retention", purge_what_is_over)
    schedule.every(_SWEEP_EVERY, "vitale.expiry", expire_cards)
    schedule.every(_SEAL_EVERY, "trace.seal", seal_the_trace)
    schedule.every(_SWEEP_EVERY, "blobs.sweep", sweep_orphans)
