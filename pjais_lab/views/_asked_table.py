"""The base of tables over a lab's own state: nothing is copied, rows are picked by their keys.

A subclass says what its rows are with an ``AskedRelation`` and a cheap live query whose answer may
change whenever they do.
"""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any, Final

from pjais_lab.core.predicate import OneOf
from pjais_lab.errors import ViewError
from pjais_lab.reactive.selection import Selection
from pjais_lab.storage.relation import Sort
from pjais_lab.views import _fallback
from pjais_lab.views._acting import ActingView
from pjais_lab.views._requests import answer
from pjais_lab.views._rows import MOST_ROWS, RowsView
from pjais_lab.views._table_bars import as_bars
from pjais_lab.views._transport import QUERY
from pjais_lab.views._weak import calls

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from pjais_lab.reactive.live_query import LiveQuery
    from pjais_lab.storage.asked import AskedRelation

__all__ = ["AskedTable"]

MOST_PICKED: Final = 10_000
_PAGES: Final = 20
_NUMBERS: Final = itertools.count(1)


class AskedTable(RowsView, ActingView):
    """Rows of a lab's state, however many: sorted, searched, filtered, picked.

    Args:
        title: what is written above it.
        relation: the rows.
        live: read again whenever the rows may have changed; closed with the view.
        selection: shared with other views.
        sort: columns and directions.
        search: a text that some column must contain.

    Attributes:
        selection: the filters by the names of their columns, and what is picked under ``picks``.
        picks: the name of the predicate that finds the picked rows.
    """

    def __init__(
        self,
        title: str,
        relation: AskedRelation,
        live: LiveQuery | None,
        *,
        selection: Selection | None,
        sort: Sort,
        search: str,
    ) -> None:
        self._relation = relation
        self._live = live
        self._turns: dict[str, int] = {}
        picks = f"rows of {self.kind} {next(_NUMBERS)}"
        super().__init__(title, relation, picks, selection=selection, sort=sort, search=search)
        self._on_selection, self._on_data = calls(self.change), calls(self.data_moved)
        self.selection.observe(self._on_selection, "predicates")
        if live is not None:
            self.following.add(live, self._on_data, ["runs", "error"])
            live.wait()  # its first answer tells nobody
        self.change()

    # ------------------------------------------------------------ for the user
    @property
    def picked(self) -> list[str]:
        """The keys of the picked rows that are still there, in the order they were picked."""
        wanted, key = self._wanted(), self._relation.key
        return self._relation.some(wanted, key)[key].to_list() if wanted else []

    # ------------------------------------------------------------ what the browser asks
    @answer
    def rows(self, *, start: int, count: int) -> pl.DataFrame:
        """Some of the rows."""
        return self._page(start, min(count, MOST_ROWS))

    @answer
    def summary(self, *, column: str) -> dict[str, Any]:
        """What lies in a column, filtered by all the others."""
        return as_bars(self._relation.summary(column, where=self._where(excluding=column)))

    @answer
    def pick(
        self,
        *,
        keys: list[str],
        span: tuple[int, int] | None = None,
        turn: tuple[str, int] | None = None,
    ) -> None:
        """Pick rows by their keys, and all rows from one place to another.

        Args:
            keys: of the rows.
            span: first and last place.
            turn: a page and a number that grows with each of its picks, for it to know which of
                them what it is told next takes into account.

        Raises:
            ViewError: they are too many.
        """
        chosen = dict.fromkeys(keys)
        count = len(keys) if span is None else len(keys) + span[1] - span[0] + 1
        if count > MOST_PICKED:
            msg = f"{count:,} rows were to be picked; at most {MOST_PICKED:,} can be."
            raise ViewError(msg, hint="Filter them by a column.")
        if span is not None:
            found = self._relation.keys(
                span[0], span[1] - span[0] + 1, sort=self._sort, where=self._where()
            )
            chosen |= dict.fromkeys(found)
        self.selection[self.picks] = OneOf(self._relation.key, list(chosen)) if chosen else None
        if turn is not None:  # after it, so that who reads this number reads that pick
            page, number = turn
            others = [(p, n) for p, n in self._turns.items() if p != page]
            self._turns = {**dict(others[-_PAGES:]), page: number}
            self.put_later("picked", self._picked)

    # ------------------------------------------------------------ how it works
    def sections(self) -> Iterable[str]:
        """The static view."""
        yield _fallback.table("", self._page(0, 12).drop(self.hidden))

    @property
    def hidden(self) -> list[str]:
        """Columns that the grid leaves out."""
        return [self._relation.key]

    @property
    def python(self) -> str:
        """The call that makes this table as it is now."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop following; closing twice is fine."""
        if not self._is_shut and self.is_ready:
            self.selection.unobserve(self._on_selection, "predicates")
            if self._live is not None:
                self._live.close()
        super().close()

    def change(self, *, is_data: bool = False) -> None:
        """Something about what is shown has changed; from any thread, at once."""
        self._version += 1
        if is_data:
            self._relation.changed()
        if self._live is not None:
            self._channel.fail(self._live.failure, "data")
        self.put_later("state", self._state)
        self.put_later("picked", self._picked)

    def data_moved(self) -> None:
        """The rows may be others now."""
        self.change(is_data=True)

    def _state(self) -> dict[str, Any]:
        begun, version = time.perf_counter(), self._version
        where, sql = self._where(), self.sql
        rows = self._relation.count()
        count = rows if where is None else self._relation.count(where)
        self.put(QUERY, {"sql": sql, "ms": (time.perf_counter() - begun) * 1000})
        return {
            "version": version,
            "rows": rows,
            "count": count,
            **self._described(),
            "hidden": self.hidden,
            "key": self._relation.key,
            "python": self.python,
        }

    def _picked(self) -> dict[str, Any]:
        return {"heard": self._turns, "keys": self.picked}  # in this order

    def _wanted(self) -> list[str]:
        """What the selection says is picked, whether it is still there or not."""
        held = self.selection.predicates.get(self.picks)
        is_mine = isinstance(held, OneOf) and held.column == self._relation.key
        return [str(v) for v in held.values] if is_mine and isinstance(held, OneOf) else []
