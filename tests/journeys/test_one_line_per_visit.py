"""A visit leaves one line in the history, and a document is read once by the page that shows it."""

from collections import Counter

from tests.journeys.support.visitors import Visitors


async def _events(visitors: Visitors) -> Counter[str]:
    """The acts on documents that the trace holds, by name."""
    async with visitors.world.database.reader() as reader:
        query = """
            select t.event, count(*)
            from trace t
            where t.patient = %s and t.actor_kind = 'citizen' and t.resource_kind is distinct from 0
              and t.event in ('read', 'content_read', 'search', 'explained')
            group by t.event
        """
        return Counter(dict(await reader.fetch_all(query, (visitors.world.patient,))))


async def test_opening_a_document_reads_it_once(visitors: Visitors) -> None:
    citizen = await visitors.enter("Dominique Fictive")
    before = await _events(visitors)
    await citizen.get(f"/documents/{visitors.document}")
    assert citizen.status == 200
    told = await _events(visitors) - before
    assert told["read"] + told["content_read"] == 1


async def test_the_file_of_a_document_is_read_alone(visitors: Visitors) -> None:
    citizen = await visitors.enter("Dominique Fictive")
    before = await _events(visitors)
    await citizen.get(f"/documents/{visitors.document}/fichier")
    assert citizen.status == 200
    assert await _events(visitors) - before == {"content_read": 1}


async def test_a_page_and_its_frame_are_one_line_of_the_history(visitors: Visitors) -> None:
    citizen = await visitors.enter("Dominique Fictive")
    await citizen.get(f"/documents/{visitors.document}")
    await citizen.get(f"/documents/{visitors.document}/fichier")
    await citizen.get("/historique?qui=moi")
    assert citizen.words.count("Vous avez lu «") == 1


async def test_the_home_looks_at_the_list_once(visitors: Visitors) -> None:
    citizen = await visitors.enter("Dominique Fictive")
    before = await _events(visitors)
    await citizen.get("/accueil")
    assert await _events(visitors) - before == {"search": 1}
