"""Folded parts of the log, a few at a time: the newest wanted wins, the oldest are forgotten."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from pjais_lab.errors import ClosedError, LabError
from pjais_lab.storage.past import Past, Stop
from pjais_lab.views._repeats import OutrunError

if TYPE_CHECKING:
    from pjais_lab.lab.lab import Lab
    from pjais_lab.storage.state import State

__all__ = ["Folds", "Part"]

_MOST: Final = 3
_NUMBERS: Final = itertools.count(1)


class Part(msgspec.Struct, frozen=True):
    """A part of the log, folded into some tables.

    Attributes:
        condition: which events, as SQL over ``events``.
        tables: which tables.
        position: the log's last event when it was asked for.
    """

    condition: str
    tables: tuple[str, ...]
    position: int


class _Making:
    """A part that is being folded."""

    def __init__(self, part: Part) -> None:
        self.part, self.stop, self.is_done = part, Stop(), threading.Event()


class _Fold:
    """A folded part and how many are reading it."""

    def __init__(self, past: Past, stack: ExitStack) -> None:
        self.past, self.readers = past, 0
        self._stack = stack

    def close(self) -> None:
        self._stack.close()


class Folds:
    """Parts of one lab's log as they were last wanted.

    Args:
        lab: an open lab; what was folded is forgotten before it closes.
    """

    def __init__(self, lab: Lab) -> None:
        self._state: State | None = lab.state
        self._lock = threading.Lock()
        self._held: OrderedDict[Part, _Fold] = OrderedDict()
        self._making: dict[object, _Making] = {}
        close = weakref.WeakMethod(self.close)
        self._forget = lab.on_close(lambda: _call(close))

    @contextmanager
    def of(self, part: Part, slot: str = "") -> Iterator[Past]:
        """Read a part, folded first if need be.

        Args:
            part: which.
            slot: a newer fold for the same slot stops an older one; none does if empty.

        Raises:
            OutrunError: a newer one has stopped it.
            ClosedError: this or the lab is closed.
        """
        found = self._take(part) or self._fold(part, slot)
        try:
            yield found.past
        finally:
            with self._lock:
                found.readers -= 1
            self._trim(_MOST)

    def close(self) -> None:
        """Forget all of it; what is being folded is stopped. Closing twice is fine."""
        self._state = None
        self._forget()
        for making in list(self._making.values()):
            making.stop.set()
        self._trim(0)

    def __len__(self) -> int:
        """How many are held."""
        return len(self._held)

    def _take(self, part: Part) -> _Fold | None:
        with self._lock:
            found = self._held.get(part)
            if found is not None:
                self._held.move_to_end(part)
                found.readers += 1
            return found

    def _fold(self, part: Part, slot: str) -> _Fold:
        mine, key = _Making(part), slot or next(_NUMBERS)
        with self._lock:
            older = self._making.get(key)
            if older is None or older.part != part:
                self._making[key] = mine
        if older is not None and older.part == part:
            older.is_done.wait()
            return self._take(part) or self._fold(part, slot)
        if older is not None:
            older.stop.set()
        try:
            return self._keep(part, self._made(mine))
        finally:
            with self._lock:
                if self._making.get(key) is mine:
                    del self._making[key]
            mine.is_done.set()

    def _made(self, making: _Making) -> _Fold:
        state, part, stack = self._state, making.part, ExitStack()
        if state is None:
            msg = "This view's past is closed."
            raise ClosedError(msg, hint="Make the view again with an open lab.")
        try:
            past = stack.enter_context(state.past(part.condition, part.tables, making.stop))
        except LabError as error:
            if not making.stop.is_set:
                raise
            msg = "A newer moment took this one's place."
            raise OutrunError(msg, hint="Ask again.") from error
        return _Fold(past, stack)

    def _keep(self, part: Part, made: _Fold) -> _Fold:
        """Hold it, unless another thread was faster."""
        with self._lock:
            found = self._held.setdefault(part, made)
            found.readers += 1
        if found is not made:
            made.close()
        return found

    def _trim(self, most: int) -> None:
        """Forget the oldest that nobody reads."""
        with self._lock:
            most = 0 if self._state is None else most
            idle = [p for p, f in self._held.items() if not f.readers]
            gone = [self._held.pop(p) for p in idle[: max(0, len(self._held) - most)]]
        for fold in gone:
            fold.close()


def _call(method: weakref.WeakMethod[Callable[[], None]]) -> None:
    found = method()
    if found is not None:
        found()
