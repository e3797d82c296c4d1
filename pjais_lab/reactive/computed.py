"""Values computed from live ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from pjais_lab.errors import RejectedError
from pjais_lab.reactive._errors import kept
from pjais_lab.reactive._invalidation import Touched
from pjais_lab.reactive.live_query import LiveQuery
from pjais_lab.reactive.model import EntityModel
from pjais_lab.reactive.node import Change, Fed, Node

__all__ = ["Computed", "computed"]

_T = TypeVar("_T")
_EXPECTED: Final = "live queries, computed values or models"


class Computed(Node, Generic[_T]):
    """A value that follows its inputs: computed once a round, and only when one of them changed.

    Args:
        compute: a function of the inputs' values: a live query's frame, a computed value, a model.
        inputs: live queries, computed values and models of one lab.
    """

    value = Fed[Any](None, help="What the function gave; the same object while it is equal.")

    def __init__(self, compute: Callable[..., _T], *inputs: Node) -> None:
        self._compute = compute
        self._inputs = inputs
        self.runs = 0
        hub = inputs[0]._hub  # noqa: SLF001 - nodes of one engine
        assert hub is not None
        name = getattr(compute, "__name__", "function")
        super().__init__(hub, f"computed {name}", 1 + max(i.height for i in inputs))
        for given in inputs:
            given.outputs.add(self)
        hub.adopt(self)

    @property
    def inputs(self) -> tuple[Node, ...]:
        """What it is computed from."""
        return self._inputs

    def depends(self, touched: Touched) -> bool:
        """Never by itself: only through its inputs."""
        del touched
        return False

    def recompute(self, changed: set[int], position: int) -> list[Change]:
        """Compute again if an input has changed. Called by the hub, inputs first."""
        if self.is_paused or not self._is_due(changed):
            return self.put_status(position, self.failure)
        failed = next((i.failure for i in self._inputs if i.failure is not None), None)
        if failed is not None:
            return self.put_status(position, failed)
        self.runs += 1
        try:
            value = self._compute(*map(_value_of, self._inputs))
        except BaseException as error:  # noqa: BLE001 - the user's function; shown as the error
            return self.put_status(position, kept(error, self.label))
        return [*self.put_status(position, None), *self.put("value", value)]

    def _is_due(self, changed: set[int]) -> bool:
        return not self.is_fed or any(id(i) in changed for i in self._inputs)

    def __repr__(self) -> str:
        """The function and its value."""
        state = f", error: {self.error}" if self.error else ", closed" if self.is_closed else ""
        return f"Computed({self.label}: {self.value!r}{state})"


def computed(compute: Callable[..., _T], *inputs: Node) -> Computed[_T]:
    """A value that follows live queries, computed values and models.

    Args:
        compute: a pure function of the inputs' values: a live query's frame, a computed value, a
            model itself.
        inputs: one or more, all of one lab.

    Raises:
        RejectedError: there is no function, no input, or an input that is not live or of another
            lab.
    """
    if not callable(compute):
        msg = f"computed() was given {type(compute).__name__!r} first; expected a function."
        raise RejectedError(msg, hint="Write pj.computed(function, input, ...).")
    if not inputs:
        msg = f"computed() was given no input; expected {_EXPECTED}."
        raise RejectedError(msg)
    for given in inputs:
        _check_input(given, inputs[0])
    return Computed(compute, *inputs)


def _check_input(given: object, first: object) -> None:
    if not isinstance(given, Node) or not isinstance(first, Node):
        msg = f"computed() was given the input {given!r:.60}; expected {_EXPECTED}."
        raise RejectedError(msg, hint="Make one with lab.live(sql).")
    if not given.is_fed_with(first):
        msg = f"{given.label} and {first.label} are of two labs; expected inputs of one."
        raise RejectedError(msg, hint="Open the workspace once, and ask that lab for both.")


def _value_of(node: Node) -> Any:
    if isinstance(node, LiveQuery):
        return node.copy()
    if isinstance(node, EntityModel):
        return node
    return node.value if isinstance(node, Computed) else None
