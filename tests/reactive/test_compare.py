from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjais_lab.reactive._compare import is_same_frame, is_same_value

NAN = float("nan")
ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(0, 3)),
        st.one_of(st.none(), st.floats()),
        st.one_of(st.none(), st.lists(st.integers(0, 2), max_size=2)),
    ),
    max_size=8,
)
SCHEMA: dict[str, Any] = {"a": pl.Int64, "b": pl.Float64, "c": pl.List(pl.Int64)}


def frame(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@given(ROWS, st.randoms(use_true_random=False))
def test_rows_in_any_order_are_the_same_set_and_another_list(
    rows: list[tuple[Any, ...]], random: Any
) -> None:
    shuffled = random.sample(rows, len(rows))

    assert is_same_frame(frame(rows), frame(shuffled), has_order=False)
    assert is_same_frame(frame(rows), frame(shuffled), has_order=True) == frame(rows).equals(
        frame(shuffled)
    )


@given(ROWS, ROWS)
def test_frames_of_other_rows_differ(
    one: list[tuple[Any, ...]], other: list[tuple[Any, ...]]
) -> None:
    def key(rows: list[tuple[Any, ...]]) -> list[str]:
        return sorted(repr(tuple(0.0 if v == 0 else v for v in row)) for row in rows)

    assert is_same_frame(frame(one), frame(other), has_order=False) == (key(one) == key(other))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (pl.DataFrame({"a": [1]}), pl.DataFrame({"b": [1]})),
        (pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [1.0]})),
        (pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [1, 1]})),
        (pl.DataFrame({"a": [1], "b": [1]}), pl.DataFrame({"b": [1], "a": [1]})),
        (pl.DataFrame(schema={"a": pl.Int64}), pl.DataFrame(schema={"a": pl.String})),
    ],
)
def test_another_schema_is_another_frame(a: pl.DataFrame, b: pl.DataFrame) -> None:
    assert not is_same_frame(a, b, has_order=False)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (NAN, NAN, True),
        ([1, NAN], [1, NAN], True),
        ({"a": NAN}, {"a": NAN}, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),
        (1, 1.0, False),
        (1, True, False),
        ("a", "b", False),
        (None, None, True),
        ([1], [1, 2], False),
        (pl.DataFrame({"a": [NAN]}), pl.DataFrame({"a": [NAN]}), True),
        (pl.DataFrame({"a": [1, 2]}), pl.DataFrame({"a": [2, 1]}), False),
    ],
)
def test_values_are_the_same_when_nobody_could_tell_them_apart(
    a: Any, b: Any, *, same: bool
) -> None:
    assert is_same_value(a, b) is same
