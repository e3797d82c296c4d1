from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pjais_lab.core.predicate import Contains, Interval, IsNull, OneOf, Predicate
from pjais_lab.errors import ClosedError, QueryError, StorageError
from pjais_lab.storage._scans import engine
from pjais_lab.storage.relation import Relation, Sort

NAN = float("nan")
N = 5_000
ROWS = pl.DataFrame(
    {
        "n": range(N),
        "group": [("a", "b", None, "c")[i * 7 % 4] for i in range(N)],
        "x": [
            NAN if i % 11 == 0 else None if i % 13 == 0 else (i * 7919 % 997) / 10 for i in range(N)
        ],
        "at": [datetime(2026, 1, 1) + timedelta(minutes=i * 37 % 5000) for i in range(N)],
    }
)
SORTS: list[Sort] = [
    [],
    [("x", "asc")],
    [("x", "desc")],
    [("group", "desc"), ("x", "asc")],
    [("at", "desc"), ("group", "asc")],
]
WHERES: list[Predicate | None] = [
    None,
    Interval("x", 20.0, 50.0),
    ~OneOf("group", ["a", None]),
    Contains("a", ["group"]) | IsNull("x"),
    OneOf("n", []),
]


def in_memory(_folder: Path) -> Relation:
    return Relation(ROWS)


def in_files(folder: Path) -> Relation:
    for n, size in enumerate((1, 2_000, 0, 2_999)):
        start = (0, 1, 2_001, 2_001)[n]
        ROWS[start : start + size].write_parquet(folder / f"{n} [x] 'y'.parquet")
    return Relation(folder)


@pytest.fixture(scope="module", params=[in_memory, in_files])
def relation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Relation:
    made: Relation = request.param(tmp_path_factory.mktemp("files"))
    return made


def expected(sort: Sort, where: Predicate | None) -> list[int]:
    """The row numbers that polars gives."""
    x, group, n = pl.col("x"), pl.col("group"), pl.col("n")
    conditions = {
        id(WHERES[0]): pl.lit(value=True),
        id(WHERES[1]): x.is_between(20, 50) & x.is_not_nan(),
        id(WHERES[2]): (group != "a").fill_null(value=False),
        id(WHERES[3]): (group == "a").fill_null(value=False) | x.is_null(),
        id(WHERES[4]): pl.lit(value=False),
    }
    kept = ROWS.filter(conditions[id(where)])
    keys, down = [k for k, _ in sort], [d == "desc" for _, d in sort]
    ordered = kept.sort(*keys, n, descending=[*down, False], nulls_last=True)
    return ordered["n"].to_list()


def numbers(page: pl.DataFrame) -> list[int]:
    return [int(v) for v in page["n"]]


@pytest.mark.parametrize("sort", SORTS, ids=str)
@pytest.mark.parametrize("where", WHERES, ids=["all", "interval", "others", "search", "none"])
def test_pages_cut_one_total_order_into_pieces(
    relation: Relation, sort: Sort, where: Predicate | None
) -> None:
    rows = expected(sort, where)

    for offset, limit in [
        (0, 50),
        (990, 40),
        (1500, 7),
        (len(rows) - 3, 10),
        (N + 9, 5),
        (0, 5_000),
    ]:
        page = relation.page(offset, limit, sort=sort, where=where)
        assert numbers(page) == rows[max(0, offset) : max(0, offset) + limit]
    assert relation.count(where) == len(rows)
    assert relation.frame(where, sort=sort)["n"].to_list() == rows


@settings(max_examples=30)
@given(
    offset=st.integers(0, N + 100),
    limit=st.integers(0, 300),
    sort=st.sampled_from(SORTS),
    where=st.sampled_from(range(len(WHERES))),
)
def test_any_page_is_that_piece_of_the_whole(
    offset: int, limit: int, sort: Sort, where: int
) -> None:
    page = MEMORY.page(offset, limit, sort=sort, where=WHERES[where])

    assert numbers(page) == expected(sort, WHERES[where])[offset : offset + limit]


MEMORY = Relation(ROWS)


def test_a_page_holds_what_a_browser_can_show(relation: Relation) -> None:
    page = relation.page(10, 4)

    assert page.schema == {"n": pl.String, "group": pl.String, "x": pl.Float64, "at": pl.String}
    assert page["at"][0] == "2026-01-01 06:10:00"


def test_a_frame_has_the_types_of_the_data(relation: Relation) -> None:
    assert relation.frame(limit=3).equals(ROWS[:3], null_equal=True)


def test_the_query_for_people_finds_the_same_rows(relation: Relation) -> None:
    con, where = engine(), Interval("x", 20.0) & OneOf("group", ["a", None])
    con.register("data", ROWS)

    found = con.execute(relation_sql(relation, where)).fetchall()

    assert [row[0] for row in found] == relation.frame(where, sort=[("at", "desc")])["n"].to_list()


def relation_sql(relation: Relation, where: Predicate) -> str:
    sql = relation.sql(where, sort=[("at", "desc")])
    assert sql.startswith("SELECT * FROM data\nWHERE ")
    return sql


def test_text_is_looked_for_in_every_column(relation: Relation) -> None:
    assert numbers(relation.page(0, 9, where=relation.search("4321"))) == [4321]


def test_long_text_is_cut_and_says_so() -> None:
    page = Relation(pl.DataFrame({"t": ["é" * 10_000, "short"]})).page(0, 2)

    assert page["t"].to_list() == ["é" * 500 + "…", "short"]


def test_columns_of_the_same_or_no_name_are_told_apart() -> None:
    table = pa.table([[1], [2], [3], [4]], names=["a", "a", "A", ""])

    relation = Relation(table)

    assert [c.name for c in relation.columns] == ["a", "a_1", "A", "column"]
    assert relation.page(0, 1).row(0) == ("1", "2", "3", "4")
    assert relation.count(OneOf("A", [3])) == 1


@pytest.mark.parametrize(
    "name", ["rowid", "row_id", "c1", 'x"; DROP TABLE t', "SELECT", "file_index"]
)
def test_any_name_of_a_column_will_do(name: str, tmp_path: Path) -> None:
    rows = pl.DataFrame({name: [3, 1, 2], "other": ["c", "a", "b"]})
    rows.write_parquet(tmp_path / "rows.parquet")

    for relation in (Relation(rows), Relation(tmp_path / "rows.parquet")):
        page = relation.page(1, 2, sort=[(name, "desc")], where=Interval(name, 1))
        assert page[name].to_list() == ["2", "1"]
        assert relation.summary(name).bins[0].count == 1
        assert relation.frame().equals(rows)


def test_what_duckdb_cannot_hold_becomes_text() -> None:
    odd = pl.DataFrame(
        {
            "object": pl.Series([{1}, None], dtype=pl.Object),
            "wide": pl.Series([2**100, 2**126], dtype=pl.Int128),
            "span": [timedelta(days=1), None],
            "nothing": [None, None],
        }
    )

    page = Relation(odd).page(0, 2, sort=[("span", "asc")])

    assert page.rows() == [("{1}", str(2**100), "24:00:00", None), (None, str(2**126), None, None)]


def test_a_lazy_frame_a_series_an_arrow_batch_and_a_path_as_text_will_do(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    ROWS.write_parquet(path)
    given_as: list[Any] = [ROWS.lazy(), ROWS["n"], ROWS.to_arrow().to_batches()[0], str(path)]

    assert [Relation(data).rows for data in given_as] == [N, N, N, N]
    assert Relation(str(tmp_path / "*.parquet")).rows == N


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (7, "int is nothing with rows and columns"),
        ([1, 2], "list is nothing with rows and columns"),
        (pl.DataFrame(), "has no columns"),
        ("/nowhere/*.parquet", "There is no Parquet file at '/nowhere/*.parquet'"),
    ],
)
def test_what_has_no_rows_is_refused_in_a_sentence(data: Any, sentence: str) -> None:
    with pytest.raises(QueryError) as refused:
        Relation(data)

    assert sentence in str(refused.value)


def test_a_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("hello")

    with pytest.raises(StorageError, match=r"a\.parquet"):
        Relation(tmp_path)


def test_a_file_that_went_away_is_an_error_of_ours(tmp_path: Path) -> None:
    ROWS.write_parquet(tmp_path / "a.parquet")
    relation = Relation(tmp_path)

    (tmp_path / "a.parquet").unlink()

    with pytest.raises(StorageError):
        relation.page(0, 10, sort=[("x", "asc")])


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda r: r.page(0, 1, sort=[("grop", "asc")]), "no column 'grop'. Did you mean 'group'?"),
        (lambda r: r.page(0, 1, sort=[("x", "up")]), "nothing to sort by"),
        (lambda r: r.page(0, 1, sort=["x"]), "nothing to sort by"),
        (lambda r: r.page(0, 1, where=IsNull("nope")), "no column 'nope'"),
        (lambda r: r.summary("nope"), "no column 'nope'"),
        (lambda r: r.count(OneOf("n", ["many"])), "'many' is no value of the column 'n'"),
        (lambda r: r.sql(IsNull("nope")), "no column 'nope'"),
    ],
)
def test_a_wrong_question_is_answered_with_a_sentence(
    relation: Relation, ask: Callable[[Any], Any], sentence: str
) -> None:
    with pytest.raises(QueryError) as refused:
        ask(relation)

    assert sentence in str(refused.value)


def test_other_rows_take_the_place_of_the_first() -> None:
    relation = Relation(pl.DataFrame({"n": [1, 2, 3]}))
    relation.page(2_000, 1, sort=[("n", "desc")])
    before = relation.summary("n")

    relation.replace(pl.DataFrame({"n": [5, 4], "new": ["x", None]}))

    assert relation.page(0, 9, sort=[("n", "asc")])["n"].to_list() == ["4", "5"]
    assert [c.name for c in relation.columns] == ["n", "new"]
    assert relation.summary("n").bins != before.bins


def test_pages_are_right_while_rows_are_replaced_from_another_thread() -> None:
    relation = Relation(pl.DataFrame({"n": [0] * 2_000}))
    done = threading.Event()

    def replace() -> None:
        for k in range(1, 40):
            relation.replace(pl.DataFrame({"n": [k] * 2_000}))
        done.set()

    thread = threading.Thread(target=replace)
    thread.start()
    seen: list[set[int]] = []
    while not done.is_set():
        seen.append(set(numbers(relation.page(1_500, 400, sort=[("n", "desc")]))))
    thread.join()

    assert {len(found) for found in seen} == {1}, "a page mixed two states"


def test_nothing_stays_behind_when_a_relation_is_gone() -> None:
    gc.collect()
    before = tables()
    relation = Relation(ROWS)
    relation.page(2_000, 1, sort=[("x", "desc")])
    assert tables() > before

    del relation

    assert tables() == before


def tables() -> int:
    row = engine().execute("SELECT count(*) FROM duckdb_tables()").fetchone()
    assert row is not None
    return int(row[0])


def test_only_the_last_few_orders_are_kept() -> None:
    relation = Relation(ROWS)
    before = tables()

    for n in range(20):
        relation.page(2_000, 1, where=Interval("n", n))

    assert tables() - before <= 4


def test_a_closed_relation_says_so() -> None:
    relation = Relation(ROWS)
    relation.close()
    relation.close()

    for ask in (lambda: relation.page(0, 1), lambda: relation.rows, lambda: relation.replace(ROWS)):
        with pytest.raises(ClosedError, match="closed"):
            ask()
    assert repr(relation) == "Relation(closed)"


SLOW = Contains("€", ["t"])


@pytest.fixture(scope="module")
def slow() -> Relation:
    """Searching it takes seconds unless it is stopped."""
    return Relation(
        pl.DataFrame({"t": ["x" * 2_000]}).select(pl.col("t").repeat_by(150_000).explode())
    )


def stopped(relation: Relation, stop: Callable[[], Any]) -> Exception:
    """What a slow question gives when somebody stops it."""
    got: list[Exception] = []

    def ask() -> None:
        with pytest.raises(QueryError) as refused:
            relation.count(SLOW, channel="a")
        got.append(refused.value)

    thread = threading.Thread(target=ask)
    thread.start()
    while not relation._running:
        pass
    stop()
    thread.join()
    return got[0]


def test_everything_that_runs_can_be_stopped(slow: Relation) -> None:
    assert "was stopped before it was answered" in str(stopped(slow, slow.interrupt))


def test_a_newer_question_on_a_channel_stops_the_older_one(slow: Relation) -> None:
    error = stopped(slow, lambda: slow.count(IsNull("t"), channel="a"))

    assert "was stopped before it was answered" in str(error)
    assert slow.count(IsNull("t"), channel="b") == 0
