"""Folders of one's own: documents put away, found again, pinned, deleted together, and nobody else the wiser."""

import pytest

from ambroise.kernel.errors import Refusal
from ambroise.kernel.ids import new_id, shard_of
from ambroise.modules.record.api import Folders
from ambroise.trust.context import Citizen
from tests.journeys.support.visitors import Visitors

LETTER = "Compte rendu de consultation"


async def test_documents_are_put_into_folders_pinned_and_deleted_together_without_a_script(visitors: Visitors) -> None:
    citizen = await (await visitors.enter("Dominique Fictive")).get("/documents/ajouter")
    details = {"titre": "Ma note", "categorie": "AUTR_DOC", "date": "2026-02-03", "visible": "soignants"}
    await citizen.press("Ajouter le document", files={"fichier": ("n.txt", b"bonjour", "text/plain")}, **details)
    note = citizen.address.rpartition("/")[2]
    await citizen.get("/documents/ranger")
    await citizen.press("Créer le dossier", nom="  Mon   genou ")
    await citizen.press("Créer le dossier", nom="mon genou")
    assert "Un dossier porte déjà ce nom" in citizen.words
    folder = str(citizen.page.cssselect("select[name=dossier] option")[1].get("value"))
    await citizen.press("Ranger", doc=str(visitors.document), dossier=folder)
    assert "Documents rangés" in citizen.words
    await citizen.get(f"/documents?dossier={folder}")
    assert "1 document trouvé" in citizen.words
    assert LETTER in citizen.words
    assert "Ma note" not in citizen.words
    await citizen.get(f"/documents/{note}")
    await citizen.press("Garder en haut de ma liste")
    await citizen.get("/documents")
    assert "En haut de ma liste" in citizen.words
    # A professional sees the document, and nothing of the folder.
    reader = await (await visitors.enter("Charles Muller")).get(visitors.record)
    assert LETTER in reader.words
    assert "genou" not in reader.words.casefold()
    await citizen.get("/documents/ranger")
    await citizen.press("Supprimer Mon genou")
    assert "Dossier supprimé. Ses documents restent." in citizen.words
    await citizen.press("Supprimer ceux que j’ai ajoutés", doc=[note, str(visitors.document)])
    assert "Supprimer 1 document ?" in citizen.words
    assert "vient d’un soignant" in citizen.words
    await citizen.press("Supprimer", doc=note)
    assert "Documents supprimés" in citizen.words
    assert "Ma note" not in citizen.words
    assert LETTER in citizen.words


async def test_nobody_puts_anything_into_the_folders_of_another(visitors: Visitors) -> None:
    world = visitors.world
    folders = Folders(world.gateway)
    async with world.database.transaction() as tx:
        mine = await folders.create(tx, world.citizen, "À moi")
    other = world.context(Citizen(new_id(shard_of(world.patient)), "Autre"))
    for ctx, code in ((other, "ACCESS_NO_SPACE"), (world.author, "FOLDERS_OF_CITIZENS")):
        with pytest.raises(Refusal) as refused:
            async with world.database.transaction() as tx:
                await folders.put(tx, ctx, [str(visitors.document)], str(mine))
        assert refused.value.code == code
        async with world.database.reader() as reader:
            assert await folders.inside(reader, world.citizen, str(mine)) == []
    async with world.database.reader() as reader:
        assert await folders.all(reader, other) == []
        assert [one.name for one in await folders.all(reader, world.citizen)] == ["À moi"]


async def test_the_same_file_sent_twice_is_pointed_out_to_who_sees_both(visitors: Visitors) -> None:
    citizen = await visitors.enter("Dominique Fictive")
    await citizen.get("/documents/ajouter")
    heic = {"fichier": ("p.heic", b"\0\0\0\x18ftypheic\0\0\0\0", "image/heic")}
    said = {"titre": "Photo", "categorie": "AUTR_DOC", "date": "2026-02-03", "visible": "soignants"}
    await citizen.press("Ajouter le document", files=heic, **said)
    assert "Les photos HEIC ne sont pas acceptées" in citizen.words
    for title in ("Première", "Seconde"):
        await citizen.get("/documents/ajouter")
        details = {"titre": title, "categorie": "AUTR_DOC", "date": "2026-02-03", "visible": "soignants"}
        await citizen.press("Ajouter le document", files={"fichier": ("n.txt", b"pareil", "text/plain")}, **details)
    assert "Le même fichier est déjà dans le dossier" in citizen.words
    second = citizen.address.rpartition("/")[2]
    await citizen.click("Première")
    first = citizen.address.rpartition("/")[2]
    assert "Seconde" in citizen.words
    reader = await visitors.enter("Charles Muller")
    await reader.get(f"{visitors.record}/documents/{second}")
    assert "Première" in reader.words
    async with visitors.world.database.transaction() as tx:
        await visitors.world.record.mask(tx, visitors.world.citizen, first)
    await reader.get(f"{visitors.record}/documents/{second}")
    assert "Première" not in reader.words
    assert "Le même fichier" not in reader.words
