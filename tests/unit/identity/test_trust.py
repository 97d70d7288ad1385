"""The trust given to an identity: the four statuses, the attributes, and every change the RNIV allows."""

from collections.abc import Callable
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambroise.kernel.errors import Refusal
from ambroise.modules.identity.ins import TEST_OID, Ins
from ambroise.modules.identity.registry.trust import Attribute, Status, Trust, check_proof, proofs

INS = Ins("277010115400329", TEST_OID)
OTHER = Ins("255081416802538", TEST_OID)
PROV, RECUP, VALI, QUAL = Status.PROVISIONAL, Status.RECOVERED, Status.VALIDATED, Status.QUALIFIED


def every() -> list[Trust]:
    """Every trust that can be made."""
    found: list[Trust] = []
    for status in Status:
        for ins in (None, INS):
            for size in range(4):
                for attributes in combinations(Attribute, size):
                    try:
                        found.append(Trust(status, ins, frozenset(attributes)))
                    except ValueError:
                        continue
    return found


def test_only_what_the_rules_allow_can_be_made() -> None:
    for trust in every():
        assert (trust.ins is not None) == (trust.status in (RECUP, QUAL))
        if trust.attributes & {Attribute.DOUBTFUL, Attribute.FICTITIOUS}:
            assert trust.status is PROV
            assert not trust.may_be_asked
        assert Attribute.FICTITIOUS not in trust.attributes or trust.attributes == {Attribute.FICTITIOUS}
    # Four statuses with or without homonym, then doubtful, doubtful and homonym, fictitious.
    assert len(every()) == 4 * 2 + 2 + 1


@pytest.mark.parametrize(
    ("before", "act", "after"),
    [
        (Trust(PROV), lambda t: t.recovered(INS), Trust(RECUP, INS)),
        (Trust(VALI), lambda t: t.recovered(INS), Trust(QUAL, INS)),
        (Trust(QUAL, INS), lambda t: t.recovered(OTHER), Trust(QUAL, OTHER)),
        (Trust(PROV), lambda t: t.checked(), Trust(VALI)),
        (Trust(RECUP, INS), lambda t: t.checked(), Trust(QUAL, INS)),
        (Trust(QUAL, INS), lambda t: t.denied(), Trust(VALI)),
        (Trust(RECUP, INS), lambda t: t.denied(), Trust(PROV)),
        (Trust(QUAL, INS), lambda t: t.doubted(), Trust(PROV, None, frozenset({Attribute.DOUBTFUL}))),
        (Trust(QUAL, INS), lambda t: t.reset(), Trust(PROV)),
        (Trust(QUAL, INS), lambda t: t.fictitious(), Trust(PROV, None, frozenset({Attribute.FICTITIOUS}))),
        (Trust(QUAL, INS), lambda t: t.homonym(True), Trust(QUAL, INS, frozenset({Attribute.HOMONYM}))),
        (Trust(PROV).doubted(), lambda t: t.settled(), Trust(PROV)),
    ],
)
def test_the_changes_of_the_rniv(before: Trust, act: Callable[[Trust], Trust], after: Trust) -> None:
    assert act(before) == after


@pytest.mark.parametrize(
    ("before", "act", "code"),
    [
        (Trust(PROV).doubted(), lambda t: t.recovered(INS), "INSI_NOT_ALLOWED"),
        (Trust(PROV).fictitious(), lambda t: t.recovered(INS), "INSI_NOT_ALLOWED"),
        (Trust(PROV).doubted(), lambda t: t.checked(), "IDENTITY_DOUBTFUL"),
        (Trust(VALI), lambda t: t.denied(), "IDENTITY_WITHOUT_INS"),
        (Trust(PROV).fictitious(), lambda t: t.doubted(), "IDENTITY_FICTITIOUS"),
        (Trust(PROV).fictitious(), lambda t: t.homonym(True), "IDENTITY_FICTITIOUS"),
        (Trust(VALI), lambda t: t.settled(), "IDENTITY_NOT_DOUBTFUL"),
    ],
)
def test_what_the_rniv_excludes_is_refused(before: Trust, act: Callable[[Trust], Trust], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        act(before)
    assert refused.value.code == code


ACTS: list[Callable[[Trust], Trust]] = [
    lambda t: t.recovered(INS),
    lambda t: t.recovered(OTHER),
    lambda t: t.checked(),
    lambda t: t.denied(),
    lambda t: t.reset(),
    lambda t: t.doubted(),
    lambda t: t.settled(),
    lambda t: t.fictitious(),
    lambda t: t.homonym(True),
    lambda t: t.homonym(False),
]


@given(st.lists(st.sampled_from(ACTS), max_size=12))
def test_no_story_leads_to_a_qualified_identity_without_insi_and_a_document(
    acts: list[Callable[[Trust], Trust]],
) -> None:
    trust, asked, seen = Trust(PROV), False, False
    for act in acts:
        try:
            after = act(trust)
        except Refusal:
            continue
        asked = after.ins is not None
        seen = (seen and after.status is not PROV) or (after.status in (VALI, QUAL) and trust.status in (PROV, RECUP))
        trust = after
        assert (trust.status is QUAL) == (asked and seen)
        assert (trust.usable_ins is not None) == (trust.status is QUAL)


def test_a_carte_vitale_is_never_proof_and_a_family_record_needs_a_companion() -> None:
    assert {code for code, proof in proofs().items() if proof.alone} == {"CN", "PA", "CE", "CS"}
    check_proof("PA", None)
    check_proof("LE", "CN")
    for code, companion in (("CV", None), ("CV", "CN"), ("LE", None), ("LE", "AN"), ("", None)):
        with pytest.raises(Refusal) as refused:
            check_proof(code, companion)
        assert refused.value.code == "PROOF_INSUFFICIENT"
