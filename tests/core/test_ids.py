from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjais_lab.core.ids import IdClock, clock_of, is_id, mint, natural_id, replica_of, timestamp_ms

REPLICA = st.integers(0, (1 << 44) - 1).map(lambda n: f"{n:011x}")
TIMES = st.lists(st.integers(0, (1 << 48) - 2), min_size=1, max_size=8)


@given(REPLICA, TIMES)
def test_ids_increase_whatever_the_wall_clock_does(replica: str, times: list[int]) -> None:
    clock, ids = IdClock(0, 0, replica), []
    for now in times:
        clock, made = mint(clock, now, 3)
        ids += made

    assert ids == sorted(set(ids))
    assert all(uuid.UUID(i).version == 7 and str(uuid.UUID(i)) == i for i in ids)
    assert {replica_of(i) for i in ids} == {replica}


@given(REPLICA, TIMES)
def test_a_clock_goes_on_from_the_last_id(replica: str, times: list[int]) -> None:
    clock = IdClock(0, 0, replica)
    for now in times:
        clock, ids = mint(clock, now, 2)

        assert clock_of(ids[-1], replica) == clock
        assert timestamp_ms(ids[0]) >= now


def test_a_full_counter_borrows_the_next_millisecond() -> None:
    clock, (made,) = mint(IdClock(5, (1 << 30) - 1, "0" * 11), 5)

    assert (clock.last_ms, clock.counter) == (6, 0)
    assert timestamp_ms(made) == 6


@given(st.uuids())
def test_every_uuid_in_its_canonical_form_is_an_id(value: uuid.UUID) -> None:
    assert is_id(str(value))
    assert not is_id(value)
    assert not is_id(value.hex)
    assert not is_id(f"{value}\n")
    assert is_id(str(value).upper()) is (str(value).upper() == str(value))


@pytest.mark.parametrize("odd", [None, 7, b"", "", "Ada", "018bcfe5-6800-7000-8000-00000000000g"])
def test_nothing_else_is_an_id(odd: Any) -> None:
    assert not is_id(odd)


@given(st.lists(st.text(st.characters(exclude_characters="\x1f", exclude_categories=["Cs"]))))
def test_a_natural_key_has_one_id(parts: list[str]) -> None:
    made = natural_id(*parts)

    assert natural_id(*parts) == made
    assert uuid.UUID(made).version == 5
    assert natural_id(*parts, "more") != made
