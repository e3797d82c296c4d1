"""TimeMachine: scrub to any moment of the log, see what was there, compare two moments."""

from __future__ import annotations

import time
import weakref
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import UUID

import polars as pl

from pjais_lab.core.predicate import OneOf
from pjais_lab.errors import ViewError
from pjais_lab.storage.relation import Direction
from pjais_lab.views import _python
from pjais_lab.views._moments import Clock, Moment, moment_of
from pjais_lab.views._requests import answer
from pjais_lab.views._transport import QUERY
from pjais_lab.views.time_machine.courses import STEPS
from pjais_lab.views.time_machine.scrubbing import Scrubbing, Which

if TYPE_CHECKING:
    from pjais_lab.lab.past import PastLab

__all__ = ["TimeMachine"]

_MOST_ROWS: Final = 500
_MOST_PICKED: Final = 1_000


class TimeMachine(Scrubbing):
    """Any moment of a lab: how many rows its tables had, the rows of one of them, and what differs
    from another moment.

    Args:
        lab: an open lab.
        selection: shared with other views: the rows are filtered by what the others have picked.
        at: a position of the log, or a time (UTC if naive) or its text; None for now.
        against: the moment to compare with, given likewise; ``"now"`` for now, None for nothing.
        clock: what a time means, the personas' ``world`` or the ``commit``; ``position`` counts
            events. A number in ``at`` or ``against`` means ``position``.
        table: whose rows are shown; the first one's if None.
        sort: columns and directions, the most important first.
        title: what is written above it.

    Raises:
        ViewError: there is no such moment or table.

    Attributes:
        selection: what the views of this selection have picked.
        picks: the name of the predicate that finds the picked rows.
        link: the name of the predicate that finds the events between the two moments.
    """  # noqa: D205 - one sentence

    kind = "time_machine"

    # ------------------------------------------------------------ for the user
    @property
    def lab(self) -> PastLab:
        """A read-only lab at the moment, yours to ask and to close; the same one while you hold it."""
        moment, held = self._at, self._open_lab
        found = held[1]() if held is not None and held[0] == moment else None
        if found is None or found.is_closed or moment.value is None:
            when: Any = moment.value if moment.clock == "position" else moment.given.strip("'")
            is_commit = moment.clock == "commit" and moment.value is not None
            found = self._lab.at(
                self._lab.position if moment.value is None else when,
                clock="commit" if is_commit else "world",
            )
            self._open_lab = moment, weakref.ref(found)
        return found

    @property
    def sql(self) -> str:
        """The query that finds the rows that are shown; ``view.lab.query`` answers it."""
        return self._history.sql(self._table, self._where(), self._sort)

    @property
    def frame(self) -> pl.DataFrame:
        """The rows that are shown: of one table, at the moment."""
        return self._history.frame(self._at, self._table, self.sql)

    @property
    def selected(self) -> pl.DataFrame:
        """The picked rows; all that are shown when none is picked."""
        sql = self._history.sql(self._table, self._where(picked=True), self._sort)
        return self._history.frame(self._at, self._table, sql)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows each table had at the moment."""
        return self._history.counts(self._at)

    @property
    def diff(self) -> pl.DataFrame:
        """What differs in the table, from the earlier moment to the later.

        ``label`` is what a person recognises an entity of any table by, as it is in the newer of
        the two moments: the first of its columns ``name``, ``title``, ``label``, ``subject``,
        ``content``, ``text``, ``summary``, ``description`` that says something; in a table without
        these, the first text column that does.

        Raises:
            ViewError: nothing is compared.
        """
        return self._diff().rows(self._table)

    @property
    def between(self) -> pl.DataFrame:
        """How many events of each name there are between the two moments.

        Raises:
            ViewError: nothing is compared.
        """
        return self._history.events(self._diff())

    @property
    def python(self) -> str:
        """The call that makes this view as it is now, and the one that opens a lab at its moment."""
        at, against, held = self._at, self._against, self._filters()
        items = (f"{name!r}: {_python.predicate(p)}" for name, p in held.items())
        given = [m for m in (at, against) if m is not None and m.value is not None]
        is_inferred = at.clock == "position" and bool(given)
        made = _python.call(
            "pj.views.TimeMachine",
            "lab",
            at=None if at.value is None else at.given,
            against=against.given if against is not None else None,
            clock=None if at.clock == "world" or is_inferred else repr(at.clock),
            table=repr(self._table) if self._table != self._lab.tables[0] else None,
            sort=repr(list(self._sort)) if self._sort else None,
            selection=f"pj.Selection({{{', '.join(items)}}})" if held else None,
        )
        return f"{made}\npast = {at.at(self._lab.position)}"

    # ------------------------------------------------------------ what the browser asks
    @answer
    def scale(self) -> dict[str, Any]:
        """From where to where the clock goes, and how many events fell into each step."""
        span = self._history.span(self._clock)
        until = self._history.until(self._at)
        if self._until not in {-1, until}:
            self.moved()  # something has come before the moment, or has been erased
        self._until = until
        density, erased = self._history.density(span), self._history.erased()
        edges = [span.edge(n) for n in range(STEPS + 1)]
        found = {"clock": span.clock, "low": span.low, "high": span.high, "edges": edges}
        return found | {"density": density, "erased": erased, "position": span.position}

    @answer
    def growth(self) -> dict[str, list[int]]:
        """How many rows each table had at the end of each step."""
        return self._history.growth(self._history.span(self._clock))

    @answer
    def exact(self) -> dict[str, Any]:
        """How many rows each table had at the moment, and how many events there were."""
        return {"counts": self.counts, "events": self._history.until(self._at)}

    @answer
    def size(self) -> int:
        """How many rows are shown."""
        return self._history.size(self._at, self._table, self._where(), "rows")

    @answer
    def rows(self, *, start: int, count: int) -> pl.DataFrame:
        """Some of the rows; a newer moment stops an older one."""
        begun, sql, some = time.perf_counter(), self.sql, max(0, min(count, _MOST_ROWS))
        found = self._history.page(self._at, self._table, sql, max(0, start), some)
        self._took(begun)
        return found

    @answer
    def differences(self) -> dict[str, pl.DataFrame]:
        """Rows added, removed and changed of each table, and the events between."""
        diff = self._diff()
        size = pl.DataFrame({"size": [diff.size(self._table, "diff")]})
        return {"tables": diff.counts("diff"), "events": self._history.events(diff), "size": size}

    @answer
    def changes(self, *, start: int, count: int) -> pl.DataFrame:
        """Some rows of the difference of the table."""
        begun, some = time.perf_counter(), max(0, min(count, _MOST_ROWS))
        found = self._diff().rows(self._table, max(0, start), some, "diff")
        self._took(begun)
        return found

    @answer
    def move(self, *, which: Which, value: int | None) -> None:
        """Go to a moment; None is now."""
        self._go(which, Moment(self._clock, value))

    @answer
    def say(self, *, which: Which, text: str) -> None:
        """Go to a moment as somebody types it.

        Raises:
            ViewError: it is none.
        """
        self._go(which, moment_of(text, self._clock))

    @answer
    def step(self, *, which: Which, steps: int) -> None:
        """Go some events on, or back."""
        span = self._history.span(self._clock)
        moment = self._at if which == "at" else self._against or self._at
        given = span.high if moment.value is None else moment.value
        found: int | None = given + steps
        if self._clock != "position" and steps:
            found = self._history.step(Moment(self._clock, given), steps)
        is_beyond = found is None or found > span.high
        if is_beyond:
            found = None if steps > 0 else span.low
        self._go(which, Moment(self._clock, None if found is None else max(span.low, found)))

    @answer
    def choose(self, *, table: str) -> None:
        """Show another table.

        Raises:
            ViewError: there is none of that name.
        """
        self._table, self._sort = self._checked(table), ()
        self.selection[self.picks] = None
        self.change()

    @answer
    def count_by(self, *, clock: Clock) -> None:
        """Use another clock; the moments stay as near as they can."""
        if clock != self._clock:
            self._at = self._history.translated(self._at, clock)
            if self._against is not None:
                self._against = self._history.translated(self._against, clock)
            self._clock, self._until = clock, -1
            self._relink()
            self.change()

    @answer
    def compare(self, *, on: bool) -> None:
        """Compare with now, or with the beginning when the moment is now; or with nothing."""
        other = None
        if on:
            span = self._history.span(self._clock)
            other = Moment(self._clock, span.low if self._at.value is None else None)
        self._against = other
        self._relink()
        self.change()

    @answer
    def link_events(self, *, on: bool) -> None:
        """Pick the events between the two moments in the selection, or no more."""
        self.selection[self.link] = self._diff().events if on else None

    @answer
    def sort(self, *, by: list[tuple[str, Literal["asc", "desc"]]]) -> None:
        """Sort by columns."""
        order: list[tuple[str, Direction]] = list(by)
        self._sort = tuple(order)
        self.change()

    @answer
    def unfilter(self, *, name: str) -> None:
        """Take a filter of the rows away."""
        self.selection[name] = None

    @answer
    def pick(self, *, ids: list[UUID]) -> None:
        """Pick rows by their ids.

        Raises:
            ViewError: they are too many.
        """
        if len(ids) > _MOST_PICKED:
            msg = f"{len(ids):,} rows were to be picked; at most {_MOST_PICKED:,} can be."
            raise ViewError(msg, hint="Filter the rows.")
        self.selection[self.picks] = OneOf("entity_id", [str(i) for i in ids]) if ids else None

    def _took(self, begun: float) -> None:
        sql = f"{self.sql}\n-- asked of {self._at.at(self._lab.position)}"
        self.put(QUERY, {"sql": sql, "ms": (time.perf_counter() - begun) * 1000})
