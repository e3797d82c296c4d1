"""A filtered log by place: how many events there are, and the few of them that a page shows.

Ten million events must scroll, so nothing is sorted and no rows are skipped. One pass counts the
events in every stretch of a thousand positions; a place is then a stretch and a remainder, and a
page reads the stretches that it lies in. What is committed later only adds to the last ones.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import polars as pl

__all__ = ["Places"]

STRETCH: Final = 1_000
_BLOCK: Final = 500
_MOST_HELD: Final = 16
NEAR: Final = 2_000
_CUT: Final = 600
_COLUMNS: Final = (
    "seq, id, name, persona_id, actor, occurred_at, committed_at,"
    f" left(CAST(args AS VARCHAR), {_CUT}) AS args"
)
_EVERYTHING: Final = "true"
Ask = Callable[[str], pl.DataFrame]


class Places:
    """Where the events of a filter lie. Asked from any thread.

    Args:
        ask: answers SQL.
        condition: which events, as SQL.
        missed: called when there is more to count than ``follow`` did, because somebody was counting.

    Attributes:
        revision: goes up when events that were there before are gone, so that places have shifted.
        known: how many events up to which position; None before they were counted.
    """

    def __init__(
        self,
        ask: Ask,
        condition: str,
        missed: Callable[[], object],
    ) -> None:
        self.condition = condition
        self.revision = 0
        self.known: tuple[int, int] | None = None
        self._ask = ask
        self._lock = threading.RLock()
        self._missed = missed
        self._is_missed = False
        self._ends: list[int] = []  # events up to the end of each stretch
        self._through = 0
        self._blocks: dict[int, pl.DataFrame] = {}
        self._tail: tuple[int, pl.DataFrame | None] = (0, None)

    def count(self, position: int) -> int:
        """How many events there are up to a position, at least; counts those that are new."""
        with self._counting():
            if self.known is None or position > self._through:
                self._add(self._counted(position), position)
            return self._count

    def follow(self, rows: pl.DataFrame, position: int) -> None:
        """Count what is new, from the newest rows alone if they tell; without waiting for anybody.

        Args:
            rows: the newest ones, oldest first.
            position: up to where they reach.
        """
        if not self._is_free():
            return
        try:
            if self.known is None or position <= self._through:
                return
            new = rows.filter(pl.col("seq") > self._through)["seq"].to_list()
            if len(new) < rows.height or (position - self._through <= NEAR and not rows.height):
                self._add([((s - 1) // STRETCH, 1) for s in new], position)
            else:
                self._add(self._counted(position), position)
        finally:
            self._lock.release()

    def newest(self, position: int, some: int) -> pl.DataFrame:
        """The last events up to a position, oldest first; looks no further back than it must cost.

        Args:
            position: the last place in the log to look at.
            some: how many at most.
        """
        through, held = self._tail
        after = max(0, position - NEAR, through if through <= position else 0)
        if through != position:
            where = f"seq > {after} AND seq <= {position} AND ({self.condition})"
            fresh = self._events(_COLUMNS, where, f"ORDER BY seq DESC LIMIT {some}").reverse()
            is_more = held is not None and through == after
            held = pl.concat([held, fresh]).tail(some) if is_more and held is not None else fresh
            self._tail = position, held
        return held if held is not None else self._rows("false")

    def page(self, start: int, some: int, position: int) -> pl.DataFrame:
        """Events by their places, oldest first.

        Args:
            start: how many to leave out before them.
            some: how many at most.
            position: the last place in the log to count up to.
        """
        with self._counting():
            revision = self.revision
            found = self._page(start, some, position)
            if self.revision != revision:  # events are gone: once more, with the places of today
                found = self._page(start, some, position)
            return found

    def place(self, seq: int, position: int) -> int:
        """How many events lie before a position of the log."""
        with self._counting():
            self.count(position)
            stretch = min((seq - 1) // STRETCH, len(self._ends))
            before = self._ends[stretch - 1] if stretch > 0 else 0
            where = f"seq > {stretch * STRETCH} AND seq < {seq} AND ({self.condition})"
            within = self._events("count(*) AS n", where).item()
            return before + int(within)

    def recount(self) -> None:
        """Forget what was counted: events are gone that were there before."""
        with self._counting():
            self.revision += 1
            self._ends, self._through = [], 0
            self._blocks.clear()
            self._tail = (0, None)
            self.known = None

    # ------------------------------------------------------------ how it works
    @contextmanager
    def _counting(self) -> Iterator[None]:
        """Hold the lock; who wanted to follow meanwhile and could not is told afterwards."""
        try:
            with self._lock:
                yield
        finally:
            if self._is_missed:
                self._is_missed = False
                self._missed()

    def _is_free(self) -> bool:
        """Take the lock if nobody holds it; whoever does sees that it was wanted when it lets go."""
        if self._lock.acquire(blocking=False):
            return True
        self._is_missed = True
        return self._lock.acquire(blocking=False)  # it was let go before it could see that

    @property
    def _count(self) -> int:
        return self._ends[-1] if self._ends else 0

    def _counted(self, position: int) -> list[tuple[int, int]]:
        where = f"seq > {self._through} AND seq <= {position} AND ({self.condition})"
        what = f"(seq - 1) // {STRETCH} AS stretch, count(*) AS n"
        found = self._events(what, where, "GROUP BY stretch ORDER BY stretch")
        return [(int(s), int(n)) for s, n in found.rows()]

    def _add(self, counts: Iterable[tuple[int, int]], through: int) -> None:
        ends = self._ends
        for stretch, some in counts:
            total = ends[-1] if ends else 0
            ends.extend([total] * (stretch - len(ends)))
            if len(ends) == stretch:
                ends.append(total)
            ends[stretch] += some
        self._through = through
        self.known = self._count, through

    def _page(self, start: int, some: int, position: int) -> pl.DataFrame:
        first, stop = max(0, start), min(start + max(0, some), self.count(position))
        if first >= stop:
            return self._rows("false")
        blocks = range(first // _BLOCK, -(-stop // _BLOCK))
        found = pl.concat(self._held(blocks))
        return found.slice(first - blocks.start * _BLOCK, stop - first)

    def _held(self, blocks: range) -> list[pl.DataFrame]:
        """Blocks of rows; those that are not there are read at once."""
        found = {n: self._blocks.pop(n) for n in blocks if n in self._blocks}
        missing = [n for n in blocks if n not in found]
        if missing:
            start, end = missing[0] * _BLOCK, (missing[-1] + 1) * _BLOCK
            read = self._read(start, min(end, self._count))
            for n in missing:
                found[n] = read.slice(n * _BLOCK - start, _BLOCK)
        for n in blocks:
            if found[n].height == _BLOCK:  # what is not full may still grow
                self._blocks[n] = found[n]
        while len(self._blocks) > _MOST_HELD:
            del self._blocks[next(iter(self._blocks))]
        return [found[n] for n in blocks]

    def _read(self, start: int, stop: int) -> pl.DataFrame:
        low, high, skipped, expected = self._span(start, stop)
        found = self._rows(f"seq >= {low} AND seq <= {high} AND ({self.condition})")
        if found.height != expected:
            self.recount()
        return found.slice(skipped, stop - start)

    def _span(self, start: int, stop: int) -> tuple[int, int, int, int]:
        """First and last position to read, rows to pass over, rows to expect."""
        ends = self._ends
        first, last = bisect_right(ends, start), bisect_left(ends, stop)
        before = ends[first - 1] if first else 0
        low, high = first * STRETCH + 1, min((last + 1) * STRETCH, self._through)
        expected = ends[last] - before
        if self.condition == _EVERYTHING and expected == high - low + 1:  # without a gap
            low += start - before
            return low, low + stop - start - 1, 0, stop - start
        return low, high, start - before, expected

    def _rows(self, where: str) -> pl.DataFrame:
        return self._events(_COLUMNS, where, "ORDER BY seq")

    def _events(self, what: str, where: str, rest: str = "") -> pl.DataFrame:
        return self._ask(f"SELECT {what} FROM events WHERE {where} {rest}")  # noqa: S608 - all ours
