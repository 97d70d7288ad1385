"""The desk changes the trust of an identity: the registry, its history, the Patient and the trace say the same."""

from datetime import date

import pytest
from msgspec.structs import replace

from ambroise.fhir.json import decode
from ambroise.kernel.errors import Refusal
from ambroise.modules.identity.api import Attribute, Change, Ins, Status, identity_of, identity_under, trust_lines
from tests.integration.identity.conftest import PAT_TROIS, TEST_OID, Registry

INS = Ins(PAT_TROIS, TEST_OID)


async def state_of(registry: Registry) -> tuple[str, str | None, set[str]]:
    async with registry.database.reader() as reader:
        known = await identity_of(reader, registry.patient)
    assert known is not None
    return known.status.value, known.ins.matricule if known.ins else None, {one.value for one in known.attributes}


async def patient_of(registry: Registry) -> dict:
    async with registry.database.reader() as reader:
        return decode((await registry.gateway.read(reader, registry.system, "Patient", str(registry.patient))).body)


async def test_a_doubt_takes_the_ins_away_and_the_two_legs_bring_it_back(registry: Registry) -> None:
    desk, ctx, patient = registry.desk, registry.operator, registry.patient
    async with registry.database.transaction() as tx:
        await desk.doubted(tx, ctx, patient, "Deux personnes se présentent sous ces traits.")
    assert await state_of(registry) == ("PROV", None, {"douteuse"})
    async with registry.database.reader() as reader:
        assert await identity_under(reader, INS) is None
    said = await patient_of(registry)
    assert all(TEST_OID not in one["system"] for one in said.get("identifier", []))
    reliability = next(one for one in said["extension"] if one["url"].endswith("fr-core-identity-reliability"))
    parts = {one["url"]: one for one in reliability["extension"]}
    assert parts["identityStatus"]["valueCoding"]["code"] == "PROV"
    assert parts["comment"]["valueCodeableConcept"]["coding"][0]["code"] == "DOUT"

    async with registry.database.transaction() as tx:
        with pytest.raises(Refusal) as refused:
            await desk.recovered(tx, ctx, patient, INS)
    assert refused.value.code == "INSI_NOT_ALLOWED"
    async with registry.database.transaction() as tx:
        await desk.settled(tx, ctx, patient, "Pièces comparées.")
        await desk.recovered(tx, ctx, patient, INS)
    assert await state_of(registry) == ("RECUP", PAT_TROIS, set())
    async with registry.database.transaction() as tx:
        await desk.checked(tx, ctx, patient, "CN")
    assert await state_of(registry) == ("QUAL", PAT_TROIS, set())
    assert (await patient_of(registry))["identifier"][0]["value"] == PAT_TROIS

    async with registry.database.reader() as reader:
        lines = await trust_lines(reader, patient)
    assert [line.change for line in lines] == [
        Change.DOCUMENT_CHECKED,
        Change.INS_RECOVERED,
        Change.DOUBT_LIFTED,
        Change.DOUBTED,
    ]
    assert (lines[0].proof, lines[0].status, lines[0].by) == ("CN", Status.QUALIFIED, "Guichet des identités")


async def test_who_reads_an_identity_and_changes_it_reads_the_change(registry: Registry) -> None:
    async with registry.database.transaction() as tx:
        before = await identity_under(tx, INS)
        await registry.desk.homonym(tx, registry.operator, registry.patient, marked=True)
        marked = await identity_under(tx, INS)
        await registry.desk.doubted(tx, registry.operator, registry.patient, "Deux personnes.")
        assert await identity_under(tx, INS) is None
    assert before is not None
    assert marked is not None
    assert (before.attributes, marked.attributes) == (frozenset(), {Attribute.HOMONYM})


async def test_an_ins_denied_by_insi_is_free_for_its_holder(registry: Registry) -> None:
    async with registry.database.transaction() as tx:
        await registry.desk.denied(tx, registry.operator, registry.patient)
    assert await state_of(registry) == ("VALI", None, set())
    holder = await registry.open(PAT_TROIS, name=[{"use": "official", "family": "AUTRE", "given": ["ZOE"]}])
    async with registry.database.transaction() as tx:
        with pytest.raises(Refusal) as refused:
            await registry.desk.recovered(tx, registry.operator, registry.patient, INS)
    assert refused.value.code == "INS_KNOWN"
    assert holder != registry.patient


async def test_a_corrected_trait_makes_the_identity_provisional_and_the_patient_follows(registry: Registry) -> None:
    async with registry.database.reader() as reader:
        known = await identity_of(reader, registry.patient)
    assert known is not None
    traits = replace(known.traits, birth_name="PAT-QUATRE", birth_date=date(1979, 3, 29), given_names="DOMINIQUE ANNE")
    async with registry.database.transaction() as tx:
        await registry.desk.corrected(tx, registry.operator, registry.patient, traits, "Acte de naissance.")
    assert (await state_of(registry))[:2] == ("PROV", None)
    said = await patient_of(registry)
    assert (said["name"][0]["family"], said["birthDate"]) == ("PAT-QUATRE", "1979-03-29")


async def test_an_homonym_is_marked_at_any_status(registry: Registry) -> None:
    async with registry.database.transaction() as tx:
        await registry.desk.homonym(tx, registry.operator, registry.patient, marked=True)
    assert await state_of(registry) == ("QUAL", PAT_TROIS, {Attribute.HOMONYM.value})
    async with registry.database.transaction() as tx:
        with pytest.raises(Refusal) as refused:
            await registry.desk.homonym(tx, registry.operator, registry.patient, marked=True)
    assert refused.value.code == "TRUST_UNCHANGED"


async def test_only_who_answers_for_identities_changes_them(registry: Registry) -> None:
    for ctx in (registry.doctor, registry.context(replace(registry.operator.actor, duties=frozenset({"support"})))):
        async with registry.database.transaction() as tx:
            with pytest.raises(Refusal) as refused:
                await registry.desk.doubted(tx, ctx, registry.patient, "")
        assert refused.value.code == "DUTY_REQUIRED"


async def test_the_history_cannot_be_rewritten(registry: Registry) -> None:
    async with registry.database.transaction() as tx:
        await registry.desk.homonym(tx, registry.operator, registry.patient, marked=True)
    with pytest.raises(Exception, match="permission denied"):
        async with registry.database.transaction() as tx:
            await tx.execute("update identity_trust set by = 'personne'")
