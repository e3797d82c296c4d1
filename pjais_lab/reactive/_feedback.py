"""Noticing when observers keep answering commits with commits, and holding those observers back."""

from __future__ import annotations

from collections import deque
from typing import Final

from pjais_lab.errors import FeedbackLoopError
from pjais_lab.reactive._weak import WeakBag
from pjais_lab.reactive.node import QUIET, Change, Node

__all__ = ["Feedback", "Outbox"]

Outbox = list[tuple[Node, list[Change]]]
_LIMIT: Final = 100
_SHOWN: Final = 8
_STATUS: Final = frozenset({"error", "stale", "version"})


class Feedback:
    """Counts the rounds in a row that nothing but observers caused."""

    def __init__(self) -> None:
        self._depth = 0
        self._chain: deque[str] = deque(maxlen=_SHOWN)
        self._suspects: WeakBag[Node] = WeakBag()
        self._held: WeakBag[Node] = WeakBag()

    def blame(self, node: Node) -> None:
        """An observer of the node, or its function, has committed."""
        self._suspects.add(node)
        self._chain.append(node.label)

    def begin(self, *, is_external: bool) -> None:
        """Start a round.

        Args:
            is_external: something other than observers had a part in it.
        """
        for node in self._held:
            node.is_paused = not is_external
        if not is_external:
            self._depth += 1
            return
        self._depth = 0
        self._chain.clear()
        self._suspects = WeakBag()

    def settle(self, outbox: Outbox) -> Outbox:
        """Take out what the observers of a loop shall not hear; gives the rest.

        A node is let go when it changes in a round that something else had a part in.
        """
        error = self._error() if self._depth > _LIMIT else None
        return [(node, self._settle(node, changes, error)) for node, changes in outbox]

    def _settle(
        self, node: Node, changes: list[Change], error: FeedbackLoopError | None
    ) -> list[Change]:
        if error is not None and node.loop is None and node in self._suspects:
            node.loop, node.is_paused = error, True
            self._held.add(node)
            return _hold(node, [*changes, *node.put_error()])
        if node.loop is None:
            return changes
        if node.is_paused or all(name in _STATUS or name in QUIET for name, _, _ in changes):
            return _hold(node, changes)
        node.loop = None
        self._held.discard(node)
        return _with_missed(node, [*changes, *node.put_error()])

    def _error(self) -> FeedbackLoopError:
        chain = tuple(dict.fromkeys(self._chain))
        circle = " -> ".join([*chain, *chain[:1]])
        msg = f"Observers answered commits with commits {self._depth} times in a row: {circle}."
        hint = "The events stay. Let the observer commit only when there is something new to say."
        return FeedbackLoopError(msg, hint=hint, chain=chain)


def _hold(node: Node, changes: list[Change]) -> list[Change]:
    """Keep for later what the observers do not hear now; gives what they do hear."""
    for name, old, new in changes:
        if name not in _STATUS:
            node.missed[name] = (name, node.missed[name][1] if name in node.missed else old, new)
    return [c for c in changes if c[0] in _STATUS]


def _with_missed(node: Node, changes: list[Change]) -> list[Change]:
    """The changes of a round, told as changes from what observers heard last."""
    missed, node.missed = node.missed, {}
    news = {c[0]: c for c in changes}
    for name, old, new in missed.values():
        news[name] = (name, old, news[name][2] if name in news else new)
    return list(news.values())
