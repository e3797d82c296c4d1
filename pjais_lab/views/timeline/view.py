"""Timeline: when events happened, by persona, name or actor; a stretch of time is brushed to select it."""

from __future__ import annotations

import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, Final, Literal

from pjais_lab.core.predicate import OneOf, Predicate, all_of, columns_of
from pjais_lab.core.spelling import near
from pjais_lab.errors import ViewError
from pjais_lab.reactive.selection import Selection
from pjais_lab.storage.logcube import LogCube
from pjais_lab.storage.relation import literal_sql
from pjais_lab.views import _fallback, _python
from pjais_lab.views._base import View
from pjais_lab.views._requests import answer
from pjais_lab.views._rows import narrowing
from pjais_lab.views._transport import QUERY
from pjais_lab.views.timeline.shown import Recounter, Shown, as_json, busiest, counted, is_counted
from pjais_lab.views.timeline.time import TIME, ends_of, interval, micros, moment, stretch, us_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    import polars as pl

    from pjais_lab.lab.lab import Lab
    from pjais_lab.reactive.live_query import LiveQuery

__all__ = ["Timeline"]

LANES: Final = {"persona": "persona_id", "name": "name", "actor": "actor"}
_MOST_SELECTED: Final = 1_000_000
_PEOPLE: Final = "SELECT id::VARCHAR AS id, name FROM personas"


class Timeline(View):
    """How many events happened when, in lanes, live; however many there are.

    Args:
        lab: an open lab.
        by: what has a lane of its own: ``persona``, ``name`` (of the event) or ``actor``.
        selection: shared with other views: what they pick is counted before all there is.
        between: from when, and up to when, UTC if naive; the whole log if None.
        follow: whether the stretch that is shown moves on with the newest event; only the whole
            log does if None.
        title: what is written above it.

    Raises:
        ViewError: ``by`` is none of these, or ``between`` is no stretch of time.

    Attributes:
        selection: the brushed time under ``occurred_at``, the picked lanes under their column.
    """

    kind = "timeline"

    def __init__(
        self,
        lab: Lab,
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
        super().__init__(title if title is not None else "Timeline")
        self.selection = selection if selection is not None else Selection()
        self._lab, self._by, self._column = lab, by, LANES[by]
        self._between = None if between is None else stretch(*map(micros, between))
        self._is_doubtful = False
        self._follow = between is None if follow is None else follow
        self._version = self._shown_version = 0
        self._shown: Shown | None = None
        self._counting = threading.RLock()
        self._cube = LogCube(lab.query, lambda: lab.position, self._column)
        self._recounter = Recounter(_telling(self, Timeline.recount))
        moved = self._moved = _telling(self, Timeline.change)
        self.selection.observe(moved, "predicates")
        self._people = lab.live(_PEOPLE)
        self.following.add(self._people, moved, ["version", "error", "frame"])
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
        count = self._lab.query(f"SELECT count(*) FROM events WHERE {where}").item()  # noqa: S608
        if count > _MOST_SELECTED:
            msg = (
                f"{count:,} events are selected; a frame holds at most {_MOST_SELECTED:,} of them."
            )
            raise ViewError(msg, hint="Brush less, or write lab.query(…) for what you need.")
        return self._lab.query(f"SELECT * FROM events WHERE {where} ORDER BY occurred_at, id")  # noqa: S608

    @property
    def python(self) -> str:
        """The call that makes this timeline as it is now."""
        held = self.selection.predicates
        items = (f"{name!r}: {_python.predicate(p)}" for name, p in held.items())
        between = None if self._between is None else tuple(map(moment, self._between))
        return _python.call(
            "pj.views.Timeline",
            "lab",
            by=None if self._by == "persona" else repr(self._by),
            between=None if between is None else repr(between),
            follow=None if self._follow is (between is None) else repr(self._follow),
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
        self._follow = found is None or (self._follow and last is not None and found[1] > last[1])
        self._between = found
        self.change()

    @answer
    def follow_end(self, *, on: bool) -> None:
        """Move on with the newest event, or stay."""
        self._follow = on
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
            self._people.unobserve(self._moved, ["version", "error", "frame"])
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
        where, label = all_of(self._others()), _labelling(self._by, self._people)
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


def _labelling(by: str, people: LiveQuery) -> Callable[[str | None], str]:
    """Names lanes."""
    names: dict[str, str] = dict(people.frame.iter_rows()) if by == "persona" else {}
    return lambda key: f"no {by}" if key is None else names.get(key) or key


def _telling(view: Timeline, act: Callable[[Timeline], None]) -> Callable[..., bool]:
    """Does something with a timeline without holding it; False when it is gone."""
    me = weakref.ref(view)

    def tell(_change: object = None) -> bool:
        found = me()
        if found is not None:
            act(found)
        return found is not None

    return tell
