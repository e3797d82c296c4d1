"""What a TimeMachine holds: two moments of one clock, a table, a selection; and how it moves."""

from __future__ import annotations

import itertools
import weakref
from typing import TYPE_CHECKING, Any, Final, Literal

from pjais_lab.core.markup import facts, trouble
from pjais_lab.core.predicate import Predicate, all_of
from pjais_lab.core.spelling import near
from pjais_lab.errors import ViewError
from pjais_lab.reactive.selection import Selection
from pjais_lab.storage.relation import Sort, literal_sql
from pjais_lab.views import _fallback
from pjais_lab.views._base import View
from pjais_lab.views._moments import Clock, Moment, moment_of
from pjais_lab.views.time_machine.diff import Diff
from pjais_lab.views.time_machine.history import History

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pjais_lab.lab.lab import Lab
    from pjais_lab.lab.past import PastLab

__all__ = ["Scrubbing", "Which"]

_NUMBERS: Final = itertools.count(1)
_NEWS: Final = "SELECT max(seq) AS position FROM events"
Which = Literal["at", "against"]


class Scrubbing(View):
    """The state of a TimeMachine; see there.

    Args:
        lab: an open lab.
        selection: shared with other views.
        at: the moment.
        against: the one to compare with.
        clock: what a time means.
        table: whose rows are shown.
        sort: their order.
        title: what is written above it.
    """

    def __init__(
        self,
        lab: Lab,
        *,
        selection: Selection | None = None,
        at: int | datetime | str | None = None,
        against: int | datetime | str | None = None,
        clock: Clock | None = None,
        table: str | None = None,
        sort: Sort = (),
        title: str | None = None,
    ) -> None:
        super().__init__(title if title is not None else f"Time machine of {lab.path.name}")
        self._lab, self._history = lab, History(lab)
        self.selection = selection if selection is not None else Selection()
        number = next(_NUMBERS)
        self.picks, self.link = f"rows then {number}", f"events between {number}"
        counted = any(isinstance(m, int) for m in (at, against))
        self._clock: Clock = clock or ("position" if counted else "world")
        self._at = moment_of(at, self._clock)
        self._against = None if against is None else moment_of(against, self._clock)
        self._table = self._checked(lab.tables[0] if table is None else table)
        self._sort: Sort = tuple((n, d) for n, d in sort)
        self._tick, self._until = 0, -1
        self._open_lab: tuple[Moment, weakref.ref[PastLab]] | None = None
        self._news = lab.live(_NEWS)
        moved = self._moved = _mover(self)
        self.selection.observe(moved, "predicates")
        self.follow("now", self._news, lambda f: f.row(0, named=True)["position"] or 0)
        self.following.add(self._news, moved, ["frame"])
        self.change()

    @property
    def python(self) -> str:
        """What makes this view as it is now."""
        raise NotImplementedError

    def sections(self) -> Iterable[str]:
        """The static view.

        Raises:
            ViewError: the lab is closed.
        """
        history, moment = self._history, self._at
        known = {"moment": moment.label, "events until then": f"{history.until(moment):,}"}
        if self._against is not None:
            known["compared with"] = self._against.label
        yield facts(known.items())
        if history.erased():
            yield trouble(_erased(history.erased()))
        counts = history.counts(moment)
        yield _fallback.part("Rows", facts((t, f"{n:,}") for t, n in counts.items()))
        if self._against is not None:
            diff = self._diff()
            yield _fallback.table("Differences", diff.counts())
            yield _fallback.table(f"Changes of {self._table}", diff.rows(self._table, 0, 12))
            return
        sql = history.sql(self._table, self._where(), self._sort)
        yield _fallback.table(self._table, history.page(moment, self._table, sql, 0, 12))

    @property
    def is_moving(self) -> bool:
        """Whether now is one of the moments: what was there in the past stays as it was."""
        return any(m is not None and m.value is None for m in (self._at, self._against))

    def close(self) -> None:
        """Forget what was folded and stop following; closing twice is fine."""
        if not self._is_shut and self.is_ready:
            self.selection.unobserve(self._moved, "predicates")
            self._history.folds.close()
        super().close()

    def change(self) -> None:
        """Something about what is shown has changed; from any thread, at once."""
        self.put_later("state", self._state)

    def moved(self) -> None:
        """The log has grown before the moment."""
        self._tick += 1
        self.change()

    # ------------------------------------------------------------ for the class itself
    def _go(self, which: Which, moment: Moment) -> None:
        if which == "at":
            self._at = moment
        else:
            self._against = moment
        self._until = -1
        self._relink()
        self.change()

    def _diff(self) -> Diff:
        if self._against is None:
            msg = "Nothing is compared."
            raise ViewError(msg, hint="Say against='now', or another moment.")
        return self._history.diff(self._at, self._against)

    def _relink(self) -> None:
        """Move what is picked of the events with the moments."""
        if self.link in self.selection:
            self.selection[self.link] = None if self._against is None else self._diff().events

    def _checked(self, table: str) -> str:
        if table not in self._lab.tables:
            msg = f"There is no table {table!r}."
            raise ViewError(msg, hint=near(table, self._lab.tables) or None, table=table)
        return table

    def _filters(self) -> dict[str, Predicate]:
        """What filters the rows, by name, without what is picked here."""
        own = {self.picks, self.link}
        held = self.selection.predicates.items()
        return {n: p for n, p in held if n not in own and self._history.fits(p, self._table)}

    def _where(self, *, picked: bool = False) -> Predicate | None:
        held = list(self._filters().values())
        if picked and self.picks in self.selection:
            held.append(self.selection[self.picks])
        return all_of(held)

    def _state(self) -> dict[str, Any]:
        at, against = self._at, self._against
        return {
            "rows": f"{self.sql} {at.given} {self._tick}",
            "diff": None if against is None else f"{at.given} {against.given} {self._tick}",
            "clock": self._clock,
            "at": at.value,
            "against": None if against is None else {"value": against.value},
            "table": self._table,
            "tables": self._lab.tables,
            "columns": [
                {"name": c.name, "type": c.type, "kind": c.kind}
                for c in self._history.columns(self._table)
            ],
            "sort": [list(s) for s in self._sort],
            "filters": {n: literal_sql(p) for n, p in self._filters().items()},
            "is_picked": self.picks in self.selection,
            "is_linked": self.link in self.selection,
            "python": self.python,
        }


def _mover(view: Scrubbing) -> Any:
    """Tells a view of changes without holding it."""
    me = weakref.ref(view)

    def moved(change: Any) -> None:
        found = me()
        if found is not None and change["name"] == "predicates":
            found.change()
        elif found is not None and found.is_moving:
            found.moved()

    return moved


def _erased(number: int) -> str:
    who = "One persona was" if number == 1 else f"{number:,} personas were"
    return f"{who} erased: nothing of them is left, at this moment neither."
