"""Timeline: when events happened, by persona, name or actor; a stretch of time is brushed to select it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final, Literal

from pjais_lab.core.markup import facts
from pjais_lab.core.predicate import OneOf, Predicate, all_of, columns_of
from pjais_lab.core.spelling import near
from pjais_lab.errors import ViewError
from pjais_lab.reactive.live_query import LiveQuery
from pjais_lab.reactive.selection import Selection
from pjais_lab.storage.logcube import LogCube
from pjais_lab.storage.relation import literal_sql
from pjais_lab.views import _fallback, _log, _python
from pjais_lab.views._base import View
from pjais_lab.views._requests import answer
from pjais_lab.views._rows import narrowing
from pjais_lab.views._transport import QUERY
from pjais_lab.views._weak import calls
from pjais_lab.views.timeline.shown import (
    Recounter,
    Shown,
    as_json,
    busiest,
    counted,
    events_where,
    is_counted,
    labelling,
)
from pjais_lab.views.timeline.time import (
    TIME,
    ends_of,
    interval,
    is_followed,
    micros,
    moment,
    stretch,
    us_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    import polars as pl

    from pjais_lab.views._log import Log

__all__ = ["Timeline"]

LANES: Final = {"persona": "persona_id", "name": "name", "actor": "actor"}
_PEOPLE: Final = "SELECT id::VARCHAR AS id, name FROM personas"


class Timeline(View):
    """How many events happened when, in lanes, live; however many there are.

    Args:
        lab: an open lab, or a past one (``lab.at(…)``), whose log ends at its moment.
        by: what has a lane of its own: ``persona``, ``name`` (of the event) or ``actor``.
        selection: shared with other views: what they pick is counted before all there is.
        between: from when, and up to when, UTC if naive; the whole log if None.
        follow: whether the stretch that is shown moves on with the newest event; only the whole
            log does if None; that of a past lab never does.
        title: what is written above it.

    Raises:
        ViewError: that is no lab, ``by`` is none of these, ``between`` is no stretch of time, or
            a past lab is to be followed.

    Attributes:
        selection: the brushed time under ``occurred_at``, the picked lanes under their column.
    """

    kind = "timeline"

    def __init__(
        self,
        lab: Log,
        *,
        by: Literal["persona", "name", "actor"] = "persona",
        selection: Selection | None = None,
        between: tuple[datetime, datetime] | None = None,
        follow: bool | None = None,
        title: str | None = None,
    ) -> None:
        if by not in LANES:
            msg = f"by={by!r} of a timeline; expected {', '.join(LANES)}."
            raise ViewError(msg, hint=near(str(by), LANES) or None)
        self._moment = _log.said(_log.checked(lab, "A Timeline"))
        super().__init__(title if title is not None else "Timeline")
        self.selection = selection if selection is not None else Selection()
        self._lab, self._by, self._column = lab, by, LANES[by]
        self._between = None if between is None else stretch(*map(micros, between))
        self._is_doubtful = False
        self._follow = is_followed(self._moment, follow=follow, is_whole=between is None)
        self._version = self._shown_version = 0
        self._shown: Shown | None = None
        self._counting = threading.RLock()
        self._cube = LogCube(lab.query, lambda: lab.position, self._column)
        self._recounter = Recounter(calls(self.recount))
        moved = self._moved = calls(self.change)
        self.selection.observe(moved, "predicates")
        people = self._people = _log.frame_of(lab, _PEOPLE)
        if isinstance(people, LiveQuery):
            self.following.add(people, moved, ["version", "error", "frame"])
        self.change()

    # ------------------------------------------------------------ for the user
    @property
    def sql(self) -> str:
        """The query that counts what is shown."""
        shown, step = self._shown, 86_400_000_000 if self._shown is None else self._shown.step
        conditions = [literal_sql(p) for p in self._others()]
        if shown is not None and self._between is not None:
            conditions.append(literal_sql(interval(shown.span)))
        where = f"\nWHERE {' AND '.join(f'({c})' for c in conditions)}" if conditions else ""
        return (
            f"SELECT time_bucket(to_microseconds({step}), occurred_at, TIMESTAMP '0001-01-01')"
            f' AS "from", {self._column}, count(*) AS events\nFROM events{where}'
            "\nGROUP BY ALL ORDER BY 1, 3 DESC, 2"
        )

    @property
    def frame(self) -> pl.DataFrame:
        """What that query answers now: events of each lane and bucket."""
        self._settle()
        return self._lab.query(self.sql)

    @property
    def selected(self) -> pl.DataFrame:
        """The events that are brushed and picked, here and in the other views.

        Raises:
            ViewError: they are more than a million.
        """
        held = [
            p for p in self.selection.predicates.values() if columns_of(p) <= self._cube.columns
        ]
        where = literal_sql(all_of(held))
        return events_where(self._lab.query, where)

    @property
    def python(self) -> str:
        """The call that makes this timeline as it is now."""
        held = self.selection.predicates
        items = (f"{name!r}: {_python.predicate(p)}" for name, p in held.items())
        between = None if self._between is None else tuple(map(moment, self._between))
        is_usual = between is None and self._moment is None
        return _python.call(
            "pj.views.Timeline",
            _log.argument(self._lab),
            by=None if self._by == "persona" else repr(self._by),
            between=None if between is None else repr(between),
            follow=None if self._follow is is_usual else repr(self._follow),
            selection=f"pj.Selection({{{', '.join(items)}}})" if held else None,
        )

    # ------------------------------------------------------------ what the browser asks
    @answer
    def brush(self, *, low: float | None = None, high: float | None = None) -> None:
        """Select a stretch of time, in milliseconds since 1970; nothing clears it."""
        found = None if low is None or high is None else stretch(us_of(low), us_of(high))
        self.selection[TIME] = None if found is None else interval(found)

    @answer
    def pick(self, *, lanes: list[str | None]) -> None:
        """Select the events of some lanes; of all when there are none."""
        self.selection[self._column] = OneOf(self._column, lanes) if lanes else None

    @answer
    def zoom(self, *, low: float | None = None, high: float | None = None) -> None:
        """Show a stretch of time, in milliseconds since 1970; nothing shows the whole log."""
        found = None if low is None or high is None else stretch(us_of(low), us_of(high))
        last = self._cube.span
        # Who looks at what is past does not want to be carried away.
        follow = found is None or (self._follow and last is not None and found[1] > last[1])
        self._between, self._follow = found, follow and self._moment is None
        self.change()

    @answer
    def follow_end(self, *, on: bool) -> None:
        """Move on with the newest event, or stay, as a past log always does."""
        self._follow = on and self._moment is None
        self.change()

    @answer
    def drop(self, *, name: str) -> None:
        """Take a predicate away."""
        self.selection[name] = None

    @answer
    def clear(self) -> None:
        """Take the brush and the picked lanes away."""
        self.selection.update({TIME: None, self._column: None})

    # ------------------------------------------------------------ how it works
    def sections(self) -> Iterable[str]:
        """The static view."""
        if self._moment is not None:
            yield facts([("the log", self._moment)])
        self._settle()
        shown = self._shown
        if shown is None:
            return
        rows = [lane.every if lane.some is None else lane.some for lane in shown.lanes]
        total = [float(sum(bucket)) for bucket in zip(*rows, strict=True)]
        begin, end = (f"{moment(us):%Y-%m-%d %H:%M}" for us in shown.span)
        yield _fallback.course(f"Events from {begin} to {end} UTC", total, max([1.0, *total]))
        yield _fallback.table(f"Events by {self._by}", busiest(shown, self._by))

    def close(self) -> None:
        """Stop following; closing twice is fine."""
        if not self._is_shut and self.is_ready:
            self.selection.unobserve(self._moved, "predicates")
            self._people.close()
        super().close()

    def refresh(self) -> None:
        """Look for what was erased."""
        self._is_doubtful = True
        self.change()

    def change(self) -> None:
        """Something about what is shown has changed; from any thread, at once."""
        self._version += 1
        if not self.following.is_resting:
            self._recounter.wake()

    def recount(self) -> None:
        """Count, and show it. An error is shown instead."""
        failure: BaseException | None = self._people.failure
        try:
            if failure is None:
                self._settle()
        except Exception as error:  # noqa: BLE001 - shown where it belongs
            failure = error
        self._channel.fail(failure, "events")

    def _settle(self) -> None:
        """Count what has changed since the last time."""
        with self._counting:
            version, begun = self._version, time.perf_counter()
            if self._is_shut or (
                version == self._shown_version and self._cube.position == self._lab.position
            ):
                return
            is_doubtful, self._is_doubtful = self._is_doubtful, False
            self._cube.refresh(check=is_doubtful)
            self._move_on()
            if not is_counted(self._cube, self._between):
                self._show(version, is_coarse=True)
            self._show(version)
            self._shown_version = version
            self.put(QUERY, {"sql": self.sql, "ms": (time.perf_counter() - begun) * 1000})

    def _show(self, version: int, *, is_coarse: bool = False) -> None:
        where, label = all_of(self._others()), labelling(self._by, self._people.frame)
        self._shown = counted(self._cube, self._between, where, label, is_coarse=is_coarse)
        self.put("state", self._state(version))

    def _move_on(self) -> None:
        """Let the stretch that is shown end with the newest event."""
        whole, span = self._cube.span, self._between
        if self._follow and whole is not None and span is not None and whole[1] >= span[1]:
            self._between = whole[1] + 1 - (span[1] - span[0]), whole[1] + 1

    def _state(self, version: int) -> dict[str, Any]:
        held = self.selection.predicates
        mine = held.get(self._column)
        found = narrowing(self.selection, self._cube.columns)
        shown = None if self._shown is None else as_json(self._shown)
        return {
            "version": version,
            "moment": self._moment,
            "by": self._by,
            "shown": shown,
            "brush": ends_of(held.get(TIME)),
            "picked": list(mine.values) if isinstance(mine, OneOf) else [],
            "isZoomed": self._between is not None,
            "follow": self._follow,
            "filters": {n: literal_sql(p) for n, p in found.items()},
            "python": self.python,
        }

    def _others(self) -> list[Predicate]:
        """What filters the counts: what this view has not picked itself."""
        own = {TIME, self._column}
        return [*narrowing(self.selection, self._cube.columns, own).values()]
