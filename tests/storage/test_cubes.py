from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import polars as pl
import pytest

from pjais_lab.core.predicate import AnyOf, Contains, Interval, IsNull, OneOf, Predicate
from pjais_lab.errors import ClosedError, QueryError
from pjais_lab.storage import _cubes, cube
from pjais_lab.storage.relation import Relation, Summary

ROWS = 30_000


@pytest.fixture
def some(monkeypatch: pytest.MonkeyPatch) -> pl.DataFrame:
    """Rows, and the word that so few are many already."""
    monkeypatch.setattr(_cubes, "MANY_ROWS", 1_000)
    pick = random.Random(4)
    return pl.DataFrame(
        {
            "x": [None if i % 9 == 0 else pick.expovariate(0.1) for i in range(ROWS)],
            "g": [pick.choice(["a", "b", "it's", None]) for _ in range(ROWS)],
            "at": [
                datetime(2026, 1, 1) + timedelta(minutes=pick.randrange(90_000))
                for _ in range(ROWS)
            ],
            "id": range(ROWS),
        }
    )


def brushes(relation: Relation) -> list[Predicate]:
    bins = relation.summary("x").bins
    run = Interval("x", bins[1].low, bins[4].high, "left")
    return [run, AnyOf([bins[0].within("x"), bins[3].within("x")]), run & OneOf("g", ["a", None])]


def test_brushes_on_bins_are_counted_by_cubes_and_equal_the_rows(some: pl.DataFrame) -> None:
    plain, ready = Relation(some), Relation(some)
    ready.prepare(wait=True)

    for where in brushes(plain):
        for name in some.columns:
            slow, quick = plain.summary(name, where=where), ready.summary(name, where=where)
            assert (slow.by, quick.by) == ("rows", "cube")
            assert quick == by_cube(slow)
            assert (plain.counted(name, where=where), ready.counted(name, where=where)) == (
                None,
                quick,
            )
        assert ready.count(where) == plain.count(where)


def by_cube(summary: Summary) -> Summary:
    return msgspec.structs.replace(summary, by="cube")


@pytest.mark.parametrize(
    "where", [Interval("x", 1.2345, 3.3), Contains("a", ["g", "id"]), OneOf("id", [3, 4, 5])]
)
def test_what_a_cube_cannot_tell_the_rows_tell(some: pl.DataFrame, where: Predicate) -> None:
    plain, ready = Relation(some), Relation(some)
    ready.prepare(wait=True)

    for name in some.columns:
        found = ready.summary(name, where=where)
        assert found.by == "rows"
        assert found == plain.summary(name, where=where)


def test_a_value_that_does_not_fit_its_column_is_refused_all_the_same(some: pl.DataFrame) -> None:
    relation = Relation(some)
    relation.prepare(wait=True)

    with pytest.raises(QueryError, match="no value of the column 'x'"):
        relation.summary("g", where=OneOf("x", ["much"]))
    with pytest.raises(QueryError, match="no column 'y'"):
        relation.count(IsNull("y"))


def test_a_cube_keeps_to_its_bound_and_every_pair_of_columns_is_in_one(
    some: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_cubes, "MOST_CELLS", 2_000)
    relation = Relation(some)
    relation.prepare(wait=True)

    kept = relation._now().cubes._ready
    pairs = {frozenset([a, b]) for c in kept for a in c.dims for b in c.dims}

    assert all(c.cells <= 2_000 for c in kept)
    assert max(len(c.dims) for c in kept) < 4
    assert len(pairs) == 4 + 6
    for name in ("g", "at", "id"):
        assert relation.summary(name, where=brushes(relation)[0]).by == "cube"


def test_few_rows_need_no_cube_and_other_rows_need_another(some: pl.DataFrame) -> None:
    relation = Relation(some.head(10))
    relation.prepare(wait=True)
    assert relation.summary("g").by == "rows"

    relation.replace(some)
    assert relation.summary("g").by == "rows"
    relation.prepare(wait=True)

    assert relation.summary("g").by == "cube"
    relation.close()
    with pytest.raises(ClosedError):
        relation.prepare()


def test_no_rows_at_all_are_counted_too(
    some: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_cubes, "MANY_ROWS", 0)
    relation = Relation(some.head(0))
    relation.prepare(wait=True)

    for name in some.columns:
        found = relation.summary(name, where=OneOf("g", ["a"]) & ~IsNull("x"))
        assert (found.rows, found.nulls, found.others) == (0, 0, 0)
        assert found == msgspec.structs.replace(Relation(some.head(0)).summary(name), by=found.by)


def test_many_brushes_after_each_other_leave_little_behind(
    some: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cube, "_TOLD", 3)
    relation = Relation(some)
    relation.prepare(wait=True)
    bins = relation.summary("x").bins

    for last in bins:
        where = Interval("x", bins[0].low, last.high, "left")
        relation.summary("g", where=where)

    assert all(len(c._told) <= 3 for c in relation._now().cubes._ready)


def test_counting_can_be_stopped_and_begun_again(some: pl.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pl.concat([some] * 60).write_parquet(path)
    relation = Relation(path)

    relation.prepare()
    relation.interrupt()
    relation.prepare(wait=True)

    assert relation.summary("g", where=brushes(relation)[0]).by == "cube"


def test_decimals_that_no_double_holds_are_counted_apart() -> None:
    values = [
        Decimal(f"-9999999999999999999999999999.{end}") for end in ("9999999999", "9999999998")
    ]
    rows = pl.DataFrame({"x": values * 2 + values[1:]}, schema={"x": pl.Decimal(38, 10)})

    assert [b.count for b in Relation(rows).summary("x").bins if b.count] == [2, 3]


def test_the_bound_is_what_the_documentation_says() -> None:
    assert cube.MOST_CELLS == _cubes.MOST_CELLS
