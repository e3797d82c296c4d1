"""A state of the past."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import duckdb

from pjais_lab.errors import QueryError
from pjais_lab.storage._whole import WholeLog
from pjais_lab.storage.duck import transaction
from pjais_lab.storage.fold import FoldPlan
from pjais_lab.storage.reader import fetch
from pjais_lab.storage.sqlparse import guard

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Past", "Stop", "fold_past", "past_in"]

_NUMBERS: Final = itertools.count(1)


class Stop:
    """Ends a fold from another thread.

    Attributes:
        is_set: whether it is to end.
    """

    def __init__(self) -> None:
        self.is_set = False
        self._cursor: duckdb.DuckDBPyConnection | None = None

    def set(self) -> None:
        """End the fold that this was given to, now or as soon as it begins."""
        self.is_set = True
        if self._cursor is not None:
            self._cursor.interrupt()

    def watch(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Say who folds.

        Raises:
            QueryError: it is to end.
        """
        self._cursor = cursor
        self.check()

    def check(self) -> None:
        """Go on, or not.

        Raises:
            QueryError: it is to end.
        """
        if self.is_set:
            raise QueryError("The fold was stopped before it was done.", hint="Ask it again.")


class Past:
    """A state of the past, for questions.

    Args:
        cursor: whose unqualified names mean that state.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor
        self._lock = threading.Lock()

    def query(self, sql: str, params: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """Answer a user's question.

        Raises:
            QueryError: the SQL is wrong, or would write.
        """
        with self._lock:
            return fetch(self._cursor, guard(self._cursor, sql), params)


def fold_past(
    cursor: duckdb.DuckDBPyConnection,
    log: WholeLog,
    plans: Collection[FoldPlan],
    where: str,
    stop: Stop,
) -> str:
    """Fold a part of the log into a database of its own; gives its name.

    Args:
        cursor: nobody else's.
        log: that part.
        plans: the tables.
        where: the same part as a condition over ``events``.
        stop: ends it.

    Raises:
        QueryError: it was ended.
    """
    name = f"past_{next(_NUMBERS)}"
    cursor.execute(f"ATTACH ':memory:' AS {name}")
    try:
        cursor.execute(f"CREATE SCHEMA {name}.state")
        for plan in plans:
            stop.check()
            target = f"{name}.state.{plan.table}"
            with transaction(cursor):
                log.fold_into(plan, target)
            cursor.execute(f"CREATE VIEW {name}.main.{plan.table} AS {plan.view_sql(target)}")
        cursor.execute(
            f"CREATE VIEW {name}.main.events AS SELECT * FROM memory.main.events WHERE {where}"
        )
    except BaseException:
        cursor.execute(f"DETACH {name}")
        raise
    return name


@contextmanager
def past_in(cursor: duckdb.DuckDBPyConnection, name: str) -> Iterator[Past]:
    """Ask a database made by ``fold_past``; it is gone afterwards."""
    cursor.execute(f"USE {name}")
    try:
        yield Past(cursor)
    finally:
        cursor.execute("USE memory")
        cursor.execute(f"DETACH {name}")
        cursor.close()
