from uuid import RFC_4122

from hypothesis import given
from hypothesis import strategies as st

from ambroise.kernel.ids import SHARDS, hash64, new_id, random_id, shard_of

shards = st.integers(0, SHARDS - 1)


@given(shards)
def test_an_id_carries_its_shard(shard: int) -> None:
    assert shard_of(new_id(shard)) == shard


@given(shards | st.none())
def test_an_id_is_a_version_7_uuid(shard: int | None) -> None:
    made = new_id(shard)
    assert made.version == 7
    assert made.variant == RFC_4122


def test_ids_without_a_shard_spread_over_the_shards() -> None:
    assert len({shard_of(new_id()) for _ in range(3000)}) > SHARDS // 2


@given(shards)
def test_two_ids_differ_even_within_a_millisecond(shard: int) -> None:
    made = [new_id(shard) for _ in range(500)]
    assert len(set(made)) == len(made)


def test_ids_sort_by_time() -> None:
    milliseconds = [new_id().int >> 80 for _ in range(1000)]
    assert milliseconds == sorted(milliseconds)


@given(st.text())
def test_a_term_hash_fits_a_signed_bigint(text: str) -> None:
    assert -(2**63) <= hash64(text) < 2**63


def test_a_term_hash_never_changes() -> None:
    # Such values are in databases.
    assert hash64("") == -1970711489451281740


def test_a_random_id_is_a_version_4_whose_other_bits_vary() -> None:
    made = [random_id() for _ in range(2000)]
    assert {(one.version, one.variant) for one in made} == {(4, RFC_4122)}
    assert len(set(made)) == len(made)
    fixed = 0b1111 << 76 | 0b11 << 62
    ever, always = 0, (1 << 128) - 1
    for one in made:
        ever |= one.int
        always &= one.int
    assert ever | fixed == (1 << 128) - 1
    assert always & ~fixed == 0
