"""The base of views that show rows: sorted, searched, filtered by a selection, picked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pjais_lab.core.predicate import Predicate, all_of, columns_of
from pjais_lab.core.predicate_dict import from_dict
from pjais_lab.reactive.selection import Selection
from pjais_lab.storage.relation import Column, Direction, Sort, literal_sql
from pjais_lab.views import _fallback, _python
from pjais_lab.views._base import View
from pjais_lab.views._requests import answer
from pjais_lab.views._table_bars import brushed

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

__all__ = ["Rows", "RowsView", "narrowing"]

MOST_ROWS = 500
"""More rows are not sent at once."""
_STATIC = 12


class Rows(Protocol):
    """What can be asked for rows."""

    @property
    def columns(self) -> Sequence[Column]:
        """Name, type and kind of every column."""
        ...

    def sql(self, where: Predicate | None = None, *, sort: Sort = ()) -> str:
        """The query that finds rows."""
        ...

    def frame(self, where: Predicate | None = None, *, sort: Sort = ()) -> pl.DataFrame:
        """Rows with their own types."""
        ...

    def page(
        self, offset: int, limit: int, *, sort: Sort = (), where: Predicate | None = None
    ) -> pl.DataFrame:
        """Some of the rows."""
        ...

    def search(self, text: str) -> Predicate:
        """What finds a text in any column."""
        ...


def narrowing(
    selection: Selection | None, columns: Iterable[str], own: Iterable[str] = ()
) -> dict[str, Predicate]:
    """What of a selection narrows something, by name.

    Args:
        selection: shared with other views.
        columns: what there is.
        own: names that the view itself has put there.
    """
    held = {} if selection is None else selection.predicates
    names, mine = frozenset(columns), frozenset(own)
    return {n: p for n, p in held.items() if n not in mine and columns_of(p) <= names}


class RowsView(View):
    """Rows on a selection that other views share.

    Args:
        title: what is written above it.
        relation: the rows.
        picks: the name of the predicate that finds the picked rows.
        selection: shared with other views; a new one if None.
        sort: columns and directions, the most important first.
        search: a text that some column must contain.

    Raises:
        QueryError: ``sort`` names no column.
    """

    def __init__(
        self,
        title: str,
        relation: Rows,
        picks: str,
        *,
        selection: Selection | None,
        sort: Sort,
        search: str,
    ) -> None:
        super().__init__(title)
        self.selection = selection if selection is not None else Selection()
        self.picks = picks
        self._rows = relation
        self._search = search
        self._version = 0
        relation.sql(sort=sort)  # says what is wrong with it
        self._sort: Sort = tuple((name, direction) for name, direction in sort)

    # ------------------------------------------------------------ for the user
    @property
    def sql(self) -> str:
        """The query that finds what is shown."""
        return self._rows.sql(self._where(), sort=self._sort)

    @property
    def frame(self) -> pl.DataFrame:
        """What is shown: filtered, searched, sorted."""
        self._settle()
        return self._rows.frame(self._where(), sort=self._sort)

    @property
    def selected(self) -> pl.DataFrame:
        """The picked rows; all that are shown when none is picked."""
        self._settle()
        return self._rows.frame(self._where(picked=True), sort=self._sort)

    # ------------------------------------------------------------ what the browser asks
    @answer
    def filter(self, *, column: str, predicates: list[dict[str, Any]]) -> None:
        """Filter a column by any of some predicates; by none when there are none."""
        self.selection[column] = brushed([from_dict(p) for p in predicates])

    @answer
    def sort(self, *, by: list[tuple[str, Literal["asc", "desc"]]]) -> None:
        """Sort by columns."""
        order: list[tuple[str, Direction]] = list(by)
        self._rows.sql(sort=order)
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

    # ------------------------------------------------------------ for subclasses
    def change(self) -> None:
        """Something about what is shown has changed; from any thread, at once."""
        raise NotImplementedError

    def sections(self) -> Iterable[str]:
        """The static view."""
        self._settle()
        yield _fallback.table("", self._page(0, _STATIC))

    def _settle(self) -> None:
        """Take the newest rows."""

    def _page(self, start: int, count: int) -> pl.DataFrame:
        return self._rows.page(start, count, sort=self._sort, where=self._where())

    def _where(self, *, excluding: str | None = None, picked: bool = False) -> Predicate | None:
        """What filters the rows, save the predicates of columns that are not here."""
        own = {n for n in (excluding, None if picked else self.picks) if n is not None}
        held = [*narrowing(self.selection, self._names, own).values()]
        if self._search:
            held.append(self._rows.search(self._search))
        return all_of(held)

    @property
    def _names(self) -> list[str]:
        return [c.name for c in self._rows.columns]

    def _described(self) -> Mapping[str, Any]:
        """What the browser is told of columns, order and filters."""
        columns = self._rows.columns
        held = narrowing(self.selection, self._names, [self.picks])
        return {
            "columns": [{"name": c.name, "type": c.type, "kind": c.kind} for c in columns],
            "sort": [list(s) for s in self._sort],
            "search": self._search,
            "filters": {n: literal_sql(p) for n, p in held.items()},
        }

    def arguments(self) -> dict[str, str | None]:
        """The keywords that make this view as it is now, as Python."""
        held = {n: p for n, p in self.selection.predicates.items() if n != self.picks}
        items = (f"{name!r}: {_python.predicate(p)}" for name, p in held.items())
        return {
            "sort": repr(list(self._sort)) if self._sort else None,
            "search": repr(self._search) if self._search else None,
            "selection": f"pj.Selection({{{', '.join(items)}}})" if held else None,
        }
