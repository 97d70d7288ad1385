"""The leak pack through copies of a record: what a copy holds, whose it is, until when.

Each proof has its control: what must not be there is in the copy of who may see it.
"""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from ambroise.interfaces.web import templates
from ambroise.interfaces.web.copies.filer import Filing
from ambroise.interfaces.web.copies.scribe import Pages
from ambroise.kernel.clock import FixedClock
from ambroise.kernel.crypto import DataKeys, MasterKeys
from ambroise.kernel.db import Database
from ambroise.kernel.errors import Refusal
from ambroise.kernel.objects import Blobs, open_store
from ambroise.modules.portability.api import Exports, Imports
from ambroise.trust.context import Context, Operator, Relation
from ambroise.trust.gateway import Flags, Gateway
from tests.integration.leak_pack.record import helped, helper_of, kept_from_representatives, write_secrets
from tests.integration.portability.test_imports import IPS as SUMMARY
from tests.integration.record.conftest import world
from tests.integration.relations.conftest import Family, family
from tests.integration.trust.people import World

__all__ = ["family", "world"]


class Copier:
    def __init__(self, world: World) -> None:
        self.world = world
        self.exports = Exports.over(
            world.database,
            world.gateway,
            world.clock,
            Pages(templates),
            kept=timedelta(days=7),
            address="",
            demonstration=True,
        )

    async def ask(self, ctx: Context, patient: UUID) -> UUID:
        async with self.world.database.transaction() as tx:
            return (await self.exports.ask(tx, ctx, patient)).id

    async def text(self, ctx: Context, patient: UUID, id: UUID) -> str:
        """All that a copy says, whatever the file."""
        taken = await self.exports.take(ctx, patient, id)
        content = io.BytesIO(b"".join([chunk async for chunk in taken.chunks]))
        with zipfile.ZipFile(content) as copy:
            return "".join(copy.read(name).decode("utf-8", "replace") for name in copy.namelist())

    async def whole(self, ctx: Context, patient: UUID) -> str:
        id = await self.ask(ctx, patient)
        await self.exports.finish(id)
        return await self.text(ctx, patient, id)

    async def refused(self, ctx: Context, patient: UUID, id: UUID | None = None) -> str:
        with pytest.raises(Refusal) as refusal:
            await (self.ask(ctx, patient) if id is None else self.text(ctx, patient, id))
        return refusal.value.code


async def test_nothing_leaks_by_a_copy(database: Database, clock: FixedClock, tmp_path: Path) -> None:
    keys = DataKeys(MasterKeys.open(tmp_path / "master.key", create=True))
    gateway = Gateway(database, clock, blobs=Blobs(keys, open_store(f"file://{tmp_path}/objects")))
    secrets = await write_secrets(World(gateway, database, clock))
    copier, patient, holder = Copier(secrets.world), secrets.patient, secrets.knower

    kept = (await kept_from_representatives(secrets)).partition("/")[2]
    withheld = await secrets.world.document(secrets.author, patient, flags=Flags.INVISIBLE_PATIENT)
    theirs = await copier.whole(holder, patient)
    for shown in (secrets.shown, secrets.hidden_document, secrets.hidden_result, kept):
        assert shown.rpartition("/")[2] in theirs, "the control: the holder's own copy"
    for other in (withheld, secrets.elsewhere.partition("/")[2]):
        assert other not in theirs

    parent = await helped(secrets, "representative", "act")
    copied = await copier.whole(parent, patient)
    assert secrets.shown.partition("/")[2] in copied
    assert kept not in copied, "a minor's secret care is in no copy of a parent"
    assert withheld not in copied

    # Whoever may not take a copy begins none, and finds nobody's.
    mine = await copier.ask(holder, patient)
    await copier.exports.finish(mine)
    assert await copier.text(holder, patient, mine)
    for stranger in (
        await helped(secrets, "carer", "act"),
        await helped(secrets, "mediator", "content"),
        secrets.world.citizen(secrets.other),
        secrets.world.citizen(secrets.other, acting_for=patient, relation="representative"),
    ):
        assert await copier.refused(stranger, patient) in ("ACCESS_WRITE_RESERVED", "NOT_FOUND")
        assert await copier.refused(stranger, patient, mine) == "COPY_UNKNOWN"
    for outsider in (secrets.viewer, secrets.author):
        assert await copier.refused(outsider, patient)
        assert await copier.refused(outsider, patient, mine) == "COPY_UNKNOWN"
    assert await copier.refused(secrets.world.of(Operator("1", "Guichet")), patient)

    # The right is read again at the moment of taking: a parent who represents no more takes nothing.
    theirs_too = await copier.ask(parent, patient)
    await copier.exports.finish(theirs_too)
    async with database.transaction() as tx:
        await gateway.rights.end_relation(tx, holder, patient, helper_of(parent), "representative")
    assert await copier.refused(parent, patient, theirs_too)
    # A link whose time is over gives nothing, even to whom it was for.
    clock.move(timedelta(days=8))
    assert await copier.refused(holder, patient, mine) == "COPY_OVER"
    assert await copier.refused(replace(holder, acting_for=secrets.other), secrets.other)
    await gateway.close()


async def test_what_is_brought_from_elsewhere_is_shown_to_who_brought_it_while_they_may(family: Family) -> None:
    """Not to the holder's other helpers, nor to professionals, nor to a parent who represents no more."""
    world, filing = family.world, Filing(templates)
    imports = Imports(world.database, world.gateway, world.record, world.clock, filing, demonstration=True)
    patient, parent, stranger = world.patient, await family.person(), await family.person()
    await _related(family, parent, "representative")
    carer = await family.person()
    await _related(family, carer, "carer")
    acting = family.of(parent, patient, "representative")
    brought = await imports.propose(acting, patient, SUMMARY)
    assert (await imports.shown(acting, patient, brought.id))[1] is not None, "the control"
    own = await imports.propose(world.citizen, patient, SUMMARY)
    assert (await imports.shown(world.citizen, patient, own.id))[1] is not None

    async def code(ctx: Context, id: UUID) -> str:
        found: list[str] = []
        for act in (imports.shown, imports.take, imports.drop, imports.undo):
            with pytest.raises(Refusal) as refusal:
                await act(ctx, patient, id)
            found.append(refusal.value.code)
        assert len(set(found)) == 1
        return found[0]

    assert await code(world.citizen, brought.id) == await code(acting, own.id) == "IMPORT_UNKNOWN"
    for other in (
        family.of(carer, patient, "carer"),
        family.of(stranger, patient, "representative"),
        family.of(stranger),
        world.author,
        world.operator,
    ):
        assert await code(other, brought.id) == await code(other, UUID(int=0))
    async with world.database.transaction() as tx:
        await world.gateway.rights.end_relation(tx, world.citizen, patient, parent, "representative")
    assert await code(acting, brought.id) == await code(acting, UUID(int=0))


async def _related(family: Family, person: UUID, kind: Relation) -> None:
    world = family.world
    async with world.database.transaction() as tx:
        await world.gateway.rights.set_relation(tx, world.system, world.patient, person, kind, scope="act")
