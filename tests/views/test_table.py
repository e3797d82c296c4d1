from __future__ import annotations

import weakref
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import pjais_lab as pj
from pjais_lab.core.predicate_dict import from_dict, to_dict
from pjais_lab.errors import LabError, QueryError, ViewError
from tests.views.conftest import is_let_go

ROWS = pl.DataFrame(
    {
        "id": range(100),
        "who": ["Ada", "Bea", None, "it's"] * 25,
        "x": [i * 37 % 100 / 2 for i in range(100)],
        "at": [datetime(2026, 11, 1, i % 24) for i in range(100)],
    }
)


@pytest.fixture
def table(wire: Any) -> pj.views.Table:
    return pj.views.Table(ROWS, title="Notes")


def test_what_is_shown_is_a_query_and_a_frame(table: pj.views.Table) -> None:
    table.sort(by=[("x", "desc")])
    table.filter(column="who", predicates=[to_dict(pj.OneOf("who", ["Ada"]))])

    expected = ROWS.filter(pl.col("who") == "Ada").sort("x", descending=True)

    assert table.frame.equals(expected)
    assert table.sql == (
        'SELECT * FROM data\nWHERE "who" IN (\'Ada\')\nORDER BY "x" DESC NULLS LAST'
    )
    assert table.rows(start=1, count=2)["id"].to_list() == [str(i) for i in expected["id"][1:3]]


def test_several_bars_of_a_column_are_joined_by_or(table: pj.views.Table) -> None:
    bars = table.summary(column="x")["bars"]

    table.filter(column="x", predicates=[bars[0][3], bars[-1][3]])

    assert table.frame.height == bars[0][1] + bars[-1][1]
    table.filter(column="x", predicates=[])
    assert table.frame.height == 100


def test_a_column_is_summed_up_under_the_filters_of_the_others_only(table: pj.views.Table) -> None:
    table.filter(column="who", predicates=[to_dict(pj.OneOf("who", ["Ada"]))])

    mine, other = table.summary(column="who"), table.summary(column="id")

    assert [(b[0], b[2]) for b in mine["bars"]] == [("Ada", 25), ("Bea", 25), ("it's", 25)]
    assert sum(b[2] for b in other["bars"]) == 25


def test_picked_rows_are_a_predicate_and_a_frame_and_filter_the_other_views(
    table: pj.views.Table,
) -> None:
    other = pj.views.Table(ROWS, selection=table.selection)
    table.sort(by=[("id", "desc")])

    table.pick(places=[0, 2])

    assert table.selected["id"].to_list() == [99, 97]
    assert table.selection[table.picks] == pj.OneOf("id", ["99", "97"])
    assert table.frame.height == 100
    assert other.frame["id"].to_list() == [97, 99]
    table.pick(places=[])
    assert table.selected.height == 100


def test_rows_without_an_id_are_picked_by_all_that_is_shown_of_them(wire: Any) -> None:
    table = pj.views.Table(ROWS.drop("id").with_columns(long=pl.lit("x" * 600)))

    table.pick(places=[2])

    assert table.selected["x"].to_list() == [ROWS["x"][2]]


def test_the_python_of_a_table_makes_the_same_table(table: pj.views.Table) -> None:
    table.sort(by=[("x", "desc"), ("id", "asc")])
    for name in ("x", "at"):
        bars = table.summary(column=name)["bars"]
        table.filter(column=name, predicates=[bar[3] for bar in bars[:20]])
    table.search(text="it's")
    table.pick(places=[0])

    names = {"pj": pj, "data": ROWS, "datetime": __import__("datetime")}
    again = eval(table.python, names)

    assert (again.sql, again.python) == (table.sql, table.python)
    assert again.frame.equals(table.frame)
    assert 0 < table.frame.height < 25


def test_predicates_of_columns_that_are_elsewhere_filter_nothing_here(wire: Any) -> None:
    brush = pj.Selection({"mood": pj.OneOf("mood", ["joy"]), "who": pj.OneOf("who", ["Ada"])})

    assert pj.views.Table(ROWS, selection=brush).frame.height == 25


def test_a_table_moves_with_its_live_query_and_leaves_it_open(lab: pj.Lab, wire: Any) -> None:
    live = lab.live("SELECT name FROM personas ORDER BY name")
    table = pj.views.Table(live)
    assert table.frame.height == 0

    lab.personas.create("Ada")

    assert table.frame["name"].to_list() == ["Ada"]
    assert table.sql == "SELECT * FROM (SELECT name FROM personas ORDER BY name)"
    table.close()
    table.close()
    lab.personas.create("Bea")
    assert live.frame.height == 2


def test_a_parquet_path_is_named_in_the_query(wire: Any, tmp_path: Path) -> None:
    path = tmp_path / "it's.parquet"
    ROWS.write_parquet(path)

    table = pj.views.Table(path)

    assert table.rows(start=98, count=9)["id"].to_list() == ["98", "99"]
    assert table.sql == f"SELECT * FROM '{str(path).replace(chr(39), chr(39) * 2)}'"
    assert repr(table) == 'Table("it\'s.parquet")'


@pytest.mark.parametrize(
    ("ask", "kind", "sentence"),
    [
        (lambda t: t.sort(by=[("y", "asc")]), QueryError, "no column 'y'"),
        (lambda t: t.summary(column="y"), QueryError, "no column 'y'"),
        (
            lambda t: t.filter(column="x", predicates=[{"kind": "sql"}]),
            QueryError,
            "no predicate of kind",
        ),
        (lambda t: t.pick(places=[500]), ViewError, "There is no row 501 any more"),
        (lambda t: t.pick(places=[0] * 2_000), ViewError, "at most 1,000"),
        (lambda t: pj.views.Table(7), QueryError, "nothing with rows and columns"),
        (lambda t: pj.views.Table(ROWS, sort=[("y", "asc")]), QueryError, "no column 'y'"),
    ],
)
def test_a_wrong_request_is_answered_with_a_sentence(
    table: pj.views.Table, ask: Callable[[Any], Any], kind: type[LabError], sentence: str
) -> None:
    with pytest.raises(kind) as refused:
        ask(table)

    assert sentence in str(refused.value)
    assert table.frame.height == 100


def test_a_misspelt_keyword_is_named(wire: Any) -> None:
    with pytest.raises(TypeError, match="Did you mean 'selection'"):
        pj.views.Table(ROWS, selction=pj.Selection())  # type: ignore[call-arg]


def test_the_static_table_is_inert_and_bounded(wire: Any) -> None:
    hostile = "<script>alert(1)</script>\u202e"
    rows = pl.DataFrame({hostile: [hostile * 500] * 1_000, "b": range(1_000)})

    static = pj.views.Table(rows, title=hostile).static()

    assert "<script" not in static
    assert "\u202e" not in static
    assert len(static) < 30_000


def test_a_selection_does_not_keep_a_table_alive(wire: Any) -> None:
    brush = pj.Selection()
    table = pj.views.Table(ROWS, selection=brush)
    table.close()
    gone = weakref.ref(table)

    del table

    assert is_let_go(gone)


def test_bins_beside_each_other_are_one_interval_and_values_one_list(
    table: pj.views.Table,
) -> None:
    x, who = table.summary(column="x")["bars"], table.summary(column="who")["bars"]

    table.filter(column="x", predicates=[bar[3] for bar in x[2:5]])
    table.filter(column="who", predicates=[bar[3] for bar in who[:2]])

    ends = from_dict(x[2][3]), from_dict(x[4][3])
    assert isinstance(ends[0], pj.Interval)
    assert isinstance(ends[1], pj.Interval)
    assert table.selection["x"] == pj.Interval("x", ends[0].low, ends[1].high, "left")
    assert table.selection["who"] == pj.OneOf("who", [who[0][0], who[1][0]])


def test_many_rows_are_summed_up_with_the_state_while_one_brushes(
    wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pjais_lab.storage._cubes.MANY_ROWS", 50)
    table = pj.views.Table(ROWS)
    assert table._state()["summaries"] is None
    slow = {name: table.summary(column=name) for name in ROWS.columns}
    table._relation.prepare(wait=True)

    table.filter(column="x", predicates=[bar[3] for bar in slow["x"]["bars"][:4]])
    quick = table._state()["summaries"]

    assert {name: found["by"] for name, found in quick.items()} == dict.fromkeys(
        ROWS.columns, "cube"
    )
    assert quick["x"] == slow["x"] | {"by": "cube"}
    assert sum(bar[2] for bar in quick["id"]["bars"]) == table.frame.height < 100
    table.search(text="ada")
    assert table._state()["summaries"] is None


def test_a_live_query_that_fails_from_the_start_is_shown_as_soon_as_it_answers(
    wire: Any, lab: pj.Lab
) -> None:
    ada = lab.personas.create("Ada")
    boom = lab.memories.record(ada, "boom")
    live = lab.live("SELECT content, CAST(content AS INT) AS n FROM memories")

    table = pj.views.Table(live)
    before = table._state()
    lab.memories.forget(boom)
    lab.memories.record(ada, "7")
    live.wait()
    after = table._state()

    assert before["rows"] == 0
    assert "Could not convert" in str(wire.of(table, "comm_open")[0].data)
    assert (after["rows"], table.error) == (1, None)
    assert table.frame.rows() == [("7", 7)]
