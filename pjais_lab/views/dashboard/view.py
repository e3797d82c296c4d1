"""Dashboard: several views in one, on one selection, each opened, hidden and maximised by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from pjais_lab.core.markup import card, cut, line, sheet
from pjais_lab.core.predicate import Predicate, all_of, columns_of
from pjais_lab.core.spelling import near
from pjais_lab.errors import ViewError
from pjais_lab.reactive.selection import Selection
from pjais_lab.storage.relation import literal_sql
from pjais_lab.views import _cells, _marimo, _python
from pjais_lab.views._base import View
from pjais_lab.views._requests import answer
from pjais_lab.views._transport import QUERY
from pjais_lab.views._weak import calls
from pjais_lab.views.dashboard.layout import Layout, first_layout, remember
from pjais_lab.views.dashboard.slots import Slot, panels, placed, shared_selection, written

if TYPE_CHECKING:
    from pjais_lab.lab.lab import Lab

__all__ = ["Dashboard"]

_NEWEST: Final = 1_000
_CHIP: Final = 200
_LONG: Final = 4_000


class Dashboard(View):
    """Views in rows that share a selection.

    A view is made when its panel is first opened. A hidden one keeps its place but rests: commits
    cost nothing for it until it is shown again, or code asks it.

    Args:
        views: rows of views, their classes or names, or ``pj.views.panel(title, class)``.
        lab: an open lab, given to the views that the dashboard makes.
        selection: predicates shared by all of them; a new one if None.
        shown: titles of the panels that are open; as last time in this kernel if None.
        maximised: title of the panel that fills the dashboard.
        title: what is written above it.

    Attributes:
        selection: the predicates shared by all views.

    Raises:
        ViewError: something in ``views`` cannot be shown, or there is no panel of that title.
    """

    kind = "dashboard"

    def __init__(
        self,
        views: Sequence[Any],
        *,
        lab: Lab | None = None,
        selection: Selection | None = None,
        shown: Iterable[str] | None = None,
        maximised: str | None = None,
        title: str = "Dashboard",
    ) -> None:
        super().__init__(title)
        self._lab = lab
        self._known = {p.title: p for row in panels for p in row}
        self._is_usual = views is panels
        self._slots = placed(views, self._known)
        self.selection = shared_selection(selection, self._slots.values())
        self._place = (str(lab.path), title) if lab is not None else None
        self._placing = threading.RLock()
        layout = self._begin(shown, maximised)
        self._columns = frozenset(lab.query("FROM events LIMIT 0").columns if lab else ())
        self._picked = calls(self.pick)
        self.selection.observe(self._picked, "predicates")
        self._arrange(layout)
        for slot in self._slots.values() if _marimo.is_host() else ():
            self._open(slot)  # what is made later, outside a cell, marimo does not show
        self.pick()

    # ------------------------------------------------------------ for the user
    def __getitem__(self, title: str) -> Any:
        """The view of a panel, made if need be.

        Raises:
            ViewError: there is no such panel, or its view cannot be made.
        """
        slot = self._slot(title)
        self._open(slot)
        if slot.view is None:
            msg = f"The panel {title!r} could not be made: {slot.failure}"
            raise ViewError(msg, title=title)
        return slot.view

    @property
    def titles(self) -> list[str]:
        """The titles of the panels."""
        return list(self._slots)

    @property
    def shown(self) -> list[str]:
        """The titles of those that are open."""
        return [t for t in self._slots if t in self._layout.shown]

    @property
    def maximised(self) -> str | None:
        """The title of the one that fills the dashboard."""
        return self._layout.maximised

    @property
    def sql(self) -> str:
        """The newest events that the selection picks; without a lab, the first view's query.

        Raises:
            ViewError: there is neither a lab nor a view.
        """
        if self._lab is None:
            return str(self._made()[0].sql)
        return f"{_events(self._where())}\nORDER BY seq DESC LIMIT {_NEWEST}"

    @property
    def frame(self) -> pl.DataFrame:
        """What that query answers now.

        Raises:
            ViewError: there is neither a lab nor a view.
        """
        frame: pl.DataFrame = (
            self._made()[0].frame if self._lab is None else self._lab.query(self.sql)
        )
        return frame

    @property
    def selected(self) -> pl.DataFrame:
        """Every event that the selection picks; ``frame`` when nothing is selected."""
        if self._lab is None or self._where() is None:
            return self.frame
        return self._lab.query(f"{_events(self._where())}\nORDER BY seq DESC")

    @property
    def python(self) -> str:
        """The call that makes this dashboard as it is now; ``rows`` are views made before."""
        rows = written(self._slots.values(), self._known) if self._lab else None
        held = {n: _python.predicate(p) for n, p in self.selection.predicates.items()}
        items = ", ".join(f"{name!r}: {said}" for name, said in held.items())
        given = {
            "views": None if self._is_usual else rows or "rows",
            "shown": repr(self.shown),
            "maximised": repr(self.maximised) if self.maximised else None,
            "selection": f"pj.Selection({{{items}}})" if held else None,
        }
        if self._lab is None:
            return _python.call("pj.views.Dashboard", given.pop("views") or "rows", **given)
        said = ", ".join(f"{k}={v}" for k, v in given.items() if v)
        return f"lab.dashboard({said})"

    def show(self, title: str) -> None:
        """Open a panel.

        Raises:
            ViewError: there is no such panel.
        """
        self.place(title=title, is_shown=True)

    def hide(self, title: str) -> None:
        """Hide a panel; its view stays, but rests.

        Raises:
            ViewError: there is no such panel.
        """
        self.place(title=title, is_shown=False)

    # ------------------------------------------------------------ what the browser asks
    @answer
    def place(self, *, title: str, is_shown: bool) -> None:
        """Open or hide a panel.

        Raises:
            ViewError: there is no such panel.
        """
        self._slot(title)
        with self._placing:
            self._arrange(self._layout.place(title, is_shown=is_shown))

    @answer
    def maximise(self, *, title: str | None) -> None:
        """Let one panel fill the dashboard; None gives the others back.

        Raises:
            ViewError: there is no such panel.
        """
        if title is not None:
            self._slot(title)
        with self._placing:
            self._arrange(self._layout.maximise(title))

    @answer
    def drop(self, *, name: str) -> None:
        """Take a predicate out of the selection."""
        self.selection[name] = None

    @answer
    def clear(self) -> None:
        """Take all of them out."""
        self.selection.clear()

    # ------------------------------------------------------------ how it works
    def static(self) -> str:
        """The view as inert HTML: its own line, then each view that can be seen."""
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        held = self.selection.predicates.values()
        said = [f"selected: {cut(literal_sql(all_of([*held])), _CHIP)}"] if held else []
        return sheet(card(self._title, "", line(f"as of {now}", *said)), *self.sections())

    def sections(self) -> Iterable[str]:
        """The static form of each view that can be seen; the others by their titles."""
        here = self._layout.is_here
        yield from (slot.static() for title, slot in self._slots.items() if here(title))
        closed = [title for title in self._slots if not here(title)]
        if closed:
            yield line("not open", *closed)

    def pick(self) -> None:
        """The selection has changed; from any thread, at once."""
        self.put_later("selection", self._selection)

    def close(self) -> None:
        """Close it and every view in it; closing twice is fine."""
        if not self._is_shut and self.is_ready:
            self.selection.unobserve(self._picked, "predicates")
            for slot in self._slots.values():
                if slot.view is not None:
                    slot.view.close()
        super().close()

    def _begin(self, shown: Iterable[str] | None, maximised: str | None) -> Layout:
        asked = None if shown is None else frozenset([shown] if isinstance(shown, str) else shown)
        for title in (*(asked or ()), *([maximised] if maximised else ())):
            self._slot(title)
        usual = frozenset(t for t, slot in self._slots.items() if slot.panel.is_shown)
        return first_layout(self._place, self._slots, usual, asked, maximised)

    def _arrange(self, layout: Layout) -> None:
        self._layout = layout
        remember(self._place, layout)
        for title, slot in self._slots.items():
            if layout.is_here(title):
                self._open(slot)
            else:
                slot.attend(is_here=False)
        rows: dict[int, list[dict[str, Any]]] = {}
        for title, slot in self._slots.items():
            rows.setdefault(slot.row, []).append(slot.described(is_shown=title in layout.shown))
        state = {"rows": list(rows.values()), "maximised": layout.maximised, "python": self.python}
        self.put("panels", state)

    def _open(self, slot: Slot) -> None:
        with self._placing, _cells.born_with(self._birth):
            slot.open(self._lab, self.selection)
            slot.attend(is_here=self._layout.is_here(slot.panel.title))

    def _selection(self) -> dict[str, Any]:
        held = self.selection.predicates
        if self._lab is not None:
            self.put(QUERY, {"sql": cut(self.sql, _LONG)})
        return {
            "filters": {n: cut(literal_sql(p), _CHIP) for n, p in held.items()},
            "python": self.python,
        }

    def _slot(self, title: str) -> Slot:
        if title not in self._slots:
            msg = f"This dashboard has no panel {title!r}."
            raise ViewError(msg, hint=near(str(title), self._slots) or None, title=title)
        return self._slots[title]

    def _made(self) -> list[Any]:
        found = [s.view for s in self._slots.values() if isinstance(s.view, View)]
        if not found:
            msg = "This dashboard has no view whose rows could be given."
            raise ViewError(msg, hint="Ask one of its views: dashboard['title'].")
        return found

    def _where(self) -> Predicate | None:
        """What the selection says of events; predicates of other columns are left out."""
        held = self.selection.predicates.values()
        return all_of([p for p in held if columns_of(p) <= self._columns])


def _events(where: Predicate | None) -> str:
    return "SELECT * FROM events" + ("" if where is None else f"\nWHERE {literal_sql(where)}")  # noqa: S608
