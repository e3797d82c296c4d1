"""Cells: what the hub knows of a live object. The object holds its cell; the hub only weakly."""

from __future__ import annotations

import itertools
import weakref
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from pjais_lab.reactive._compare import is_same_value
from pjais_lab.reactive._weak import WeakBag

if TYPE_CHECKING:
    from traitlets import HasTraits

    from pjais_lab.errors import FeedbackLoopError

__all__ = ["Cell", "Change", "Clockwork", "Waker"]

_SERIAL: Final = itertools.count()


class Change(msgspec.Struct, frozen=True):
    """A trait that got another value.

    Attributes:
        name: the trait.
        old: what it was.
        new: what it is.
        is_quiet: only observers that named the trait hear of it.
    """

    name: str
    old: Any
    new: Any
    is_quiet: bool = False


class Clockwork(Protocol):
    """What a cell asks of its hub."""

    def wait_values(self, cell: Cell) -> None:
        """Return when the cell shows at least the store's position, or when that cannot be."""
        ...

    def adopt(self, cell: Cell) -> None:
        """Take care of a new cell."""
        ...

    def retire(self, cell: Cell) -> None:
        """No callback of the cell starts after this returns."""
        ...


class Waker(Protocol):
    """Somebody in an event loop who waits for the next value."""

    def wake(self) -> None:
        """There is news; called from the hub's thread."""
        ...


class Cell:
    """The engine's side of one live object.

    Args:
        hub: who feeds it.
        face: the object with the traits.
        values: the face's trait values, written here and read there.
        label: how messages name it.
        height: how many steps away from the tables it is; inputs come first.

    Attributes:
        serial: the order of creation.
        is_fed: it has had its first value.
        is_closed: it gets no more values.
        failure: why the value is not newer, or None.
        loop: set while its observers are held back for answering commits with commits.
        missed: what the observers did not hear meanwhile.
        current: revision, value and failure, replaced as one.
        dependents: cells computed from this one.
        wakers: who waits for the next value.
    """

    def __init__(
        self,
        hub: Clockwork,
        face: HasTraits,
        values: dict[str, Any],
        label: str,
        *,
        height: int = 0,
    ) -> None:
        self.hub = hub
        self.label = label
        self.height = height
        self.serial = next(_SERIAL)
        self.is_fed = False
        self.is_closed = False
        self.failure: Exception | None = None
        self.loop: FeedbackLoopError | None = None
        self.missed: dict[str, Change] = {}
        self.current: tuple[int, Any, Exception | None] = (0, None, None)
        self.dependents: WeakBag[Cell] = WeakBag()
        self.wakers: WeakBag[Waker] = WeakBag()
        self._face = weakref.ref(face)
        self._values = values

    @property
    def face(self) -> HasTraits | None:
        """The object with the traits, while somebody holds it."""
        return self._face()

    @property
    def order(self) -> tuple[int, int]:
        """Inputs before what is computed from them, then the order of creation."""
        return (self.height, self.serial)

    def put(self, name: str, new: Any, *, is_quiet: bool = False) -> list[Change]:
        """Write a trait; gives the change if there is one."""
        old = self._values.get(name)
        if is_same_value(old, new):
            return []
        self._values[name] = new
        return [Change(name, old, new, is_quiet)]

    def put_status(self, position: int) -> list[Change]:
        """Write the position, and whether the value is what that position would give."""
        is_stale = self.failure is not None or self.is_closed
        return [
            *self.put("error", self._error_text()),
            *self.put("stale", is_stale),
            *self.put("version", position, is_quiet=True),
        ]

    def announce(self, value: Any) -> None:
        """Make ``value`` the one that waiters get next."""
        self.current = (self.current[0] + 1, value, self.failure)

    def close(self) -> None:
        """Stop getting values; idempotent."""
        if self.is_closed:
            return
        self.hub.retire(self)
        self.put("stale", new=True)
        for waker in self.wakers:
            waker.wake()

    def _error_text(self) -> str | None:
        error = self.loop or self.failure
        return None if error is None else f"{type(error).__name__}: {error}"
