"""LabStatus: journal, lake, state, followers, what is live at what cost, and what follows what."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, Final

import msgspec
import polars as pl

from pjais_lab.core.markup import cut, facts
from pjais_lab.reactive.computed import Computed
from pjais_lab.reactive.live_query import LiveQuery
from pjais_lab.views import _fallback
from pjais_lab.views._base import View
from pjais_lab.views.lab_status.graph import Graph, graph_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pjais_lab.lab.lab import Lab
    from pjais_lab.reactive.node import Node

__all__ = ["LabStatus"]

_SHOWN: Final = 80
_MOST: Final = 200
_PAUSE_S: Final = 1.0
_ROWS: Final = """\
SELECT "table", rows FROM log.sizes
WHERE "table" <> 'settings'
ORDER BY rows DESC, 1"""
_LIVE: Final = {
    "what": pl.String,
    "runs": pl.Int64,
    "last ms": pl.Float64,
    "total ms": pl.Float64,
    "rows": pl.Int64,
    "at event": pl.Int64,
    "state": pl.String,
}


class LabStatus(View):
    """What a lab is doing, live: positions, sizes, troubles, what is live at what cost.

    The rows of each table and the position move with every commit. All else is looked at after
    what moved was painted, at most once a second, and every few seconds while a page shows it.

    Args:
        lab: an open lab.
        title: what is written above it; the workspace's name if None.

    Attributes:
        status: positions, sizes and troubles as values.
        live: what is live, and what it costs.
        graph: what follows what.
    """

    kind = "lab_status"

    def __init__(self, lab: Lab, *, title: str | None = None) -> None:
        super().__init__(title if title is not None else f"Lab {lab.path.name}")
        self._lab = lab
        self._looked_at = -math.inf
        self._query = lab.live(_ROWS)
        self.follow("tables", self._query, is_main=True)
        self.following.add(self._query, self._moved, ["version"])
        self.put("position", lab.position)
        self.refresh()

    @property
    def sql(self) -> str:
        """The query behind the rows of each table."""
        return self._query.sql

    @property
    def frame(self) -> pl.DataFrame:
        """Rows of each table."""
        return self._query.frame

    @property
    def status(self) -> Any:
        """Positions, sizes and troubles as values."""
        return self._lab.status

    @property
    def live(self) -> pl.DataFrame:
        """What is live, the most costly first."""
        return live_frame(self._lab.live_nodes)

    @property
    def graph(self) -> Graph:
        """Tables, what is live on them, and the views that show it."""
        views = [v for v in list(self._runtime.views.values()) if isinstance(v, View)]
        return graph_of(self._lab.live_nodes, views)

    def refresh(self) -> None:
        """Look again, unless it was done a moment ago; in a few seconds too while a page shows the view."""
        now = time.monotonic()
        if now - self._looked_at < _PAUSE_S:
            return
        self._looked_at = now
        self.put_later("status", lambda: msgspec.to_builtins(self._lab.status))
        self.put_later("live", lambda: self.live)
        self.put_later("graph", lambda: msgspec.to_builtins(self.graph))

    def heard(self, kind: str, page: str, said: dict[str, Any]) -> None:
        """As every view; when what moved was painted, the rest may follow."""
        super().heard(kind, page, said)
        if kind == "ack":
            self.refresh()

    def sections(self) -> Iterable[str]:
        """The static view."""
        status = msgspec.to_builtins(self._lab.status)
        plain = ((k.replace("_", " "), v) for k, v in status.items())
        yield facts((k, v) for k, v in plain if v is not None and not isinstance(v, (dict, list)))
        yield _fallback.table("Rows of each table", self.frame)
        yield _fallback.table("Shards", pl.DataFrame(status["lake"]["shards"]))
        yield _fallback.table("Followers", pl.DataFrame(status["followers"]))
        yield _fallback.table("Live", self.live)
        yield _fallback.table("What follows what", _edges(self.graph))

    def _moved(self, change: Any) -> None:
        """Something was committed; in the hub's thread."""
        self.put("position", change.new)


def live_frame(nodes: list[Node]) -> pl.DataFrame:
    """What is live and what it has cost, the most costly first; reading it waits for nothing."""
    rows = sorted(map(_cost, nodes), key=lambda row: -(row["total ms"] or 0))
    return pl.DataFrame(rows[:_MOST], schema=_LIVE)


def _cost(node: Node) -> dict[str, Any]:
    label, runs = node.label, node.runs if isinstance(node, Computed) else None
    row: dict[str, Any] = {}
    if isinstance(node, LiveQuery):
        label, runs = node.sql, node.peek("runs")
        if runs:
            times = {"last ms": node.peek("elapsed_ms"), "total ms": node.total_ms}
            row = {name: round(ms, 2) for name, ms in times.items()}
            row["rows"] = node.rows
    is_asleep = isinstance(node, LiveQuery) and node.is_asleep
    follows = "rests" if is_asleep else "follows"
    state = node.peek("error") or ("stale" if node.peek("stale") else follows)
    return {
        "what": cut(" ".join(label.split()), _SHOWN),
        "runs": runs,
        "at event": node.peek("version"),
        "state": state,
        "total ms": None,
    } | row


def _edges(graph: Graph) -> pl.DataFrame:
    """The graph as a table."""
    labels = {spot.id: spot.label for layer in graph.layers for spot in layer}
    rows = [(labels[a], labels[b]) for a, b in graph.edges]
    return pl.DataFrame(rows, schema=["what", "feeds"], orient="row")
