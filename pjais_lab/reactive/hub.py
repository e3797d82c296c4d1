"""The hub: one thread that evaluates everything live, at one position, and tells the observers.

A round takes one snapshot, answers every query that the changes may concern, then computed values
in the order of their inputs; only then do traits change, all to the same position, and observers
run. What they commit waits for the next round. The thread does not survive ``fork``, and ends by
itself when nobody holds the hub any more.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from pjais_lab.errors import ClosedError
from pjais_lab.reactive._bell import Bell
from pjais_lab.reactive._errors import kept
from pjais_lab.reactive._evaluate import Asker, feed
from pjais_lab.reactive._feedback import Feedback, Outbox
from pjais_lab.reactive._inbox import Inbox
from pjais_lab.reactive.live_query import LiveQuery
from pjais_lab.reactive.node import QUIET, Node

if TYPE_CHECKING:
    from pjais_lab.reactive.source import Changes, Source

__all__ = ["Hub"]

_LOG: Final = logging.getLogger("pjais_lab")
_GAP_S: Final = 0.02
_PATIENCE_S: Final = 30.0
_CLOSE_WAIT_S: Final = 2.0


class Hub:
    """Feeds live queries, computed values and models of one lab.

    Args:
        source: the store.
        owner: whom everything live keeps alive, besides the store.

    Attributes:
        rounds: how many rounds there were.
    """

    def __init__(self, source: Source, owner: object = None) -> None:
        self.rounds = 0
        self._source = source
        self._owner = owner
        self._nodes: dict[int, weakref.ref[Node]] = {}
        self._inbox = Inbox(source.position)
        self._bell = Bell(self._inbox)
        self._ready = self._bell.ready
        self._asker = Asker(source, self._inbox, self._ready)
        self._feedback = Feedback()
        self._is_busy = False
        self._failures = 0
        self._shown = (source.position, 0)
        self._told = source.position
        self._speaker: Node | None = None
        self._pid = os.getpid()
        me = weakref.ref(self)
        self._thread = threading.Thread(
            target=_run, args=(me, self._bell), name="pjais-hub", daemon=True
        )
        weakref.finalize(self, self._bell.close).atexit = False
        self._thread.start()

    def live(self, sql: str, **params: Any) -> LiveQuery:
        """A query that answers again whenever its answer may have changed.

        Raises:
            QueryError: the SQL cannot be parsed, would write, or lacks a parameter's value.
            ClosedError: the hub is closed.
        """
        self._check_open()
        query = LiveQuery(self, self._source.analyse(sql), self._source.tables, sql, params)
        self.adopt(query)
        return query

    def adopt(self, node: Node) -> None:
        """Feed a node from now on; held weakly.

        Raises:
            ClosedError: the hub is closed.
        """
        key = id(node)
        nodes = self._nodes
        with self._ready:
            self._check_open()
            nodes[key] = weakref.ref(node, lambda _: nodes.pop(key, None))
            self.look_at(node)

    def look_at(self, node: Node) -> None:
        """Have a round for a node, though nothing was committed."""
        if os.getpid() != self._pid or node.is_closed:
            return
        with self._ready:
            self._bell.is_fresh = True
            self._bell.is_external = self._bell.is_external or not self._is_here()
            self._ready.notify_all()

    def drop(self, node: Node) -> None:
        """Stop feeding a node; none of its observers starts after this."""
        with self._ready:
            node.is_closed = True
            self._nodes.pop(id(node), None)
            node.put("stale", new=True)
            if not self._is_here():
                self._ready.wait_for(lambda: self._speaker is not node, _CLOSE_WAIT_S)
        node.wake()

    def applied(self, changes: Changes) -> None:
        """The store has moved; called from any thread, in the order of positions."""
        with self._ready:
            self._inbox.put(changes)
            if self._is_here() and self._speaker is not None:
                self._feedback.blame(self._speaker)
            else:
                self._bell.is_external = True
            self._ready.notify_all()

    @property
    def runs(self) -> int:
        """How many queries were run."""
        return self._asker.runs

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def shown(self) -> int:
        """The position that everything live shows."""
        return self._shown[0]

    @property
    def nodes(self) -> list[Node]:
        """What is live now, inputs first."""
        found = [n for r in list(self._nodes.values()) if (n := r()) is not None]
        return sorted(found, key=lambda n: (n.height, n.serial))

    def wait_for(self, node: Node) -> None:
        """Return when a node shows at least the store's position, or when the hub has given up."""
        if self._is_here():
            if not node.is_fed:
                self._asker.feed_now(node)
            return
        position, announced = self._source.position, self._inbox.announced
        failures = self._failures

        def is_there() -> bool:
            is_new = node.is_fed and not node.is_behind
            return is_new and self._shown[0] >= position and self._shown[1] >= announced

        def is_shown() -> bool:
            return node.is_closed or is_there() or self._failures != failures

        if not is_there():
            self._await(is_shown, _PATIENCE_S, node)

    def settle(self, timeout_s: float = _PATIENCE_S) -> bool:
        """Wait until observers have been told everything; False when time ran out.

        At once in the hub's own thread.
        """

        def is_settled() -> bool:
            is_waiting = self._bell.has_work or self._is_busy
            return not is_waiting and self._told >= self._source.position

        return self._is_here() or self._await(is_settled, timeout_s)

    def close(self) -> None:
        """Stop the thread; what is live keeps its last value and says that it is stale."""
        self._bell.close()
        self._asker.close()
        if not self._is_here() and os.getpid() == self._pid:
            self._thread.join(_PATIENCE_S)
        for node in self.nodes:
            self.drop(node)

    def _is_here(self) -> bool:
        return threading.current_thread() is self._thread

    def _check_open(self) -> None:
        if self._bell.is_closed:
            msg = "This lab is closed, so nothing in it can be live."
            raise ClosedError(msg, hint="Open it again with pj.open().")
        if os.getpid() != self._pid:
            msg = (
                "This process was forked from the one that opened the lab, so nothing is live here."
            )
            raise ClosedError(msg, hint="Open the lab again in this process.")

    def _await(
        self, is_done: Callable[[], bool], timeout_s: float, node: Node | None = None
    ) -> bool:
        if os.getpid() != self._pid:
            return False  # after a fork there is no thread to wait for
        return self._bell.until(is_done, timeout_s, node)

    def turn(self) -> bool:
        """Do what is due; whether there was news, or a failure. Called by the hub's thread."""
        with self._ready:
            bell = self._bell
            is_external, bell.is_external = bell.is_external, False
            bell.is_fresh = bell.is_urgent = False
            self._is_busy = True
        position = self._told
        before = self._inbox.taken, self._failures
        try:
            position = self._round(is_external=is_external)
        except Exception as error:  # noqa: BLE001 - the thread lives as long as the hub
            self._give_up(error)
        with self._ready:  # only now does this thread hold no node any more
            self._told, self._is_busy = position, False
            self._ready.notify_all()
        return (self._inbox.taken, self._failures) != before

    def _round(self, *, is_external: bool) -> int:
        self.rounds += 1
        self._feedback.begin(is_external=is_external)
        nodes = self.nodes
        answers, position = self._asker.ask(nodes)
        outbox: Outbox = []
        changed: set[int] = set()
        for node in nodes:
            if node.is_closed:
                continue
            self._speaker = node
            changes = feed(node, answers, changed, position)
            if any(name not in QUIET for name, _, _ in changes):
                changed.add(id(node))
            if node.is_fed:  # the first value is no change
                outbox.append((node, changes))
            node.is_fed = True
        self._speaker = None
        with self._ready:
            self._shown = position, self._inbox.taken
            self._ready.notify_all()
        self._tell(self._feedback.settle(outbox))
        return position

    def _give_up(self, error: Exception) -> None:
        """The store cannot be read: say so on everything live, and look at all of it next time."""
        with self._ready:
            self._speaker = None
            if not self._bell.is_closed:
                _LOG.error("What is live could not be refreshed: %s", error, exc_info=error)
            for node in self.nodes:
                node.put_status(self._shown[0], kept(error, node.label))
                node.is_fed = True
            self._inbox.doubt()
            self._failures += 1
            self._ready.notify_all()

    def _tell(self, outbox: Outbox) -> None:
        for node, changes in outbox:
            with self._ready:
                if node.is_closed:
                    continue
                self._speaker = node
            node.tell(changes)
            with self._ready:
                self._speaker = None
                self._ready.notify_all()


def _run(ref: weakref.ref[Hub], bell: Bell) -> None:
    """The hub's thread, which holds the hub only while there is work."""
    pause_s = 0.0
    while bell.wait(pause_s):
        start = time.monotonic()
        hub = ref()
        if hub is None:
            return
        has_news = hub.turn()
        del hub
        # A look at a model is a round too; news right after it must not wait for it.
        pause_s = max(0.0, start + _GAP_S - time.monotonic()) if has_news else 0.0
