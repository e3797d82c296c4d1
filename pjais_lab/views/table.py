"""Table: any rows, however many; sorted, searched, filtered by the histograms above its columns."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path
from typing import Any, Final

import polars as pl

from pjais_lab.core.predicate import Predicate
from pjais_lab.errors import ViewError
from pjais_lab.reactive.live_query import LiveQuery
from pjais_lab.reactive.selection import Selection
from pjais_lab.storage.duck import quote
from pjais_lab.storage.relation import Relation, Sort
from pjais_lab.views import _python
from pjais_lab.views._picks import found_by, joined
from pjais_lab.views._requests import answer
from pjais_lab.views._rows import MOST_ROWS, RowsView
from pjais_lab.views._table_bars import as_bars
from pjais_lab.views._transport import QUERY
from pjais_lab.views._weak import calls

__all__ = ["Table"]

_MOST_SUMMARIES: Final = 24
_MOST_PICKED: Final = 1_000
_HEAD: Final = 100  # a block of the grid
_NUMBERS: Final = itertools.count(1)
_UNANSWERED: Final = pl.DataFrame(schema={"no answer yet": pl.String})
"""In place of a query that has failed from the start; the strip under the view says why."""


class Table(RowsView):
    """Rows of a live query, a frame or Parquet files. It moves when a live query moves.

    Args:
        data: a live query, a polars, pandas or Arrow table, or the path of Parquet files.
        selection: shared with other views: each is filtered by what the others have picked.
        sort: columns and directions, the most important first.
        search: a text that some column must contain.
        title: what is written above it.

    Raises:
        QueryError: there are no rows and columns in it, or ``sort`` names no column.

    Attributes:
        selection: the filters by the names of their columns, and the picked rows under ``picks``.
        picks: the name of the predicate that finds the picked rows.
    """

    kind = "table"

    def __init__(
        self,
        data: Any,
        *,
        selection: Selection | None = None,
        sort: Sort = (),
        search: str = "",
        title: str | None = None,
    ) -> None:
        self._live = data if isinstance(data, LiveQuery) else None
        self._shown: Any = data if self._live is None else self._live.frame
        rows = data if self._live is None else _answer(self._live)
        self._relation = Relation(rows, origin=_origin(data))
        self._revision = 0
        self._settling = threading.Lock()
        super().__init__(
            title if title is not None else _title(data),
            self._relation,
            f"rows {next(_NUMBERS)}",
            selection=selection,
            sort=sort,
            search=search,
        )
        moved = self._moved = calls(self.change)
        self.selection.observe(moved, "predicates")
        if self._live is not None:
            self.following.add(self._live, moved, ["frame", "error"])
        self.change()

    # ------------------------------------------------------------ for the user
    @property
    def python(self) -> str:
        """The call that makes this table as it is now."""
        return _python.call("pj.views.Table", "data", **self.arguments())

    # ------------------------------------------------------------ what the browser asks
    @answer
    def rows(self, *, start: int, count: int, slot: str = "") -> pl.DataFrame:
        """Some of the rows; a newer request in the same slot stops an older one."""
        self._settle()
        some, where = min(count, MOST_ROWS), self._where()
        return self._relation.page(start, some, sort=self._sort, where=where, channel=slot)

    @answer
    def summary(self, *, column: str) -> dict[str, Any]:
        """What lies in a column, filtered by all the others."""
        self._settle()
        found = self._relation.summary(column, where=self._where(excluding=column))
        if column == self._relation.columns[-1].name:  # the browser has all of them now
            self._relation.prepare()
        return as_bars(found)

    @answer
    def pick(self, *, places: list[int]) -> None:
        """Pick the rows at these places; those that look the same are picked with them.

        Raises:
            ViewError: they are too many, or there is no row at one of them.
        """
        if len(places) > _MOST_PICKED:
            msg = f"{len(places):,} rows were to be picked; at most {_MOST_PICKED:,} can be."
            raise ViewError(msg, hint="Filter them by a column.")
        picked = [self._row(n) for n in places]
        self.selection[self.picks] = joined(picked)

    # ------------------------------------------------------------ how it works
    def close(self) -> None:
        """Stop following the selection and the live query; closing twice is fine."""
        if not self._is_shut and self.is_ready:
            self.selection.unobserve(self._moved, "predicates")
            if self._live is not None:
                self._live.unobserve(self._moved, ["frame", "error"])
                self._live = None  # a cell's output may hold this view for long
        super().close()

    def change(self) -> None:
        """Something about what is shown has changed; from any thread, at once."""
        self._version += 1
        if self._live is not None:
            self._channel.fail(self._live.failure, "data")
        self.put_later("state", self._state)

    def _settle(self) -> None:
        """Take the live query's newest answer."""
        if self._live is None:
            return
        with self._settling:
            frame = self._live.frame
            if frame is not self._shown and frame.width:
                self._relation.replace(self._live.copy())
                self._shown = frame
                self._revision += 1

    def _state(self) -> dict[str, Any]:
        begun, version = time.perf_counter(), self._version
        self._settle()
        where = self._where()
        count = self._relation.count(where)
        sql = self.sql
        self.put(QUERY, {"sql": sql, "ms": (time.perf_counter() - begun) * 1000})
        is_picked = self.picks in self.selection
        has_head = version == 1 and where is None and not self._sort  # found at once
        self.put("head", self._relation.page(0, _HEAD) if has_head else None)
        return {
            "version": version,
            "revision": self._revision,
            "rows": self._relation.rows,
            "count": count,
            "has_head": has_head,
            **self._described(),
            "picked": self._relation.count(self._where(picked=True)) if is_picked else None,
            "summaries": self._summaries(),
            "python": self.python,
        }

    def _summaries(self) -> dict[str, Any] | None:
        """What lies in all columns, if cubes tell it at once; the browser asks for it if not."""
        columns = self._relation.columns
        if len(columns) > _MOST_SUMMARIES:
            return None
        found = {
            c.name: self._relation.counted(c.name, where=self._where(excluding=c.name))
            for c in columns
        }
        known = {name: as_bars(summary) for name, summary in found.items() if summary is not None}
        return known if len(known) == len(columns) else None

    def _row(self, place: int) -> Predicate:
        """What finds a row: its id, or all that is shown of it."""
        page = self._relation.page(place, 1, sort=self._sort, where=self._where())
        if page.is_empty():
            msg = f"There is no row {place + 1:,} any more."
            raise ViewError(msg, hint="Look again; the rows have changed.")
        return found_by(page.row(0, named=True), self._relation.columns)


def _answer(live: LiveQuery) -> pl.DataFrame:
    frame = live.copy()
    return _UNANSWERED if live.failure is not None and not frame.width else frame


def _title(data: Any) -> str:
    if isinstance(data, LiveQuery):
        return "Live query"
    return Path(data).name if isinstance(data, (str, Path)) else "Table"


def _origin(data: Any) -> str:
    if isinstance(data, LiveQuery):
        return f"({data.sql})"
    return quote(str(data)) if isinstance(data, (str, Path)) else "data"
