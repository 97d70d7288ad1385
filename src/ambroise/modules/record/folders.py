"""The folders of a citizen (dossiers), and the documents that they pinned: their own order, that no professional sees.

The name of a folder tells what is in it. Whoever helps the holder is shown the folders that hold something they see, as
full as they see them, and the empty ones if they may put something in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec.structs import replace

from ambroise.kernel.db import Reader, Transaction
from ambroise.kernel.errors import Kind, Refusal
from ambroise.kernel.ids import new_id, shard_of
from ambroise.modules.record.model import Traced
from ambroise.modules.record.repositories import shelves
from ambroise.modules.record.repositories.shelves import Folder, Place
from ambroise.trust.access.decide import Action, Target, judge
from ambroise.trust.access.facts import Eyes
from ambroise.trust.access.kinds import kinds
from ambroise.trust.audit.entry import Entry
from ambroise.trust.context import Citizen, Context
from ambroise.trust.gateway import Flags, Gateway, Label

MOST_FOLDERS = 50
MOST_IN_ONE = 500
LONGEST_NAME = 50
# The type that any citizen's own document may have (JDV_J07).
_OWN_DOCUMENT = "EXPPAT_2"


class Folders:
    """Keeps documents in order, for those who may add one to the space."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def all(self, reader: Reader, ctx: Context) -> Sequence[Folder]:
        """The folders of the space, by name, as the caller may see them."""
        patient = _space(ctx)
        found = await shelves.folders(reader, patient)
        if Eyes.of(ctx).own or not found:
            return found
        shelved = await shelves.shelved(reader, patient)
        seen = await self._gateway.visible(reader, ctx, "DocumentReference", list(shelved))
        counts = Counter(folder for document, folder in shelved.items() if document in seen)
        empty = (
            {one.id for one in found if not one.count} if await self._may_keep(reader, ctx, patient) else set[UUID]()
        )
        return [replace(one, count=counts[one.id]) for one in found if counts[one.id] or one.id in empty]

    async def places(self, reader: Reader, ctx: Context, documents: Sequence[str]) -> Mapping[str, Place]:
        """Where these documents are kept; those that are nowhere are left out."""
        return await shelves.places(reader, _space(ctx), documents)

    async def inside(self, reader: Reader, ctx: Context, folder: str) -> Sequence[str]:
        """The documents of a folder."""
        return await shelves.inside(reader, _space(ctx), _id(folder))

    async def pinned(self, reader: Reader, ctx: Context) -> Sequence[str]:
        """The documents that are pinned."""
        return await shelves.pinned(reader, _space(ctx))

    async def create(self, tx: Transaction, ctx: Context, name: str) -> UUID:
        """Make a folder. Raises FOLDER_NAME_INVALID, FOLDER_EXISTS, TOO_MANY_FOLDERS."""
        patient, name = await self._may(tx, ctx), _named(name)
        known = await self.all(tx, ctx)
        if len(known) >= MOST_FOLDERS:
            raise Refusal(Kind.CONFLICT, "TOO_MANY_FOLDERS", f"A space has at most {MOST_FOLDERS} folders.")
        # A name that only the holder knows is free for a helper: refusing it would tell that it is there.
        if any(one.name.casefold() == name.casefold() for one in known):
            raise Refusal(Kind.CONFLICT, "FOLDER_EXISTS", "There is a folder of this name: choose another.")
        id = new_id(shard_of(patient))
        await shelves.add_folder(tx, patient, id, name)
        await self._trace(tx, ctx, patient)
        return id

    async def remove(self, tx: Transaction, ctx: Context, folder: str) -> None:
        """Delete a folder; its documents stay."""
        patient = await self._may(tx, ctx)
        await shelves.remove_folder(tx, patient, await self._known(tx, ctx, folder))
        await self._trace(tx, ctx, patient)

    async def put(self, tx: Transaction, ctx: Context, documents: Sequence[str], folder: str | None) -> None:
        """Put documents into a folder, or out of any. Raises NO_SUCH_FOLDER, FOLDER_FULL."""
        patient = await self._may(tx, ctx)
        id = await self._known(tx, ctx, folder) if folder else None
        if id is not None and len({*await shelves.inside(tx, patient, id), *documents}) > MOST_IN_ONE:
            raise Refusal(Kind.CONFLICT, "FOLDER_FULL", f"A folder holds at most {MOST_IN_ONE} documents.")
        await shelves.put(tx, patient, [UUID(document) for document in documents], id)
        await self._trace(tx, ctx, patient)

    async def pin(self, tx: Transaction, ctx: Context, document: str, pinned: bool) -> None:
        """Pin a document on top of the list, or take the pin off."""
        patient = await self._may(tx, ctx)
        await shelves.pin(tx, patient, UUID(document), pinned)
        await self._trace(tx, ctx, patient)

    async def _may(self, tx: Transaction, ctx: Context) -> UUID:
        """The space, once it is sure that this person may keep it in order: who may add a document to it may."""
        patient = _space(ctx)
        await self._gateway.decide(tx, ctx, Action.CREATE, _own_document(patient))
        return patient

    async def _may_keep(self, reader: Reader, ctx: Context, patient: UUID) -> bool:
        """The same, only asked."""
        eyes = Eyes.of(ctx)
        facts = await self._gateway.facts(reader, ctx, eyes, patient)
        return judge(facts, eyes, Action.CREATE, _own_document(patient)).allowed

    async def _known(self, tx: Transaction, ctx: Context, folder: str) -> UUID:
        """A folder that the caller sees. Raises NO_SUCH_FOLDER."""
        id = _id(folder)
        if all(one.id != id for one in await self.all(tx, ctx)):
            raise _unknown()
        return id

    async def _trace(self, tx: Transaction, ctx: Context, patient: UUID) -> None:
        await self._gateway.trace(tx, ctx, Entry("U", Traced.ARRANGED, patient, "DocumentReference"))


def _space(ctx: Context) -> UUID:
    if not isinstance(ctx.actor, Citizen):
        raise Refusal(Kind.FORBIDDEN, "FOLDERS_OF_CITIZENS", "Folders are the holder's own.")
    return ctx.acting_for or ctx.actor.patient


def _own_document(patient: UUID) -> Target:
    label = Label(patient=patient, kind=kinds().numbers[_OWN_DOCUMENT], flags=Flags.PATIENT_AUTHORED)
    return Target("DocumentReference", label)


def _named(name: str) -> str:
    found = " ".join(name.split())
    if not 0 < len(found) <= LONGEST_NAME:
        raise Refusal(
            Kind.INVALID, "FOLDER_NAME_INVALID", f"Give the folder a name of {LONGEST_NAME} characters at most."
        )
    return found


def _id(written: str) -> UUID:
    try:
        return UUID(written)
    except ValueError as error:
        raise _unknown() from error


def _unknown() -> Refusal:
    return Refusal(Kind.NOT_FOUND, "NO_SUCH_FOLDER", "This space has no such folder.")
