"""A relation: rows of anything, asked in pages, counts and summaries. Asked with predicates, never SQL.

Ten million rows must scroll, so a page is never found by skipping rows: the order of a filter and a
sort is worked out once, as a table of row numbers, and a page reads its few rows by their numbers.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import duckdb
import msgspec
import polars as pl

from pjais_lab.core.predicate import Contains, Predicate
from pjais_lab.errors import ClosedError, LabError, QueryError
from pjais_lab.storage._paging import Direction, Loaded, Sort, gather, numbered, whole
from pjais_lab.storage._predicates import bound_sql, literal_sql
from pjais_lab.storage._scans import engine, scan_of
from pjais_lab.storage._summaries import Bin, Summary, Top, outline, summarise
from pjais_lab.storage._typemap import Column, identifier, shown
from pjais_lab.storage.duck import translated
from pjais_lab.storage.reader import fetch

__all__ = [
    "Bin",
    "Column",
    "Direction",
    "Relation",
    "Sort",
    "Summary",
    "Top",
    "cell",
    "literal_sql",
]

_MAX_PAGE: Final = 10_000
_CUT: Final = 500
_CUT_KINDS: Final = frozenset({"text", "json", "other"})
_UNHELD: Final = ("INTERVAL", "BIT", "VARIANT", "UNION", "GEOMETRY", "BIGNUM", "TIME WITH")


class _Asked:
    """A question that is being answered."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self.cursor = cursor
        self.is_stopped = False

    def stop(self) -> None:
        self.is_stopped = True
        self.cursor.interrupt()


def _stopped() -> QueryError:
    return QueryError("The question was stopped before it was answered.", hint="Ask it again.")


class Relation:
    """Rows that can be asked in pages, counts and summaries; from any thread.

    Args:
        data: a polars, pandas or Arrow table, which is copied, or the path of a Parquet file, of a
            folder of them or with ``*`` in it, which is read where it lies.
        origin: what stands after FROM in ``sql``.

    Raises:
        QueryError: there are no rows and columns in it, or no such file.
    """

    def __init__(self, data: Any, *, origin: str = "data") -> None:
        self.origin = origin
        self._loaded: Loaded | None = Loaded(scan_of(data))
        self._lock = threading.RLock()
        self._running: dict[object, _Asked] = {}

    @property
    def columns(self) -> tuple[Column, ...]:
        """Name, type and kind of every column.

        Raises:
            ClosedError: this is closed.
        """
        return self._now().columns

    @property
    def rows(self) -> int:
        """How many rows there are.

        Raises:
            ClosedError: this is closed.
        """
        return self._now().scan.rows

    def replace(self, data: Any) -> None:
        """Take other rows; what is being asked is answered from the old ones.

        Raises:
            QueryError: there are no rows and columns in it.
        """
        self._now().cubes.stop()
        loaded = Loaded(scan_of(data))
        with self._lock:
            self._loaded = loaded if self._loaded is not None else None

    def count(self, where: Predicate | None = None, *, channel: str = "") -> int:
        """How many rows there are.

        Args:
            where: which rows; all of them if None.
            channel: a newer question on the same channel stops this one.

        Raises:
            QueryError: it names a column that is not there, or was stopped.
        """
        loaded = self._now()
        if where is None:
            return loaded.scan.rows
        condition, values = bound_sql(where, loaded.inner)
        sql = f"SELECT count(*) AS n FROM {loaded.scan.source} WHERE {condition}"
        with self._asking(channel) as cursor:
            known = loaded.cubes.count(cursor, where)
            return int(fetch(cursor, sql, values).item()) if known is None else known

    def page(
        self,
        offset: int,
        limit: int,
        *,
        sort: Sort = (),
        where: Predicate | None = None,
        channel: str = "",
    ) -> pl.DataFrame:
        """Some rows as a page shows them: integers, floats, booleans, and text for all else.

        Args:
            offset: how many rows to leave out before them.
            limit: how many at most; 10,000 is the most there is.
            sort: their order; rows that are equal in it stay in the order they came in.
            where: which rows; all of them if None.
            channel: a newer question on the same channel stops this one.

        Raises:
            QueryError: it names a column that is not there, or was stopped.
        """
        loaded = self._now()
        question = loaded.question(where, sort)
        start, limit = max(0, offset), max(0, min(limit, _MAX_PAGE))
        chosen = ", ".join(map(cell, loaded.inner.values()))
        with self._asking(channel) as cursor:
            ids = numbered(cursor, loaded, question, start, start + limit)
            return gather(cursor, loaded, ids, chosen)

    def frame(
        self, where: Predicate | None = None, *, sort: Sort = (), limit: int | None = None
    ) -> pl.DataFrame:
        """Rows with their own types, as polars.

        Args:
            where: which rows; all of them if None.
            sort: their order.
            limit: how many at most; all of them if None.

        Raises:
            QueryError: it names a column that is not there.
        """
        loaded = self._now()
        question = loaded.question(where, sort)
        chosen = ", ".join(map(_typed, loaded.inner.values()))
        with self._asking("") as cursor:
            return whole(cursor, loaded, question, chosen, limit)

    def summary(self, column: str, *, where: Predicate | None = None, channel: str = "") -> Summary:
        """What lies in a column: a histogram of numbers and times, else the most frequent values.

        Args:
            column: its name.
            where: which rows to count; the bins and values are always those of all rows.
            channel: a newer question on the same channel stops this one.

        Raises:
            QueryError: there is no such column, or it was stopped.
        """
        loaded = self._now()
        inner = loaded.column(column)
        source = loaded.scan.source
        with self._asking(channel) as cursor, translated(f"summing up {column!r}"):
            known = loaded.outlines.get(column)
            if known is None:
                known = loaded.outlines[column] = outline(cursor, source, inner)
            found = loaded.cubes.summary(cursor, column, known, where) or summarise(
                cursor, source, known, where, loaded.inner
            )
        return msgspec.structs.replace(found, column=column)

    def counted(self, column: str, *, where: Predicate | None = None) -> Summary | None:
        """What lies in a column, if a cube can tell; None when rows would have to be counted.

        Args:
            column: its name.
            where: which rows to count.

        Raises:
            QueryError: a value in ``where`` does not fit its column, or it was stopped.
        """
        loaded = self._now()
        known = loaded.outlines.get(column)
        if known is None or not loaded.cubes.cells:
            return None
        with self._asking("") as cursor:
            found = loaded.cubes.summary(cursor, column, known, where)
        return None if found is None else msgspec.structs.replace(found, column=column)

    def prepare(self, *, wait: bool = False) -> None:
        """Count many rows into cubes in the background, so that filters on bins count no rows again.

        A filter that cuts a bin in two, or looks into the text of a column, still counts rows.

        Args:
            wait: return when it is done.

        Raises:
            ClosedError: this is closed.
        """
        work = self._now().cubes.prepare()
        if wait and work is not None:
            work.result()

    def search(self, text: str) -> Contains:
        """The predicate that finds a text in any column, whatever its capitals.

        Raises:
            QueryError: it is no text.
        """
        names = [c.name for c in self.columns if c.kind != "blob"]
        return Contains(text, names or [c.name for c in self.columns])

    def sql(self, where: Predicate | None = None, *, sort: Sort = ()) -> str:
        """The query that finds rows, for people.

        Raises:
            QueryError: it names a column that is not there.
        """
        loaded = self._now()
        lines = [f"SELECT * FROM {self.origin}"]
        if where is not None:
            lines.append(f"WHERE {literal_sql(where, {c.name: c for c in loaded.columns})}")
        if sort:
            sorts = loaded.question(where, sort).sort
            keys = (f"{identifier(n)} {d.upper()} NULLS LAST" for n, d in sorts)
            lines.append(f"ORDER BY {', '.join(keys)}")
        return "\n".join(lines)

    def interrupt(self) -> None:
        """Stop everything that is being asked; callable from any thread."""
        with self._lock:
            if self._loaded is not None:
                self._loaded.cubes.stop()
            for asked in self._running.values():
                asked.stop()

    def close(self) -> None:
        """Let go of the rows; closing twice is fine."""
        self.interrupt()
        with self._lock:
            self._loaded = None

    def __repr__(self) -> str:
        """How many rows and columns."""
        if self._loaded is None:
            return "Relation(closed)"
        return f"Relation({self.rows:,} rows, {len(self.columns)} columns)"

    # ------------------------------------------------------------ how it works
    def _now(self) -> Loaded:
        loaded = self._loaded
        if loaded is None:
            msg = "This relation is closed."
            raise ClosedError(msg, hint="Make another one.")
        return loaded

    @contextmanager
    def _asking(self, channel: str) -> Iterator[duckdb.DuckDBPyConnection]:
        asked = _Asked(engine())
        key: object = channel or asked
        with self._lock:
            older = self._running.get(key)
            if older is not None:
                older.stop()
            self._running[key] = asked
        try:
            yield asked.cursor
        except LabError as error:
            raise (_stopped() if asked.is_stopped else error) from error.__cause__
        finally:
            with self._lock:
                if self._running.get(key) is asked:
                    del self._running[key]
            asked.cursor.close()
        if asked.is_stopped:  # before DuckDB had begun
            raise _stopped()


def cell(column: Column) -> str:
    """A column as a page gets it; long text is cut."""
    value = shown(column)
    if column.kind in _CUT_KINDS:
        value = (
            f"CASE WHEN length({value}) > {_CUT} THEN left({value}, {_CUT}) || '…' ELSE {value} END"
        )
    return f"{value} AS {column.name}"


def _typed(column: Column) -> str:
    """A column with its own type, as text where polars has no such type."""
    name = identifier(column.name)
    return f"CAST({name} AS VARCHAR) AS {name}" if column.type.startswith(_UNHELD) else name
