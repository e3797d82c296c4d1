"""Pages of rows: the first ones by a query, the others by the numbers of their rows."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal

import duckdb
import msgspec
import polars as pl

from pjais_lab.core.predicate import Predicate
from pjais_lab.core.spelling import near
from pjais_lab.errors import QueryError
from pjais_lab.storage._cubes import Cubes
from pjais_lab.storage._predicates import bound_sql, subject
from pjais_lab.storage._scans import Scan, TableName
from pjais_lab.storage._summaries import Outline
from pjais_lab.storage._typemap import Column, identifier
from pjais_lab.storage.reader import fetch

__all__ = ["Direction", "Loaded", "Question", "Sort", "gather", "numbered", "whole"]

Direction = Literal["asc", "desc"]
Sort = Sequence[tuple[str, Direction]]
"""Columns and directions, the most important first; null comes last either way."""
_DIRECTIONS: Final = (("asc",), ("desc",), ["asc"], ["desc"])
_ORDERS: Final = 4
_NEAR: Final = 1_000


class Question(msgspec.Struct, frozen=True):
    """Which rows, and in what order.

    Attributes:
        where: which; all of them if None.
        sort: their order; rows that are equal in it stay in the order they came in.
    """

    where: Predicate | None
    sort: tuple[tuple[str, Direction], ...]

    @property
    def is_plain(self) -> bool:
        """All rows as they came."""
        return self.where is None and not self.sort


class Loaded:
    """Rows, and what was found out about them.

    Args:
        scan: where they lie.

    Attributes:
        inner: the columns as the scan calls them, by their real names.
        columns: the columns as the user knows them.
        orders: question -> a table of row numbers; the least used is dropped.
        ordering: held while one is worked out.
        outlines: column -> its bins or values.
        cubes: what was counted before anybody asked.
    """

    def __init__(self, scan: Scan) -> None:
        self.scan = scan
        self.inner = dict(zip(scan.names, scan.columns, strict=True))
        self.columns = tuple(
            Column(name, c.type, c.kind, c.scale) for name, c in self.inner.items()
        )
        self.orders: dict[Question, TableName] = {}
        self.ordering = threading.Lock()
        self.outlines: dict[str, Outline] = {}
        self.cubes = Cubes(scan, self.inner, self.outlines)

    def column(self, name: str) -> Column:
        """A column as the scan calls it.

        Raises:
            QueryError: there is none of that name.
        """
        if name not in self.inner:
            msg = f"There is no column {name!r}."
            raise QueryError(msg, hint=near(str(name), self.inner) or None, column=name)
        return self.inner[name]

    def renamed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A frame under the real names."""
        frame.columns = self.scan.names
        return frame

    def question(self, where: Predicate | None, sort: Sort) -> Question:
        """A question, checked.

        Raises:
            QueryError: a sort is no list of names and directions, or names no column of these.
        """
        return Question(where, tuple(self._sorts(sort)))

    def _sorts(self, sort: Any) -> Iterator[tuple[str, Direction]]:
        for given in sort:
            if not isinstance(given, (tuple, list)) or given[1:] not in _DIRECTIONS:
                msg = f"{given!r} is nothing to sort by; expected ('name', 'asc') or ('name', 'desc')."
                raise QueryError(msg)
            self.column(given[0])
            yield given[0], given[1]


def whole(
    cursor: duckdb.DuckDBPyConnection,
    loaded: Loaded,
    question: Question,
    chosen: str,
    limit: int | None,
) -> pl.DataFrame:
    """Rows in their order, by one query.

    Args:
        cursor: nobody else is using it.
        loaded: the rows.
        question: which, in what order.
        chosen: what stands after SELECT.
        limit: how many at most; all of them if None.
    """
    sql, values = _asked(loaded, question, chosen)
    some = "" if limit is None else f" LIMIT {max(0, limit)}"
    return loaded.renamed(fetch(cursor, sql + some, values))


def _asked(loaded: Loaded, question: Question, chosen: str) -> tuple[str, dict[str, Any]]:
    condition, values = bound_sql(question.where, loaded.inner)
    keys = [f"{_key(loaded.inner[n])} {d.upper()} NULLS LAST" for n, d in question.sort]
    order = ", ".join([*keys, "row_id"])
    sql = f"SELECT {chosen} FROM {loaded.scan.source} WHERE {condition} ORDER BY {order}"
    return sql, values


def numbered(
    cursor: duckdb.DuckDBPyConnection, loaded: Loaded, question: Question, start: int, stop: int
) -> Sequence[int]:
    """The numbers of rows by their places: the first ones without working out the whole order.

    Args:
        cursor: nobody else is using it.
        loaded: the rows.
        question: which, in what order.
        start: the first place.
        stop: one after the last.
    """
    if question.is_plain:
        return loaded.scan.ids(start, stop)
    sql, values = _asked(loaded, question, "row_id AS id")
    if stop <= _NEAR and question not in loaded.orders:
        return list(fetch(cursor, f"{sql} LIMIT {stop - start} OFFSET {start}", values)["id"])
    with loaded.ordering:
        table = loaded.orders.pop(question, None)
        if table is None:
            table = TableName()
            fetch(cursor, f"CREATE TABLE {table.text} AS {sql}", values)
        loaded.orders[question] = table
        while len(loaded.orders) > _ORDERS:
            del loaded.orders[next(iter(loaded.orders))]
    places = f"rowid >= {start} AND rowid < {stop}"
    found = fetch(cursor, f"SELECT id FROM {table.text} WHERE {places} ORDER BY rowid")
    return list(found["id"])


def gather(
    cursor: duckdb.DuckDBPyConnection, loaded: Loaded, ids: Sequence[int], chosen: str
) -> pl.DataFrame:
    """Rows by their numbers, in that order.

    Args:
        cursor: nobody else is using it.
        loaded: the rows.
        ids: their numbers.
        chosen: what stands after SELECT.
    """
    source = loaded.scan.some(ids) if ids else f"{loaded.scan.source} LIMIT 0"
    found = fetch(cursor, f"SELECT row_id, {chosen} FROM {source}")
    # Joined only then: a cell that computes delays every step.
    if found["row_id"].to_list() != list(ids):
        wanted = pl.DataFrame({"row_id": pl.Series(ids, dtype=pl.Int64)})
        found = wanted.join(found, on="row_id", how="left", maintain_order="left")
    return loaded.renamed(pl.DataFrame(found.get_columns()[1:]))


def _key(column: Column) -> str:
    return identifier(column.name) if column.kind == "blob" else subject(column)
