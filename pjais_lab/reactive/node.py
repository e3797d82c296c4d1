"""The base of everything live: traits that only the hub writes, observers that cannot hurt each other."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from traitlets import All, Bunch, EventHandler, HasTraits, TraitType

from pjais_lab.reactive._compare import is_same_value
from pjais_lab.reactive._errors import ReadOnlyTraitError, check_traits, report
from pjais_lab.reactive._weak import WeakBag

if TYPE_CHECKING:
    from pjais_lab.reactive._invalidation import Touched

__all__ = ["QUIET", "Change", "Fed", "Feeder", "Node", "Waker"]

_SERIAL: Final = itertools.count()
_T = TypeVar("_T")
QUIET: Final = frozenset({"version", "elapsed_ms", "runs"})
Change = tuple[str, Any, Any]
"""Trait, old value, new value."""


class Fed(TraitType[_T, _T], Generic[_T]):
    """A read-only trait fed from the log.

    Reading it from any thread but the hub's waits until it shows all that the store has applied.

    Args:
        default: the value before the first one arrives.
        help: what it means.
    """

    def __init__(self, default: Any, *, help: str) -> None:  # noqa: A002 - traitlets' own word
        super().__init__(default_value=default, allow_none=True, help=help)
        self.tag(fed=True)

    def get(self, obj: HasTraits, cls: type[Any] | None = None) -> _T | None:
        """The newest value."""
        if isinstance(obj, Node):
            obj.wait()
        return super().get(obj, cls)

    def set(self, obj: HasTraits, value: _T) -> None:
        """Refuse, unless it is an echo of the value that is there.

        Raises:
            ReadOnlyTraitError: the value is another one.
        """
        if is_same_value(self.get(obj), value):
            return
        msg = f"{type(obj).__name__}.{self.name} is read-only: it follows the log."
        hint = obj.write_hint if isinstance(obj, Node) else None
        raise ReadOnlyTraitError(msg, hint=hint, trait=self.name)


class Waker(Protocol):
    """Somebody in an event loop who waits for the next value."""

    def wake(self) -> None:
        """There is news; called from any thread."""
        ...


class Feeder(Protocol):
    """What a node asks of its hub."""

    def adopt(self, node: Node) -> None:
        """Feed a node from now on."""
        ...

    def drop(self, node: Node) -> None:
        """Stop feeding a node; none of its observers starts after this."""
        ...

    def wait_for(self, node: Node) -> None:
        """Return when a node shows at least the store's position."""
        ...

    def look_at(self, node: Node) -> None:
        """Have a round for a node, though nothing was committed."""
        ...


@cache
def _defaults_of(cls: type[HasTraits]) -> Mapping[str, Any]:
    """Asked for late: traitlets sets up a class's traits after ``__init_subclass__``."""
    return {name: trait.default_value for name, trait in cls.class_traits().items()}


class Node(HasTraits):
    """Something live: a query, a computed value or a model.

    Its traits change in the hub's thread, and observers are called there. The hub holds it weakly:
    keep a reference for as long as it shall live.

    Args:
        hub: who feeds it.
        label: how messages name it.
        height: how many steps away from the tables it is; inputs come first.

    Attributes:
        is_behind: it may have another value by now, and was not asked.
        readers: how many threads wait for its newest value.
        outputs: what is computed from it.
    """

    version = Fed[int](0, help="The position of the log that this shows.")
    error = Fed[str | None](None, help="Why the value is not newer; None when all is well.")
    stale = Fed[bool](False, help="Whether the value is older than ``version`` says.")  # noqa: FBT003

    write_hint = "Commit an event; it changes by itself."

    def __init__(self, hub: Feeder, label: str, height: int = 0) -> None:
        self._hub: Feeder | None = None
        self.label = label
        self.height = height
        self.serial = next(_SERIAL)
        self.is_fed = False
        self.is_closed = False
        self.is_behind = False
        self.readers = 0
        self.outputs: WeakBag[Node] = WeakBag()
        self.failure: Exception | None = None
        self.loop: Exception | None = None
        self.is_paused = False
        self.missed: dict[str, Change] = {}
        self.wakers: WeakBag[Waker] = WeakBag()
        super().__init__()
        self._hub = hub

    @property
    def exception(self) -> Exception | None:
        """The error behind ``error``; None when all is well."""
        self.wait()
        return self.loop or self.failure

    @property
    def defaults(self) -> Mapping[str, Any]:
        """Trait -> the value before the first one arrives."""
        return _defaults_of(type(self))

    def peek(self, name: str) -> Any:
        """A trait as it is, without waiting for what the store has applied since."""
        return self._trait_values.get(name, self.defaults[name])

    def is_fed_with(self, other: Node) -> bool:
        """Whether one hub feeds both, so that they show one position."""
        return self._hub is other._hub

    def depends(self, touched: Touched) -> bool:
        """Whether changes may give it another value."""
        raise NotImplementedError

    def is_due(self, touched: Touched) -> bool:
        """Whether it is to be asked now. Called by the hub, with what has changed."""
        return not self.is_fed or self.depends(touched)

    def wait(self) -> None:
        """Return when it shows what the store shows; in the hub's thread, when it has a value."""
        if self._hub is not None and not self.is_closed:
            self._hub.wait_for(self)

    def close(self) -> None:
        """Stop following the log; no observer starts after this. Closing twice is fine."""
        if not self.is_closed and self._hub is not None:
            self._hub.drop(self)

    def wake(self) -> None:
        """Tell those who wait in an event loop to look again."""
        for waker in self.wakers:
            waker.wake()

    def put(self, name: str, new: Any) -> list[Change]:
        """Write a trait without telling anybody; gives the change if there is one."""
        old = self._trait_values.get(name, self.defaults[name])
        if is_same_value(old, new):
            return []
        self._trait_values[name] = new
        return [(name, old, new)]

    def recompute(self, changed: set[int], position: int) -> list[Change]:
        """Follow changed inputs; nodes that read the tables have none. Called by the hub."""
        del changed
        return self.put_status(position, self.failure)

    def put_status(self, position: int, error: Exception | None) -> list[Change]:
        """Write the position and what is wrong."""
        self.failure = error
        return [
            *self.put_error(),
            *self.put("stale", error is not None or self.is_closed),
            *self.put("version", position),
        ]

    def put_error(self) -> list[Change]:
        """Write what is wrong."""
        error = self.loop or self.failure
        return self.put("error", None if error is None else f"{type(error).__name__}: {error}")

    def tell(self, changes: list[Change]) -> None:
        """Call the observers of changes, each by itself, and wake those who wait."""
        self.wake()
        if not self._trait_notifiers:
            return
        for name, old, new in changes:
            event = Bunch(name=name, old=old, new=new, owner=self, type="change")
            self.notify_change(event)

    def observe(
        self,
        handler: Callable[..., Any],
        names: Any = All,
        type: Any = "change",  # noqa: A002 - traitlets' own word
    ) -> None:
        """Call ``handler(change)`` when a trait changes, in the hub's thread.

        Args:
            handler: gets ``change.new``, ``change.old`` and ``change.name``.
            names: a trait or several; all but position and timing if left out.
            type: ``change``; other kinds never happen here.

        Raises:
            ReactiveError: there is no such trait.
        """
        check_traits(self, names)
        super().observe(handler, names, type)
        self._look()

    def _look(self) -> None:
        if self.is_behind and self._hub is not None:
            self._hub.look_at(self)

    def _notify_observers(self, event: Bunch) -> None:
        if event["type"] != "change" or self._hub is None:
            super()._notify_observers(event)
            return
        for callback in self._observers_of(event):
            if self.is_closed:
                return
            try:
                callback(event)
            except BaseException as error:  # noqa: BLE001 - the hub's thread outlives whatever it is
                report(error, self.label, "commits stay")

    def _observers_of(self, event: Bunch) -> list[Any]:
        """Those who named the trait; position and timing move all the time, so only those."""
        found: list[Any] = []
        for name in (event["name"],) if event["name"] in QUIET else (event["name"], All):
            by_type = self._trait_notifiers.get(name, {})
            found += [*by_type.get("change", []), *by_type.get(All, [])]
        return [
            getattr(self, c.name) if isinstance(c, EventHandler) and c.name else c for c in found
        ]
