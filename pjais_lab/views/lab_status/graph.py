"""What follows what: tables, what is live on them, and the views that show it, in layers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from pjais_lab.core.markup import cut
from pjais_lab.reactive.computed import Computed
from pjais_lab.reactive.live_query import LiveQuery
from pjais_lab.reactive.model import EntityModel
from pjais_lab.reactive.node import Node
from pjais_lab.views._base import View

__all__ = ["Graph", "Spot", "graph_of"]

_MOST: Final = 12
_LONG: Final = 80
_ANYTHING: Final = "t anything"


class Spot(msgspec.Struct, frozen=True):
    """A node of the graph.

    Attributes:
        id: for the edges.
        kind: ``table``, ``query``, ``computed``, ``model``, ``view``, or ``more`` for what has no
            room.
        label: its name or SQL.
        count: how many there are, alike.
        error: what is wrong with it.
    """

    id: str
    kind: str
    label: str
    count: int = 1
    error: str | None = None


class Graph(msgspec.Struct, frozen=True):
    """Layers from the tables to the views, and who feeds whom."""

    layers: tuple[tuple[Spot, ...], ...]
    edges: tuple[tuple[str, str], ...]


def graph_of(nodes: Iterable[Node], views: Iterable[View]) -> Graph:
    """The graph of a lab; at most 12 a layer, the others together as one.

    Args:
        nodes: what is live.
        views: what is open; those that show none of the nodes are left out.
    """
    drawing = _Drawing()
    for node in nodes:
        drawing.add_node(node)
    for view in views:
        drawing.add_view(view)
    return drawing.graph()


class _Drawing:
    """A graph in the making."""

    def __init__(self) -> None:
        self._layers: dict[int, dict[str, Spot]] = {}
        self._edges: dict[tuple[str, str], None] = {}
        self._ids: dict[int, str] = {}

    def add_node(self, node: Node) -> None:
        """A query, a computed value or a model, after its inputs; those alike are one."""
        kind, name, label = _named(node)
        key = f"n {name}"
        self._ids[id(node)] = key
        layer = self._layers.setdefault(node.height + 1, {})
        count = layer[key].count + 1 if key in layer else 1
        layer[key] = Spot(key, kind, label, count, node.peek("error"))
        for source in self._sources(node):
            self._edges[source, key] = None

    def add_view(self, view: View) -> None:
        """A view, after what it shows."""
        held = {id(v): v for v in _followed(view)}
        found = [self._ids[key] for key in held if key in self._ids]
        if found:
            spot = Spot(f"v {view.model_id}", "view", cut(_title(view), _LONG), 1, view.error)
            self._layers.setdefault(1_000, {})[spot.id] = spot
            self._edges.update(dict.fromkeys((key, spot.id) for key in found))

    def graph(self) -> Graph:
        """What was added."""
        layers, moved = [], dict[str, str]()
        for number in sorted(self._layers):
            spots = list(self._layers[number].values())
            shown, rest = spots[:_MOST], spots[_MOST:]
            if rest:
                more = Spot(f"more {number}", "more", "more", sum(s.count for s in rest))
                moved.update({s.id: more.id for s in rest})
                shown.append(more)
            layers.append(tuple(shown))
        edges = {(moved.get(a, a), moved.get(b, b)): None for a, b in self._edges}
        return Graph(tuple(layers), tuple(edges))

    def _sources(self, node: Node) -> list[str]:
        if isinstance(node, Computed):
            return [self._ids[id(i)] for i in node.inputs if id(i) in self._ids]
        if isinstance(node, EntityModel):
            return [self._table(node.table)]
        if isinstance(node, LiveQuery):
            reads = node.reads
            return [self._table(_ANYTHING)] if reads is None else [self._table(t) for t in reads]
        return []

    def _table(self, name: str) -> str:
        label = "any change" if name == _ANYTHING else name
        self._layers.setdefault(0, {})[f"t {name}"] = Spot(f"t {name}", "table", label)
        return f"t {name}"


def _named(node: Node) -> tuple[str, str, str]:
    """Kind, what is the same for nodes alike, and a label."""
    if isinstance(node, LiveQuery):
        sql = " ".join(node.sql.split())
        return "query", repr(node.identity), cut(sql, _LONG)
    if isinstance(node, EntityModel):
        name = type(node).__name__
        return "model", name, name
    kind = "computed" if isinstance(node, Computed) else "query"
    return kind, str(node.serial), cut(node.label.removeprefix("computed "), _LONG)


def _title(view: Any) -> str:
    return str(view._title)  # noqa: SLF001 - of this package


def _followed(view: Any) -> list[Node]:
    """Everything live that a view holds."""
    held = [*vars(view).values(), *vars(view).get("_queries", {}).values()]
    return [v for v in held if isinstance(v, Node)]
