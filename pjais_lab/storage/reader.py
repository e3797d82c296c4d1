"""Reading at one position: transactions that see one state however many commits follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import Any, Final

import duckdb
import polars as pl

from pjais_lab.core.codec import is_text
from pjais_lab.errors import LabError, QueryError
from pjais_lab.storage.duck import stop, translated

__all__ = ["Reader", "fetch", "open_reader"]

_PIN: Final = "SELECT txid_current()"
"""DuckDB takes its snapshot at the first look at the database, not at BEGIN."""


class Reader:
    """Answers queries from one state. Use it from one thread, save for ``interrupt``.

    DuckDB ends a transaction in which a query failed while running. A reader opened with spares
    goes on with the next one, which sees the same state.

    Attributes:
        position: the place in the log of the state it reads.
    """

    def __init__(self, cursors: list[duckdb.DuckDBPyConnection], position: int) -> None:
        self.position = position
        self._cursors = cursors

    @property
    def is_spent(self) -> bool:
        """Whether a failed query used up the last transaction."""
        return not self._cursors

    def interrupt(self) -> None:
        """Stop the query that is running; callable from any thread."""
        for cursor in list(self._cursors):
            cursor.interrupt()

    def query(self, sql: str, params: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """Run a query that has been checked.

        Args:
            sql: one SELECT.
            params: values of its ``$name`` parameters.

        Raises:
            QueryError: it failed, or the reader is spent.
        """
        if not self._cursors:
            msg = "A query before this one failed and ended the transaction."
            raise QueryError(msg, hint="Open another reader.")
        cursor = self._cursors[-1]
        try:
            return fetch(cursor, sql, params)
        except LabError:
            if not _is_usable(cursor):
                self._cursors.pop()
            raise


@contextmanager
def open_reader(
    con: duckdb.DuckDBPyConnection,
    lock: AbstractContextManager[object],
    position: Callable[[], int],
    spares: int = 0,
) -> Iterator[Reader]:
    """Read the state as it is now; commits go on meanwhile and are not seen.

    Args:
        con: the state's connection; the reader uses cursors of its own.
        lock: held while the transactions begin, so that no application of events is half seen.
        position: the state's position; called under the lock.
        spares: how many queries may fail before the reader is spent, beyond the first.

    Raises:
        StorageError: DuckDB refuses to begin.
    """
    with ExitStack() as stack:
        cursors: list[duckdb.DuckDBPyConnection] = []
        with lock, translated("opening a reader"):
            for _ in range(spares + 1):
                cursor = con.cursor()
                stack.callback(_end, cursor)
                cursor.execute("BEGIN TRANSACTION READ ONLY")
                cursor.execute(_PIN).fetchone()
                cursors.append(cursor)
            reader = Reader(cursors, position())
        yield reader


def fetch(
    con: duckdb.DuckDBPyConnection, sql: str, params: Mapping[str, Any] | None = None
) -> pl.DataFrame:
    """Run a query and give its result as polars.

    Args:
        con: a connection nobody else is using.
        sql: one SELECT.
        params: values of its ``$name`` parameters.

    Raises:
        QueryError: it failed, a parameter is no text, or a column has a type that polars lacks.
    """
    for name, value in (params or {}).items():
        if isinstance(value, str) and not is_text(value):
            msg = f"The parameter {name!r} holds half of a surrogate pair, which is not text."
            raise QueryError(msg, parameter=name)
    with translated("the query"):
        try:
            result = con.execute(sql, dict(params)) if params else con.execute(sql)
        except BaseException as error:
            stop(con, error)
            raise
        kinds = [(d[0], str(d[1])) for d in result.description or ()]
        odd = [name for name, kind in kinds if kind.startswith(("INTERVAL", "BIT", "VARIANT"))]
        if not odd:
            frame = result.pl()
            assert isinstance(frame, pl.DataFrame)
            return frame
    msg = f"The column {odd[0]!r} has a type that a table cannot hold."
    raise QueryError(msg, hint="Cast it: CAST(… AS VARCHAR).", column=odd[0])


def _is_usable(cursor: duckdb.DuckDBPyConnection) -> bool:
    try:
        cursor.execute("SELECT 1").fetchone()
    except duckdb.Error:
        return False
    return True


def _end(cursor: duckdb.DuckDBPyConnection) -> None:
    with suppress(duckdb.Error):
        cursor.execute("ROLLBACK")
    cursor.close()
