"""A state of the past."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import duckdb

from pjais_lab.storage.reader import fetch
from pjais_lab.storage.sqlparse import guard

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Past"]


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
