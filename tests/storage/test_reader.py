from __future__ import annotations

import threading
from collections.abc import Iterator

import duckdb
import pytest

from pjais_lab.errors import QueryError
from pjais_lab.storage.duck import connect
from pjais_lab.storage.reader import fetch, open_reader


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    con = connect(threads=1)
    con.execute("CREATE TABLE t AS SELECT range AS i, 'x' || range AS s FROM range(10)")
    yield con
    con.close()


def test_a_reader_does_not_see_what_comes_after_it(con: duckdb.DuckDBPyConnection) -> None:
    with open_reader(con, threading.Lock(), lambda: 7) as reader:
        con.execute("DELETE FROM t")

        assert (reader.position, reader.query("SELECT count(*) AS n FROM t").item()) == (7, 10)

    assert fetch(con, "SELECT count(*) AS n FROM t").item() == 0


def test_the_lock_is_held_only_while_it_opens(con: duckdb.DuckDBPyConnection) -> None:
    lock = threading.Lock()

    with open_reader(con, lock, lambda: int(lock.locked())) as reader:
        assert reader.position == 1
        assert not lock.locked()


def test_a_reader_with_a_spare_survives_a_query_that_fails_while_running(
    con: duckdb.DuckDBPyConnection,
) -> None:
    with open_reader(con, threading.Lock(), lambda: 7, spares=1) as reader:
        con.execute("DELETE FROM t WHERE i < 5")

        with pytest.raises(QueryError, match="Could not convert"):
            reader.query("SELECT s::INTEGER FROM t")
        assert (reader.query("SELECT count(*) AS n FROM t").item(), reader.is_spent) == (10, False)

        with pytest.raises(QueryError):
            reader.query("SELECT s::INTEGER FROM t")
        assert reader.is_spent
        with pytest.raises(QueryError, match="Open another"):
            reader.query("SELECT 1")


def test_a_query_that_cannot_be_bound_costs_no_spare(con: duckdb.DuckDBPyConnection) -> None:
    with open_reader(con, threading.Lock(), lambda: 7) as reader:
        with pytest.raises(QueryError, match="nope"):
            reader.query("SELECT nope FROM t")

        assert reader.query("SELECT 1 AS n").item() == 1


def test_parameters_are_bound_by_name(con: duckdb.DuckDBPyConnection) -> None:
    assert fetch(con, "SELECT s FROM t WHERE i = $i", {"i": 3}).item() == "x3"


@pytest.mark.parametrize("value", ["INTERVAL 3 DAYS", "'101'::BIT"])
def test_a_type_that_a_table_cannot_hold_is_named(
    con: duckdb.DuckDBPyConnection, value: str
) -> None:
    with pytest.raises(QueryError, match="'odd'.*CAST"):
        fetch(con, f"SELECT {value} AS odd")


def test_a_running_query_can_be_interrupted(con: duckdb.DuckDBPyConnection) -> None:
    with open_reader(con, threading.Lock(), lambda: 7) as reader:
        stop = threading.Timer(0.2, reader.interrupt)
        stop.start()

        with pytest.raises(QueryError, match="nterrupt"):
            reader.query("SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b")
        stop.join()
