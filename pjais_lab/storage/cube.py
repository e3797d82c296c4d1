"""Cubes: rows counted once by the codes of a few columns, so that brushing counts cells, not rows.

A cube answers exactly or not at all: a predicate that cuts a bin in two, or that looks at a column
that the cube does not have, is for the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Self

import duckdb
import polars as pl

from pjais_lab.core.predicate import (
    All,
    AnyOf,
    Contains,
    Interval,
    IsNull,
    Matches,
    Not,
    OneOf,
    columns_of,
)
from pjais_lab.core.predicate import Predicate as AnyPredicate
from pjais_lab.storage._cubedims import NULL, REST, Dim
from pjais_lab.storage._cubetell import Told, tell
from pjais_lab.storage._scans import TableName
from pjais_lab.storage.duck import translated
from pjais_lab.storage.reader import fetch

__all__ = ["MOST_CELLS", "NULL", "REST", "Cube"]

MOST_CELLS: Final = 400_000
"""A cube of more cells is not kept."""
_LOOSE: Final = 0.5
_TOLD: Final = 500


class Cube:
    """Counts of rows by the codes of some dimensions. One thread at a time.

    Args:
        dims: the dimensions.

    Attributes:
        dims: by their names.
        rows: how many rows are counted.
        cells: how many counts there are.
    """

    def __init__(self, dims: Iterable[Dim]) -> None:
        self.dims = {d.name: d for d in dims}
        self.rows = 0
        self.cells = 0
        self._table = TableName()
        self._place = {name: f"d{n}" for n, name in enumerate(self.dims)}
        self._present: dict[str, frozenset[int]] = {}
        self._told: dict[str, Told] = {}
        self._tidy = 0

    @classmethod
    def of(
        cls,
        con: duckdb.DuckDBPyConnection,
        dims: Sequence[Dim],
        source: str,
        condition: str = "true",
        values: Any = None,
    ) -> Self:
        """Count rows.

        Args:
            con: a cursor of the engine that all relations share.
            dims: the dimensions.
            source: what stands after FROM.
            condition: which rows.
            values: its parameters.

        Raises:
            QueryError: it failed, or was stopped.
        """
        made = cls(dims)
        with translated("counting rows into a cube"):
            con.execute(f"CREATE TABLE {made._table.text} AS {made.sql(source, condition)}", values)
            made._look(con)
        return made

    def sql(self, source: str, condition: str = "true") -> str:
        """The query that counts rows into cells: ``d0``, ``d1``, … and ``n``."""
        codes = (f"{d.code} AS d{n}" for n, d in enumerate(self.dims.values()))
        return f"SELECT {', '.join([*codes, 'count(*) AS n'])} FROM {source} WHERE {condition} GROUP BY ALL"

    def add(self, con: duckdb.DuckDBPyConnection, cells: Any) -> None:
        """Take in the cells of more rows.

        Args:
            con: a cursor of the engine that all relations share.
            cells: an Arrow table of what ``sql`` gives.
        """
        table, name = self._table.text, f"{self._table.text}_more"
        with translated("adding to a cube"):
            con.register(name, cells)
            try:
                verb = "INSERT INTO" if self._present else "CREATE TABLE"
                con.execute(f"{verb} {table} {'' if self._present else 'AS '}SELECT * FROM {name}")
            finally:
                con.unregister(name)
            self._look(con)
            if self.cells > self._tidy * (1 + _LOOSE) + 1_000:
                self._merge(con)

    def without(self, con: duckdb.DuckDBPyConnection, name: str) -> Cube:
        """The same rows in the cells of all dimensions but one."""
        made = Cube(d for d in self.dims.values() if d.name != name)
        kept = [f"{self._place[n]} AS {place}" for n, place in made._place.items()]
        sql = f"SELECT {', '.join([*kept, 'sum(n)::BIGINT AS n'])} FROM {self._table.text} GROUP BY ALL"
        with translated("making a cube smaller"):
            con.execute(f"CREATE TABLE {made._table.text} AS {sql}")
            made._look(con)
        return made

    def condition(self, con: duckdb.DuckDBPyConnection, where: AnyPredicate | None) -> str | None:
        """SQL for the cells whose rows satisfy a predicate; None when it must be asked of the rows.

        Raises:
            QueryError: a value does not fit its column.
        """
        if where is None:
            return "true"
        if isinstance(where, Not):
            inner = self.condition(con, where.predicate)
            return None if inner is None else f"NOT ({inner})"
        if isinstance(where, (All, AnyOf)):
            parts = [self.condition(con, p) for p in where.predicates]
            known = [f"({p})" for p in parts if p is not None]
            if len(known) < len(parts):
                return None
            is_all = isinstance(where, All)
            return (" AND " if is_all else " OR ").join(known) or str(is_all).lower()
        assert isinstance(where, (Interval, OneOf, IsNull, Contains, Matches))
        return self._leaf(con, where)

    def _leaf(
        self, con: duckdb.DuckDBPyConnection, leaf: Interval | OneOf | IsNull | Contains | Matches
    ) -> str | None:
        names = columns_of(leaf)
        name = next(iter(names))
        if name not in self.dims or len(names) > 1:
            return None
        key = repr(leaf)
        told = self._told.get(key)
        if told is None:
            if len(self._told) >= _TOLD:
                self._told.clear()
            told = self._told[key] = tell(con, self.dims[name], self._present[name], leaf)
        if told.cut:
            return None
        return _among(self._place[name], told.true) if told.true else "false"

    def counts(
        self, con: duckdb.DuckDBPyConnection, by: Sequence[str], where: AnyPredicate | None = None
    ) -> list[tuple[int, ...]] | None:
        """Codes of some dimensions and how many rows have them; None when the rows must be asked.

        Args:
            con: a cursor of the engine that all relations share.
            by: names of dimensions; none for one count of all.
            where: which rows.

        Raises:
            QueryError: a value does not fit its column, or it was stopped.
        """
        with translated("asking a cube"):
            condition = self.condition(con, where)
            if condition is None:
                return None
            codes = [self._place[name] for name in by]
            group = f"GROUP BY {', '.join(codes)}" if codes else ""
            chosen = ", ".join([*codes, "coalesce(sum(n), 0)::BIGINT"])
            sql = f"SELECT {chosen} FROM {self._table.text} WHERE {condition} {group}"
            return con.execute(sql).fetchall()

    def binned(
        self,
        con: duckdb.DuckDBPyConnection,
        lane: str,
        steps: str,
        where: AnyPredicate | None = None,
        *,
        join: int = 1,
        within: tuple[int, int] | None = None,
    ) -> pl.DataFrame | None:
        """``code`` of a lane, ``bucket``, ``n``; None when the rows must be asked.

        Args:
            con: a cursor of the engine that all relations share.
            lane: the name of a dimension.
            steps: the name of a dimension in steps.
            where: which rows.
            join: how many steps make a bucket.
            within: the first and the last step.

        Raises:
            QueryError: a value does not fit its column, or it was stopped.
        """
        with translated("asking a cube"):
            condition = self.condition(con, where)
        if condition is None:
            return None
        code, step = self._place[lane], self._place[steps]
        if within is not None:
            condition = f"({condition}) AND {step} BETWEEN {within[0]} AND {within[1]}"
        return fetch(
            con,
            f"SELECT {code}::BIGINT AS code, ({step} // {join})::BIGINT AS bucket, sum(n)::BIGINT AS n"
            f" FROM {self._table.text} WHERE {condition} GROUP BY ALL ORDER BY ALL",
        )

    def present(self, name: str) -> frozenset[int]:
        """The codes of a dimension that some row has."""
        return self._present[name]

    def redefine(self, dim: Dim) -> None:
        """A dimension has learned more values; the codes it had stay."""
        self.dims[dim.name] = dim
        self._told.clear()

    def _look(self, con: duckdb.DuckDBPyConnection) -> None:
        lists = [f"list(DISTINCT {place})" for place in self._place.values()]
        chosen = ", ".join(["count(*)", "coalesce(sum(n), 0)::BIGINT", *lists])
        found = con.execute(f"SELECT {chosen} FROM {self._table.text}").fetchone()
        assert found is not None
        self.cells, self.rows, *codes = found
        self._present = {
            name: frozenset(some or ()) for name, some in zip(self.dims, codes, strict=True)
        }
        self._tidy = self._tidy or self.cells
        self._told.clear()

    def _merge(self, con: duckdb.DuckDBPyConnection) -> None:
        """Join the counts of cells that came several times."""
        old, self._table = self._table, TableName()
        places = ", ".join(self._place.values())
        con.execute(
            f"CREATE TABLE {self._table.text} AS SELECT {places}, sum(n)::BIGINT AS n"
            f" FROM {old.text} GROUP BY ALL"
        )
        self._tidy = 0
        self._look(con)


def _among(place: str, codes: Iterable[int]) -> str:
    found = sorted(codes)
    if len(found) == found[-1] - found[0] + 1:
        return f"{place} BETWEEN {found[0]} AND {found[-1]}"
    return f"{place} IN ({', '.join(map(str, found))})"
