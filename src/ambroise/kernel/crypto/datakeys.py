"""The data key of each citizen, wrapped by the master key, kept in the database.

Destroying the keys of a citizen makes every document of theirs unreadable, in the database and in every backup made
under them. What belongs to nobody (directory attachments) has a key of the house, under the nil UUID.
"""

import secrets
from collections import OrderedDict
from uuid import UUID
from weakref import WeakKeyDictionary

from msgspec import Struct

from ambroise.kernel.crypto.master import MasterKeys
from ambroise.kernel.db import Answer, Reader, Row, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import shard_of

NOBODY = UUID(int=0)

_SIZE = 32
_CACHED = 10_000
# Taken shared by who makes a key and alone by who rotates: no key is ever wrapped by a master key being retired.
_ROTATION_LOCK = 0x6B657973
_LATEST = """
    select version, master_id, wrapped
    from data_key
    where shard = %s and patient = %s
    order by version desc
    limit 1
    for share
"""


class DataKey(Struct, frozen=True):
    patient: UUID
    version: int
    key: bytes


class DataKeyDestroyed(Refusal):
    """The citizen's keys were destroyed: what they protected is gone."""

    def __init__(self) -> None:
        super().__init__(Kind.GONE, "KEY_DESTROYED", "The key of this space was destroyed by a purge.")


class DataKeys:
    """Makes, reads, renews and destroys the data keys."""

    def __init__(self, master: MasterKeys) -> None:
        self._master = master
        # Unwrapped, so that it is not done again; which of them is current, and not destroyed, the database says.
        self._opened: OrderedDict[UUID, DataKey] = OrderedDict()
        # What a transaction holds, with how much of it had been undone before.
        self._within: WeakKeyDictionary[Transaction, dict[UUID, tuple[int, DataKey]]] = WeakKeyDictionary()

    def unwrap(self, patient: UUID, version: int, master_id: str, wrapped: bytes | None) -> DataKey:
        """A key from its row. Raises DataKeyDestroyed."""
        if wrapped is None:
            raise DataKeyDestroyed
        return DataKey(patient, version, self._master.unwrap(master_id, wrapped, _context(patient, version)))

    def ask(self, tx: Transaction, patient: UUID | None) -> Answer | None:
        """Read the current key's row with the next statement, for a `current` that follows; None when it is known."""
        owner = patient or NOBODY
        return None if self._held(tx, owner) else tx.ask(_LATEST, (shard_of(owner), owner))

    async def current(self, tx: Transaction, patient: UUID | None, asked: Answer | None = None) -> DataKey:
        """The key that protects what is written now, which nobody destroys before this transaction ends.

        Made the first time. Raises DataKeyDestroyed after a purge.
        """
        owner = patient or NOBODY
        held = self._held(tx, owner)
        if held is not None:
            return held
        row = await asked.row() if asked is not None else await self._latest(tx, owner)
        if row is not None and row[2] is None:
            # Destroyed while we waited for its row: by a purge, or by a rotation, which left a newer one.
            row = await self._latest(tx, owner)
        if row is None:
            await self._make(tx, owner, 1)
            row = await self._latest(tx, owner)
        return self._hold(tx, owner, row)

    async def hold(self, tx: Transaction, patient: UUID) -> None:
        """Wait until nobody is writing under this citizen's keys, and let nobody start until this transaction ends."""
        await tx.execute(
            "select 1 from data_key where shard = %s and patient = %s for update", (shard_of(patient), patient)
        )

    async def renew(self, tx: Transaction, patient: UUID | None) -> DataKey:
        """Make a new current key; the former ones still read what they protect."""
        owner = patient or NOBODY
        latest = await self.current(tx, patient)
        await self._make(tx, owner, latest.version + 1)
        return self._hold(tx, owner, await self._latest(tx, owner))

    async def destroy(self, tx: Transaction, patient: UUID, *, below_version: int | None = None) -> None:
        """Destroy a citizen's keys for ever (or only those below a version, once nothing uses them)."""
        await tx.execute(
            """
            update data_key
            set wrapped = null, destroyed_at = now()
            where shard = %s and patient = %s and wrapped is not null and (%s::bigint is null or version < %s)
            """,
            (shard_of(patient), patient, below_version, below_version),
        )
        self._within.get(tx, {}).pop(patient, None)
        tx.after_commit(lambda: self._forget(patient))

    async def rotate_master(self, tx: Transaction) -> str:
        """Make a new master key, once no key is being made under the former one."""
        await tx.execute("select pg_advisory_xact_lock(%s)", (_ROTATION_LOCK,))
        return self._master.add()

    async def owners(self, reader: Reader) -> list[UUID]:
        """The citizens who have a key that was not destroyed."""
        rows = await reader.fetch_all(
            """
            select distinct shard, patient
            from data_key
            where wrapped is not null and patient <> %s
            order by shard, patient
            """,
            (NOBODY,),
        )
        return [patient for _, patient in rows]

    async def rewrap(self, tx: Transaction, *, limit: int = 1000) -> int:
        """Wrap some data keys again under the current master key; how many. Zero means that all are done."""
        current = self._master.current
        rows = await tx.fetch_all(
            """
            select shard, patient, version, master_id, wrapped
            from data_key
            where master_id <> %s and wrapped is not null
            order by shard, patient, version
            limit %s
            for update
            """,
            (current, limit),
        )
        for shard, patient, version, master_id, wrapped in rows:
            key = self.unwrap(patient, version, master_id, wrapped)
            new_id, new_wrapped = self._master.wrap(key.key, _context(patient, version))
            await tx.execute(
                "update data_key set master_id = %s, wrapped = %s where shard = %s and patient = %s and version = %s",
                (new_id, new_wrapped, shard, patient, version),
            )
        return len(rows)

    async def _latest(self, tx: Transaction, owner: UUID) -> Row | None:
        return await tx.fetch_one(_LATEST, (shard_of(owner), owner))

    def _held(self, tx: Transaction, owner: UUID) -> DataKey | None:
        """The key that this transaction holds already, unless it came by in a part of it that was undone."""
        undone, key = self._within.get(tx, {}).get(owner, (0, None))
        return key if undone == tx.undone else None

    def _hold(self, tx: Transaction, owner: UUID, row: Row | None) -> DataKey:
        if row is None:
            raise DataKeyDestroyed
        version, master_id, wrapped = row
        key = self._opened.get(owner)
        if key is None or key.version != version or wrapped is None:
            key = self.unwrap(owner, version, master_id, wrapped)
            tx.after_commit(lambda: self._remember(key))
        self._within.setdefault(tx, {})[owner] = (tx.undone, key)
        return key

    async def _make(self, tx: Transaction, owner: UUID, version: int) -> None:
        await tx.execute("select pg_advisory_xact_lock_shared(%s)", (_ROTATION_LOCK,))
        master_id, wrapped = self._master.wrap(secrets.token_bytes(_SIZE), _context(owner, version))
        await tx.execute(
            """
            insert into data_key (shard, patient, version, master_id, wrapped)
            values (%s, %s, %s, %s, %s)
            on conflict do nothing
            """,
            (shard_of(owner), owner, version, master_id, wrapped),
        )

    def _forget(self, owner: UUID) -> None:
        self._opened.pop(owner, None)

    def _remember(self, key: DataKey) -> None:
        self._opened[key.patient] = key
        if len(self._opened) > _CACHED:
            self._opened.popitem(last=False)


def _context(patient: UUID, version: int) -> bytes:
    return b"ambroise data key " + patient.bytes + version.to_bytes(4, "big")
