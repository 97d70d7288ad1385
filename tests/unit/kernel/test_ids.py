from uuid import RFC_4122

from hypothesis import given
from hypothesis import strategies as st

from ambroise.kernel.ids import SHARDS, hash64, new_id, shard_of

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
