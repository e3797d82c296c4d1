"""What wakes the hub's thread, which must not keep the hub alive and so does not know it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pjais_lab.reactive._inbox import Inbox
    from pjais_lab.reactive.node import Node

__all__ = ["Bell"]


class Bell:
    """Signals between the threads that use a hub and the one that runs it.

    ``ready`` guards every field. Its lock is reentrant, so that the garbage collector may close a
    bell at any moment.

    Args:
        inbox: what the store has announced.

    Attributes:
        ready: notified when a field changes.
        is_fresh: a node waits for its first value.
        is_external: something other than observers had a part in what waits.
        is_urgent: somebody waits for the next round, so that it is not put off.
        is_closed: no round is to come.
    """

    def __init__(self, inbox: Inbox) -> None:
        self.ready = threading.Condition()
        self.inbox = inbox
        self.is_fresh = False
        self.is_external = True
        self.is_urgent = False
        self.is_closed = False

    @property
    def has_work(self) -> bool:
        """Whether a round would find something to do."""
        return self.is_fresh or self.inbox.count > 0

    def wait(self, pause_s: float) -> bool:
        """Sleep until there is work; False when it was closed instead.

        Args:
            pause_s: how long news may gather first, unless it is urgent.
        """
        with self.ready:
            self.ready.wait_for(lambda: self.is_closed or self.is_urgent, pause_s)
            self.ready.wait_for(lambda: self.is_closed or self.has_work)
            return not self.is_closed

    def until(
        self, is_done: Callable[[], bool], timeout_s: float, node: Node | None = None
    ) -> bool:
        """Wait for rounds that make something so; False when time ran out.

        Args:
            is_done: whether it is so.
            timeout_s: how long at most.
            node: who is read, even if it is asleep.
        """
        with self.ready:
            self.is_urgent = True
            if node is not None:
                node.readers += 1
                self.is_fresh = self.is_fresh or node.is_behind
            self.ready.notify_all()
            try:
                return self.ready.wait_for(lambda: self.is_closed or is_done(), timeout_s)
            finally:
                if node is not None:
                    node.readers -= 1

    def close(self) -> None:
        """No round is to come."""
        with self.ready:
            self.is_closed = True
            self.ready.notify_all()
