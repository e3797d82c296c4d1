"""The base of tables over a lab's own state: nothing is copied, rows are picked by their keys.

A subclass says what its rows are with an ``AskedRelation`` and a cheap live query whose answer may
change whenever they do.
"""

from __future__ import annotations

import itertools
import time
import weakref
from typing import TYPE_CHECKING, Any, Final, Literal

from pjais_lab.core.predicate import AnyOf, OneOf, Predicate, all_of, columns_of
from pjais_lab.core.predicate_dict import from_dict, to_dict
from pjais_lab.errors import ViewError
from pjais_lab.reactive.selection import Selection
from pjais_lab.storage.relation import Direction, Sort, literal_sql
from pjais_lab.views import _fallback, _python
from pjais_lab.views._acting import ActingView
from pjais_lab.views._requests import answer
from pjais_lab.views._transport import QUERY

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from pjais_lab.reactive.live_query import LiveQuery
    from pjais_lab.storage.asked import AskedRelation
    from pjais_lab.storage.relation import Summary

__all__ = ["AskedTable"]

_MOST_ROWS: Final = 500
MOST_PICKED: Final = 10_000
_NUMBERS: Final = itertools.count(1)


class AskedTable(ActingView):
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
        super().__init__(title)
        self.selection = selection if selection is not None else Selection()
        self.picks = f"rows of {self.kind} {next(_NUMBERS)}"
        self._relation = relation
        self._live = live
        self._sort: Sort = tuple(sort)
        self._search = search
        self._version = 0
        self._relation.sql(self._where(), sort=self._sort)
        self._on_selection, self._on_data = _movers(self)
        self.selection.observe(self._on_selection, "predicates")
        if live is not None:
            live.observe(self._on_data, ["runs", "error"])
            live.wait()  # its first answer tells nobody
        self.change()

    # ------------------------------------------------------------ for the user
    @property
    def sql(self) -> str:
        """The query that finds what is shown."""
        return self._relation.sql(self._where(), sort=self._sort)

    @property
    def frame(self) -> pl.DataFrame:
        """What is shown: filtered, searched, sorted."""
        return self._relation.frame(self._where(), sort=self._sort)

    @property
    def selected(self) -> pl.DataFrame:
        """The picked rows; all that are shown when none is picked."""
        return self._relation.frame(self._where(picked=True), sort=self._sort)

    @property
    def picked(self) -> list[str]:
        """The keys of the picked rows that are still there, in the order they were picked."""
        wanted, key = self._wanted(), self._relation.key
        return self._relation.some(wanted, key)[key].to_list() if wanted else []

    def arguments(self) -> dict[str, str | None]:
        """The keywords that make this table as it is now, as Python."""
        held = self._filters()
        items = (f"{name!r}: {_python.predicate(p)}" for name, p in held.items())
        return {
            "sort": repr(list(self._sort)) if self._sort else None,
            "search": repr(self._search) if self._search else None,
            "selection": f"pj.Selection({{{', '.join(items)}}})" if held else None,
        }

    # ------------------------------------------------------------ what the browser asks
    @answer
    def rows(self, *, start: int, count: int) -> pl.DataFrame:
        """Some of the rows."""
        some = min(count, _MOST_ROWS)
        return self._relation.page(start, some, sort=self._sort, where=self._where())

    @answer
    def summary(self, *, column: str) -> dict[str, Any]:
        """What lies in a column, filtered by all the others."""
        return _summed_up(self._relation.summary(column, where=self._where(excluding=column)))

    @answer
    def filter(self, *, column: str, predicates: list[dict[str, Any]]) -> None:
        """Filter a column by any of some predicates; by none when there are none."""
        made = [from_dict(p) for p in predicates]
        self.selection[column] = made[0] if len(made) == 1 else AnyOf(made) if made else None

    @answer
    def sort(self, *, by: list[tuple[str, Literal["asc", "desc"]]]) -> None:
        """Sort by columns."""
        order: list[tuple[str, Direction]] = list(by)
        self._relation.sql(sort=order)
        self._sort = tuple(order)
        self.change()

    @answer
    def search(self, *, text: str) -> None:
        """Show the rows that contain a text."""
        self._search = text
        self.change()

    @answer
    def clear(self) -> None:
        """Take away filters, picks and the search."""
        self._search = ""
        self.selection.clear()
        self.change()

    @answer
    def pick(self, *, keys: list[str], span: tuple[int, int] | None = None) -> None:
        """Pick rows by their keys, and all rows from one place to another.

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

    # ------------------------------------------------------------ how it works
    def sections(self) -> Iterable[str]:
        """The static view."""
        page = self._relation.page(0, 12, sort=self._sort, where=self._where())
        yield _fallback.table("", page.drop(self.hidden))

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
        self.put_later("picked", lambda: self.picked)

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
            "columns": [
                {"name": c.name, "type": c.type, "kind": c.kind} for c in self._relation.columns
            ],
            "hidden": self.hidden,
            "key": self._relation.key,
            "sort": [list(s) for s in self._sort],
            "search": self._search,
            "filters": {n: literal_sql(p) for n, p in self._filters().items()},
            "python": self.python,
        }

    def _wanted(self) -> list[str]:
        """What the selection says is picked, whether it is still there or not."""
        held = self.selection.predicates.get(self.picks)
        is_mine = isinstance(held, OneOf) and held.column == self._relation.key
        return [str(v) for v in held.values] if is_mine and isinstance(held, OneOf) else []

    def _where(self, *, excluding: str | None = None, picked: bool = False) -> Predicate | None:
        """What filters the rows, save the predicates of columns that are not here."""
        names = {c.name for c in self._relation.columns}
        held = [
            p
            for name, p in self.selection.predicates.items()
            if name != excluding and (picked or name != self.picks) and columns_of(p) <= names
        ]
        if self._search:
            held.append(self._relation.search(self._search))
        return all_of(held)

    def _filters(self) -> dict[str, Predicate]:
        """The selection without what is picked here."""
        return {n: p for n, p in self.selection.predicates.items() if n != self.picks}


def _summed_up(found: Summary) -> dict[str, Any]:
    column = found.column
    bars = [
        [f"{b.low!s} – {b.high!s}", b.total, b.count, to_dict(b.within(column))] for b in found.bins
    ]
    bars += [[t.value, t.total, t.count, to_dict(OneOf(column, [t.value]))] for t in found.top]
    rest = {n: getattr(found, n) for n in ("kind", "nulls", "others", "distinct")}
    return {"bars": bars, **rest}


def _movers(table: AskedTable) -> tuple[Any, Any]:
    """Tell a table that the selection, or the data, has moved, without holding it."""
    me = weakref.ref(table)

    def selected(_change: object) -> None:
        found = me()
        if found is not None:
            found.change()

    def moved(_change: object) -> None:
        found = me()
        if found is not None:
            found.change(is_data=True)

    return selected, moved
