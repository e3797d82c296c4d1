"""What a timeline shows, worked out of the log's cubes: lanes, their counts, the axis."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
import polars as pl

from pjais_lab.core.predicate import Predicate
from pjais_lab.errors import ViewError
from pjais_lab.reactive import threads
from pjais_lab.storage.logcube import LogCube, bucket_at, bucket_us, step_for

__all__ = [
    "Lane",
    "Recounter",
    "Shown",
    "as_json",
    "busiest",
    "counted",
    "events_where",
    "is_counted",
    "labelling",
]

_MOST_BUCKETS: Final = 360
_MOST_LANES: Final = 40
_GAP_S: Final = 0.02
_MOST_EVENTS: Final = 1_000_000
Span = tuple[int, int]


class Lane(msgspec.Struct, frozen=True):
    """The events of one persona, of one name or of one actor.

    Attributes:
        key: which; None for those that have none.
        is_rest: whether these are all that have no lane of their own.
        label: what is written beside it.
        total: how many there are, whatever the other views pick.
        count: how many of them the other views leave.
        every: the total of each bucket.
        some: the count of each bucket; None when it is the total.
    """

    key: str | None
    is_rest: bool
    label: str
    total: int
    count: int
    every: list[int]
    some: list[int] | None


class Shown(msgspec.Struct, frozen=True):
    """What is shown; times are microseconds since 1970.

    Attributes:
        step: of one bucket.
        first: where the first bucket begins.
        buckets: how many there are.
        whole: when the log's first event was, and just after its last.
        lanes: the busiest first, those without a lane of their own last.
        others: how many values are in that last one; None when it is not there.
        events: how many events the log has.
        by: whether cubes told all of it, or rows had to be counted.
    """

    step: int
    first: int
    buckets: int
    whole: Span
    lanes: list[Lane]
    others: int | None
    events: int
    by: str

    @property
    def span(self) -> Span:
        """From when, and up to when."""
        return self.first, self.first + self.step * self.buckets


def counted(
    cube: LogCube,
    wanted: Span | None,
    where: Predicate | None,
    label: Callable[[str | None], str],
    *,
    is_coarse: bool = False,
) -> Shown | None:
    """What there is to show; None for an empty log.

    Args:
        cube: just refreshed.
        wanted: from when, and up to when; None for the whole log.
        where: what the other views have picked.
        label: names a lane.
        is_coarse: in steps that were counted already.
    """
    if cube.span is None:
        return None
    whole = cube.span[0], cube.span[1] + 1
    low, high = wanted or whole
    step = step_for(high - low, _MOST_BUCKETS, 1 if wanted and not is_coarse else cube.unit)
    while True:
        span = _aligned((low, high), step) if wanted else None
        every = cube.density(step, span)
        some = cube.density(every.step, span, where)
        if some.step == step:
            break
        step = some.step
    first, last = bucket_at(low, step), bucket_at(high - 1, step)
    cells = every.cells.join(
        some.cells.rename({"n": "some"}), on=["code", "bucket"], how="left", maintain_order="left"
    ).with_columns(pl.col("bucket") - first, pl.col("some").fill_null(0))
    lanes, others = _lanes(cells, every.lanes, last - first + 1, label, is_all=where is None)
    by = "rows" if "rows" in {every.by, some.by} else "cube"
    return Shown(
        step, bucket_us(first, step), last - first + 1, whole, lanes, others, cube.events, by
    )


def is_counted(cube: LogCube, wanted: Span | None) -> bool:
    """Whether no rows need to be counted to show a stretch as finely as it may be."""
    if wanted is None:
        return True
    step = step_for(wanted[1] - wanted[0], _MOST_BUCKETS)
    return cube.has(step, _aligned(wanted, step))


def _aligned(span: Span, step: int) -> Span:
    return bucket_us(bucket_at(span[0], step), step), bucket_us(
        bucket_at(span[1] - 1, step) + 1, step
    )


def _lanes(
    cells: pl.DataFrame,
    values: Mapping[int, str | None],
    buckets: int,
    label: Callable[[str | None], str],
    *,
    is_all: bool,
) -> tuple[list[Lane], int | None]:
    totals = (
        cells.group_by("code").agg(pl.col("n").sum()).sort(["n", "code"], descending=[True, False])
    )
    own = [code for code in totals["code"] if code in values]
    shown, folded = own[:_MOST_LANES], own[_MOST_LANES:]
    is_shown = pl.col("code").is_in(shown)
    parts = cells.filter(is_shown).partition_by("code", as_dict=True)
    lanes = [_lane(parts[(code,)], buckets, values[code], label, is_all=is_all) for code in shown]
    rest = cells.filter(~is_shown).group_by("bucket").agg(pl.col("n").sum(), pl.col("some").sum())
    if rest.is_empty():
        return lanes, None
    return [*lanes, _lane(rest, buckets, None, None, is_all=is_all)], len(folded)


def _lane(
    cells: pl.DataFrame,
    buckets: int,
    key: str | None,
    label: Callable[[str | None], str] | None,
    *,
    is_all: bool,
) -> Lane:
    every, some = [0] * buckets, [0] * buckets
    for bucket, n, left in cells.select("bucket", "n", "some").iter_rows():
        every[bucket] += n
        some[bucket] += left
    name = "others" if label is None else label(key)
    return Lane(key, label is None, name, sum(every), sum(some), every, None if is_all else some)


def busiest(shown: Shown, by: str) -> pl.DataFrame:
    """The lanes as a table."""
    rows = [(lane.label, lane.count, lane.total) for lane in shown.lanes]
    return pl.DataFrame(rows, schema=[by, "events", "of"], orient="row")


def labelling(by: str, people: pl.DataFrame) -> Callable[[str | None], str]:
    """Names lanes.

    Args:
        by: what has a lane.
        people: id and name of the personas.
    """
    names: dict[str, str] = dict(people.iter_rows()) if by == "persona" else {}
    return lambda key: f"no {by}" if key is None else names.get(key) or key


def events_where(ask: Callable[[str], pl.DataFrame], where: str) -> pl.DataFrame:
    """The events that meet a condition, by their time.

    Raises:
        ViewError: they are more than a million.
    """
    some = f"FROM events WHERE {where}"
    count = ask(f"SELECT count(*) {some}").item()
    if count > _MOST_EVENTS:
        msg = f"{count:,} events are selected; a frame holds at most {_MOST_EVENTS:,} of them."
        raise ViewError(msg, hint="Brush less, or write lab.query(…) for what you need.")
    return ask(f"SELECT * {some} ORDER BY occurred_at, id")


class Recounter:
    """Counts again in a thread of its own when something has changed, once for many changes.

    Args:
        work: counts; gives False when there is nothing to count for any more.
    """

    def __init__(self, work: Callable[[], bool]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._is_due = self._is_running = False

    def wake(self) -> None:
        """Something has changed; from any thread, at once."""
        with self._lock:
            self._is_due = True
            if not self._is_running:
                self._is_running = threads.begin(self._run, "pjais-timeline")

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._is_due or threads.is_over():
                    self._is_running = False
                    return
                self._is_due = False
            if not self._work():
                return
            time.sleep(_GAP_S)


def as_json(shown: Shown) -> dict[str, Any]:
    """The same in milliseconds, as the browser takes it."""
    return {
        "step": shown.step / 1000,
        "first": shown.first / 1000,
        "buckets": shown.buckets,
        "whole": [us / 1000 for us in shown.whole],
        "lanes": msgspec.to_builtins(shown.lanes),
        "others": shown.others,
        "events": shown.events,
        "by": shown.by,
    }
