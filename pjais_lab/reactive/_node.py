"""The base of everything live: traits that only the hub writes, observers that cannot hurt each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from traitlets import All, HasTraits, TraitType

from pjais_lab.reactive._compare import is_same_value
from pjais_lab.reactive._delivery import deliver
from pjais_lab.reactive._errors import ReadOnlyTraitError

if TYPE_CHECKING:
    from traitlets import Bunch

    from pjais_lab.reactive._cell import Cell

__all__ = ["Fed", "Node", "cell_of"]

_T = TypeVar("_T")


class Fed(TraitType[_T, _T], Generic[_T]):
    """A read-only trait fed from the log.

    Reading it from any thread but the hub's waits until it shows all that the thread's store has
    applied, so that what was committed is seen.

    Args:
        default: the value before the first one arrives.
        help: what it means.
    """

    def __init__(self, default: _T, *, help: str) -> None:  # noqa: A002 - traitlets' own word
        super().__init__(default_value=default, allow_none=True, help=help)
        self.tag(fed=True)

    def get(self, obj: HasTraits, cls: type[Any] | None = None) -> _T | None:
        """The newest value."""
        cell = cell_of(obj)
        if cell is not None:
            cell.hub.wait_values(cell)
        return super().get(obj, cls)

    def set(self, obj: HasTraits, value: _T) -> None:
        """Refuse, unless it is an echo of the value that is there.

        Raises:
            ReadOnlyTraitError: the value is another one.
        """
        name = self.name or ""
        if not is_same_value(self.get(obj), value):
            self.refuse(obj, name)

    def refuse(self, obj: HasTraits, name: str) -> NoReturn:
        """Say why it cannot be set.

        Raises:
            ReadOnlyTraitError: always.
        """
        msg = f"{type(obj).__name__}.{name} is read-only: it follows the log."
        raise ReadOnlyTraitError(msg, hint="Commit an event; it changes by itself.", trait=name)


class Node(HasTraits):
    """Something live: a query, a computed value or a model.

    Its traits change in the hub's thread, and observers are called there: keep them short, and let
    go of nothing that ``observe`` was called on, since the hub holds live objects only weakly.
    """

    version = Fed(0, help="The position of the log that this shows.")
    error = Fed[str | None](None, help="Why the value is not newer; None when all is well.")
    stale = Fed(default=False, help="Whether the value is older than ``version`` says.")

    def __init__(self) -> None:
        self._cell: Cell | None = None
        super().__init__()

    @property
    def exception(self) -> Exception | None:
        """The error behind ``error``, or None."""
        cell = self._cell
        if cell is None:
            return None
        cell.hub.wait_values(cell)
        return cell.loop or cell.failure

    def close(self) -> None:
        """Stop following the log; no observer is called after this returns. Closing twice is fine."""
        if self._cell is not None:
            self._cell.close()

    def _notify_observers(self, event: Bunch) -> None:
        """Call each observer by itself, so that one that raises stops no other."""
        cell = self._cell
        if cell is None or event["type"] != "change":
            super()._notify_observers(event)
            return
        for callback in self._observers_of(event):
            deliver(cell, callback, event)

    def _observers_of(self, event: Bunch) -> list[Any]:
        names = [event["name"]] if event.get("is_quiet") else [event["name"], All]
        found: list[Any] = []
        for name in names:
            by_type = self._trait_notifiers.get(name, {})
            found += [*by_type.get("change", []), *by_type.get(All, [])]
        return [getattr(self, c.name) if getattr(c, "name", None) else c for c in found]


def cell_of(node: HasTraits) -> Cell | None:
    """The engine's side of a live object; None while it is being made."""
    cell: Cell | None = getattr(node, "_cell", None)
    return cell
