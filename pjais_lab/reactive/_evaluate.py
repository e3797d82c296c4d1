"""Answering live queries and models from one reader, and giving every node what it shows."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from pjais_lab.reactive._errors import kept
from pjais_lab.reactive._invalidation import Touched
from pjais_lab.reactive.live_query import LiveQuery
from pjais_lab.reactive.model import EntityModel

if TYPE_CHECKING:
    from pjais_lab.reactive._inbox import Inbox
    from pjais_lab.reactive.node import Change, Node
    from pjais_lab.reactive.source import Reader, Source

__all__ = ["Answers", "Asker", "feed"]

_SPARES: Final = 8
_TOLD_WAIT_S: Final = 2.0


class Answers:
    """What a reader says to the nodes that are due.

    Args:
        reader: opened with as many spares as there are nodes.
        due: the nodes; those that are computed are left out.
        settled: nodes whose answers stand; a query that equals one of them is not run.

    Attributes:
        runs: how many queries it took.
        is_complete: False when queries failed one after the other and used the reader up.
    """

    def __init__(self, reader: Reader, due: Sequence[Node], settled: Sequence[Node] = ()) -> None:
        self.runs = 0
        self.is_complete = True
        self._reader = reader
        self._by_node: dict[int, Any] = {}
        queries = [n for n in due if isinstance(n, LiveQuery)]
        self._ask_queries(queries, _standing(settled) if queries else {})
        self._read_models([n for n in due if isinstance(n, EntityModel)])

    def get(self, node: Node, default: Any) -> Any:
        """The answer for a node."""
        return self._by_node.get(id(node), default)

    def _ask_queries(self, queries: list[LiveQuery], known: dict[Any, Any]) -> None:
        """(frame, milliseconds) or an error; equal queries run once."""
        for query in queries:
            if query.identity not in known:
                known[query.identity] = self._ask(query)
            self._by_node[id(query)] = known[query.identity]

    def _ask(self, query: LiveQuery) -> Any:
        if self._is_spent():
            return None
        self.runs += 1
        start = time.perf_counter()
        try:
            frame = self._reader.query(query.sql, query.params)
        except Exception as error:  # noqa: BLE001 - kept and shown; the siblings go on
            return kept(error, query.label)
        return frame, (time.perf_counter() - start) * 1000

    def _is_spent(self) -> bool:
        self.is_complete = self.is_complete and not self._reader.is_spent
        return not self.is_complete

    def _read_models(self, models: list[EntityModel]) -> None:
        """Row, None when the entity is gone, or an error; one query a table."""
        for table in {m.table for m in models}:
            mine = [m for m in models if m.table == table]
            if self._is_spent():
                return
            sql = f"SELECT * FROM {table} WHERE id IN (SELECT unnest($ids::VARCHAR[])::UUID)"  # noqa: S608
            self.runs += 1
            try:
                found = self._reader.query(sql, {"ids": [m.id for m in mine]}).to_dicts()
            except Exception as error:  # noqa: BLE001 - kept and shown; the siblings go on
                self._by_node.update({id(m): kept(error, m.label) for m in mine})
                continue
            by_id = {str(row["id"]): row for row in found}
            self._by_node.update({id(m): by_id.get(m.id) for m in mine})


class Asker:
    """Answers what is due on one snapshot.

    Args:
        source: the store.
        inbox: what it has announced.
        ready: guards the inbox and is notified of every announcement.

    Attributes:
        runs: how many queries it took so far.
    """

    def __init__(self, source: Source, inbox: Inbox, ready: threading.Condition) -> None:
        self.runs = 0
        self._source = source
        self._inbox = inbox
        self._ready = ready
        self._reader: Reader | None = None
        self._is_closed = False

    def ask(self, nodes: Sequence[Node]) -> tuple[Answers, int]:
        """The answers for the nodes that changes may concern, and the position they are of.

        There is a spare for every query that has failed before, and one for the new ones; when more
        of them fail, all are asked again with a spare for each.
        """
        touched = Touched()
        failed = sum(n.failure is not None for n in nodes)
        spares = min(_SPARES, failed + any(not n.is_fed for n in nodes))
        while True:
            with self._ready:
                before = self._inbox.count
            with self._source.snapshot(spares) as reader:
                self._note(touched, before, reader.position)
                due: list[Node] = []
                settled: list[Node] = []
                for node in nodes:
                    (due if node.is_due(touched) else settled).append(node)
                answers = self._answer(reader, due, settled)
            if answers.is_complete or self._is_closed:
                return answers, reader.position
            spares = len(due)

    def feed_now(self, node: Node) -> None:
        """Give a node that an observer has just made its first value."""
        with self._source.snapshot(1) as reader:
            answers = Answers(reader, [node])
            feed(node, answers, set(), reader.position)
        self.runs += answers.runs
        node.is_fed = True

    def close(self) -> None:
        """Stop the query that is running; callable from any thread."""
        with self._ready:
            self._is_closed = True
            if self._reader is not None:
                self._reader.interrupt()

    def _note(self, touched: Touched, before: int, position: int) -> None:
        """Learn what was touched up to the snapshot; its last change may be a moment from being told."""
        with self._ready:
            self._ready.wait_for(
                lambda: self._is_closed or self._inbox.position >= position, _TOLD_WAIT_S
            )
            self._inbox.take(touched, before, position)

    def _answer(self, reader: Reader, due: Sequence[Node], settled: Sequence[Node]) -> Answers:
        with self._ready:
            self._reader = reader
            if self._is_closed:
                reader.interrupt()
        try:
            answers = Answers(reader, due, settled)
        finally:
            with self._ready:
                self._reader = None
        self.runs += answers.runs
        return answers


def _standing(settled: Sequence[Node]) -> dict[Any, Any]:
    """Identity -> answer, of the queries that have one."""
    return {
        n.identity: (n.copy(wait=False), n.peek("elapsed_ms"))
        for n in settled
        if isinstance(n, LiveQuery) and n.failure is None and not (n.is_closed or n.is_behind)
    }


def feed(node: Node, answers: Answers, changed: set[int], position: int) -> list[Change]:
    """Let a node show what was found; whatever it raises becomes its error.

    Args:
        node: a query, a model or a computed value.
        answers: what was found.
        changed: the inputs that have another value than before.
        position: what all of them show.
    """
    try:
        if isinstance(node, LiveQuery):
            return node.take(answers.get(node, None), position)
        if isinstance(node, EntityModel):
            return node.take(answers.get(node, node), position)
        return node.recompute(changed, position)
    except Exception as error:  # noqa: BLE001 - a model's own code; the others go on
        return node.put_status(position, kept(error, node.label))
