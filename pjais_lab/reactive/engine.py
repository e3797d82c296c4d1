"""The hub: one thread that evaluates everything live, at one position, and tells the observers.

A round takes one snapshot, answers every query that the changes may concern, then computed values
in the order of their inputs; only then do traits change, all to the same position, and observers
run. What they commit waits for the next round.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from pjais_lab.errors import ClosedError, FeedbackLoopError
from pjais_lab.reactive._errors import kept
from pjais_lab.reactive._invalidation import Touched
from pjais_lab.reactive.entity import EntityModel
from pjais_lab.reactive.live import LiveQuery
from pjais_lab.reactive.node import Change, Node

if TYPE_CHECKING:
    from pjais_lab.reactive.source import Changes, Reader, Source

__all__ = ["Hub"]

_GAP_S: Final = 0.02
_PATIENCE_S: Final = 30.0
_LOOP_LIMIT: Final = 100


class Hub:
    """Feeds live queries, computed values and models of one lab.

    Args:
        source: the store.

    Attributes:
        rounds: how many rounds there were.
        runs: how many queries were run.
    """

    def __init__(self, source: Source) -> None:
        self.rounds = 0
        self.runs = 0
        self._source = source
        self._nodes: dict[int, weakref.ref[Node]] = {}
        self._ready = threading.Condition()
        self._touched: Touched | None = None
        self._fresh = False
        self._is_external = True
        self._is_closed = False
        self._shown = source.position
        self._told = source.position
        self._speaker: Node | None = None
        self._chain: deque[weakref.ref[Node]] = deque(maxlen=8)
        self._depth = 0
        self._thread = threading.Thread(target=self._run, name="pjais-hub", daemon=True)
        self._thread.start()

    def live(self, sql: str, **params: Any) -> LiveQuery:
        """A query that answers again whenever its answer may have changed.

        Raises:
            QueryError: the SQL cannot be parsed, or would write.
            ClosedError: the hub is closed.
        """
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
            if self._is_closed:
                msg = "This lab is closed, so nothing in it can be live."
                raise ClosedError(msg)
            nodes[key] = weakref.ref(node, lambda _: nodes.pop(key, None))
            self._fresh = True
            self._ready.notify_all()

    def drop(self, node: Node) -> None:
        """Stop feeding a node."""
        with self._ready:
            node.is_closed = True
            self._nodes.pop(id(node), None)
            node.put("stale", new=True)
        node.dropped()

    def applied(self, changes: Changes) -> None:
        """The store has moved; called from any thread."""
        with self._ready:
            self._touched = self._touched or Touched()
            self._touched.add(changes.tables)
            if threading.current_thread() is self._thread:
                if self._speaker is not None:
                    self._chain.append(weakref.ref(self._speaker))
            else:
                self._is_external = True
            self._ready.notify_all()

    @property
    def nodes(self) -> list[Node]:
        """What is live now, inputs first."""
        found = [n for r in list(self._nodes.values()) if (n := r()) is not None]
        return sorted(found, key=lambda n: (n.height, n.serial))

    def wait_for(self, node: Node) -> None:
        """Return when a node shows at least the store's position."""
        position = self._source.position
        self._await(lambda: node.is_closed or (node.is_fed and self._shown >= position))

    def settle(self, timeout_s: float = _PATIENCE_S) -> bool:
        """Wait until observers have been told everything; False when time ran out.

        At once in the hub's own thread.
        """

        def is_settled() -> bool:
            return self._told >= self._source.position and self._touched is None and not self._fresh

        return self._await(is_settled, timeout_s)

    def close(self) -> None:
        """Stop the thread; what is live keeps its last value and says that it is stale."""
        with self._ready:
            self._is_closed = True
            self._ready.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(_PATIENCE_S)
        for node in self.nodes:
            self.drop(node)

    def _await(self, is_done: Callable[[], bool], timeout_s: float = _PATIENCE_S) -> bool:
        if threading.current_thread() is self._thread:
            return True
        with self._ready:
            return self._ready.wait_for(lambda: self._is_closed or is_done(), timeout_s)

    def _run(self) -> None:
        while True:
            with self._ready:
                self._ready.wait_for(
                    lambda: self._is_closed or self._touched is not None or self._fresh
                )
                if self._is_closed:
                    return
                touched, self._touched = self._touched or Touched(), None
                is_external, self._is_external = self._is_external or self._fresh, False
                self._fresh = False
            start = time.monotonic()
            position = self._round(touched, is_external=is_external)
            with self._ready:  # only now does this thread hold no node any more
                self._told = position
                self._ready.notify_all()
            rest = _GAP_S - (time.monotonic() - start)
            if rest > 0:
                time.sleep(rest)

    def _round(self, touched: Touched, *, is_external: bool) -> int:
        self.rounds += 1
        self._depth = 0 if is_external else self._depth + 1
        if is_external:
            self._chain.clear()
        outbox: list[tuple[Node, list[Change]]] = []
        nodes = self.nodes
        due = [n for n in nodes if n.height == 0 and (not n.is_fed or n.depends(touched))]
        queries = [n for n in due if isinstance(n, LiveQuery)]
        models = [n for n in due if isinstance(n, EntityModel)]
        with self._source.snapshot(len(queries) + len(models)) as reader:
            position = reader.position
            answers = self._answer(reader, queries)
            rows = self._read_models(reader, models)
        changed: set[int] = set()
        for node in nodes:
            is_first = not node.is_fed  # the first value is no change: nobody is told
            changes = self._feed(node, answers, rows, changed, position)
            if changes:
                changed.add(id(node))
            if changes and not is_first:
                outbox.append((node, changes))
        with self._ready:
            self._shown = position
            self._ready.notify_all()
        self._tell(outbox, position)
        return position

    def _answer(self, reader: Reader, queries: list[LiveQuery]) -> dict[int, Any]:
        """Node -> (frame, milliseconds) or error; equal queries run once."""
        by_identity: dict[Any, Any] = {}
        answers: dict[int, Any] = {}
        for query in queries:
            if query.identity not in by_identity:
                by_identity[query.identity] = self._ask(reader, query)
            answers[id(query)] = by_identity[query.identity]
        return answers

    def _ask(self, reader: Reader, query: LiveQuery) -> Any:
        self.runs += 1
        start = time.perf_counter()
        try:
            frame = reader.query(query.sql, query.params)
        except Exception as error:  # noqa: BLE001 - kept and shown; the siblings go on
            return kept(error, query.label)
        return frame, (time.perf_counter() - start) * 1000

    def _read_models(self, reader: Reader, models: list[EntityModel]) -> dict[int, Any]:
        """Node -> row, None when the entity is gone, or error; one query a table."""
        rows: dict[int, Any] = {}
        for table in {m.table for m in models}:
            mine = [m for m in models if m.table == table]
            try:
                sql = f"SELECT * FROM {table} WHERE id IN (SELECT unnest($ids::VARCHAR[])::UUID)"  # noqa: S608
                self.runs += 1
                found = reader.query(sql, {"ids": [m.id for m in mine]}).to_dicts()
            except Exception as error:  # noqa: BLE001 - kept and shown; the siblings go on
                rows.update({id(m): kept(error, m.label) for m in mine})
                continue
            by_id = {str(row["id"]): row for row in found}
            rows.update({id(m): by_id.get(m.id) for m in mine})
        return rows

    @staticmethod
    def _feed(
        node: Node, answers: dict[int, Any], rows: dict[int, Any], changed: set[int], position: int
    ) -> list[Change]:
        if isinstance(node, LiveQuery):
            changes = node.take(answers.get(id(node)), position)
        elif isinstance(node, EntityModel):
            changes = node.take(rows.get(id(node), node), position)
        else:
            changes = node.recompute(changed, position)
        node.is_fed = True
        return changes

    def _tell(self, outbox: list[tuple[Node, list[Change]]], position: int) -> None:
        looping = self._loop() if self._depth > _LOOP_LIMIT else None
        for node, changes in outbox:
            if looping is not None and any(r() is node for r in self._chain):
                changes = node.put_status(position, looping)  # noqa: PLW2901
                if self._depth > _LOOP_LIMIT + 1:
                    continue
            self._speaker = node
            node.tell([c for c in changes if looping is None or c[0] == "error"])
            self._speaker = None

    def _loop(self) -> FeedbackLoopError:
        chain = tuple(n.label for r in self._chain if (n := r()) is not None)
        msg = f"Observers answered commits with commits {self._depth} times in a row: {' -> '.join(chain)}."
        hint = "The events stay. Let the observer commit only when there is something new to say."
        return FeedbackLoopError(msg, hint=hint, chain=chain)
