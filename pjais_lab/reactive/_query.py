"""The shared part of live queries: one evaluation for all that ask the same."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from pjais_lab.core.event import HasId
from pjais_lab.errors import QueryError
from pjais_lab.reactive._cell import Cell, Change, Clockwork
from pjais_lab.reactive._compare import is_same_frame
from pjais_lab.reactive._errors import kept
from pjais_lab.reactive._invalidation import Dependencies
from pjais_lab.reactive._weak import WeakBag

if TYPE_CHECKING:
    from traitlets import HasTraits

    from pjais_lab.reactive.source import Reader
    from pjais_lab.storage.sqlparse import Analysis

__all__ = ["Query", "QueryCell", "QueryKey", "bind", "key_of", "label_of"]

QueryKey = tuple[str, tuple[tuple[str, str], ...]]
_LABEL: Final = 60


class Query:
    """One SQL text with one set of parameters.

    Attributes:
        key: its identity.
        label: how messages name it.
        sql: the checked statement.
        params: the parameters' values.
        on: what it depends on.
        frame: the last good result, None before the first.
        failure: why the last run failed, or None.
        elapsed_ms: how long the last run took.
        cells: the live queries that show it.
    """

    def __init__(
        self, key: QueryKey, analysis: Analysis, params: dict[str, Any], on: Dependencies
    ) -> None:
        self.key = key
        self.sql = analysis.sql
        self.label = label_of(analysis.sql)
        self.params = params
        self.on = on
        self.frame: pl.DataFrame | None = None
        self.failure: Exception | None = None
        self.elapsed_ms = 0.0
        self.cells: WeakBag[QueryCell] = WeakBag()
        self._has_order = analysis.has_order_by

    @property
    def is_risky(self) -> bool:
        """Whether the next run may well fail."""
        return self.failure is not None or self.frame is None

    @property
    def is_wanted(self) -> bool:
        """Whether a live query that is not closed shows it."""
        return any(not c.is_closed for c in self.cells)

    def run(self, reader: Reader) -> bool:
        """Evaluate; True when the frame is another one than before."""
        start = time.perf_counter()
        try:
            frame = reader.query(self.sql, self.params)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this query's alone
            self.failure = kept(error, self.label)
            return False
        finally:
            self.elapsed_ms = (time.perf_counter() - start) * 1000
        self.failure = None
        if self.frame is not None and is_same_frame(self.frame, frame, has_order=self._has_order):
            return False
        self.frame = frame
        return True


class QueryCell(Cell):
    """The engine's side of one live query."""

    def __init__(
        self, hub: Clockwork, face: HasTraits, values: dict[str, Any], query: Query
    ) -> None:
        super().__init__(hub, face, values, query.label)
        self.query = query
        query.cells.add(self)

    def take(self, position: int) -> tuple[bool, list[Change]]:
        """Write what the query found; gives whether the frame changed, and all changes."""
        query = self.query
        had = self.failure
        self.failure = query.failure
        changes: list[Change] = []
        if query.frame is not None and self._values.get("frame") is not query.frame:
            changes.append(Change("frame", self._values.get("frame"), query.frame))
            self._values["frame"] = query.frame
        is_changed = bool(changes)
        if is_changed or had is not self.failure:
            self.announce(query.frame)
        self.is_fed = True
        changes += self.put("elapsed_ms", query.elapsed_ms, is_quiet=True)
        return is_changed, [*changes, *self.put_status(position)]


def bind(analysis: Analysis, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as DuckDB takes them; an object with an id stands for its id.

    Args:
        analysis: which parameters the SQL names.
        params: their values.

    Raises:
        QueryError: one is missing, or one is not in the SQL.
    """
    missing = sorted(analysis.parameters - set(params))
    if missing:
        msg = f"The SQL names the parameter ${missing[0]}, which has no value."
        hint = f"Give it by keyword: {missing[0]}=…" if missing[0].isidentifier() else "Write $name."
        raise QueryError(msg, hint=hint, missing=missing)
    extra = sorted(set(params) - analysis.parameters)
    if extra:
        known = ", ".join(f"${n}" for n in sorted(analysis.parameters)) or "none"
        msg = f"The SQL does not name the parameter ${extra[0]}; it names {known}."
        raise QueryError(msg, extra=extra)
    return {name: _plain(value) for name, value in params.items()}


def key_of(sql: str, params: Mapping[str, Any]) -> QueryKey:
    """The identity of a query: its text, and its parameters with their types."""
    return sql, tuple((n, f"{type(v).__name__}:{v!r}") for n, v in sorted(params.items()))


def label_of(sql: str) -> str:
    """A query's text, short enough for a message."""
    line = " ".join(sql.split())
    return repr(line if len(line) <= _LABEL else f"{line[: _LABEL - 1]}…")


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(v) for v in value]
    if isinstance(value, (str, bytes, int, float, bool)) or value is None:
        return value
    return value.id if isinstance(value, HasId) else value
