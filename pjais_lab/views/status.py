"""LabStatus: journal, lake, state, followers, and what is live at what cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import polars as pl

from pjais_lab.core.markup import facts
from pjais_lab.reactive.live_query import LiveQuery
from pjais_lab.views import _fallback
from pjais_lab.views._base import View

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pjais_lab.lab.lab import Lab
    from pjais_lab.reactive.node import Node

__all__ = ["LabStatus"]

_SHOWN: Final = 60
_LIVE: Final = {"what": pl.String, "ms": pl.Float64, "at event": pl.Int64, "state": pl.String}


class LabStatus(View):
    """What a lab is doing, live: positions, sizes, troubles, and each live query with its cost.

    Args:
        lab: an open lab.
        title: what is written above it; the workspace's name if None.

    Attributes:
        status: positions, sizes and troubles as values.
    """

    kind = "lab_status"

    def __init__(self, lab: Lab, *, title: str | None = None) -> None:
        super().__init__(title if title is not None else f"Lab {lab.path.name}")
        self._lab = lab
        self._query = lab.live(_rows_of(lab))
        self.follow("tables", self._query, is_main=True)
        self._query.observe(self._moved, "version")
        self._moved(None)

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

    def refresh(self) -> None:
        """Look again; once more in a few seconds while a page shows the view."""
        self.put_later("status", lambda: msgspec.to_builtins(self._lab.status))

    def sections(self) -> Iterable[str]:
        """The static view."""
        status = msgspec.to_builtins(self._lab.status)
        plain = ((k.replace("_", " "), v) for k, v in status.items() if not isinstance(v, dict))
        yield facts((k, v) for k, v in plain if v is not None)
        yield _fallback.table("Rows of each table", self.frame)
        yield _fallback.table("Live", live_frame(self._lab.live_nodes))

    def _moved(self, _change: object) -> None:
        """Something was committed; in the hub's thread, where reading what is live never waits."""
        self.put("live", live_frame(self._lab.live_nodes))
        self.refresh()


def live_frame(nodes: list[Node]) -> pl.DataFrame:
    """What is live, the newest first: label, cost of its last run, position, state."""
    rows = [
        {
            "what": " ".join(node.label.split())[:_SHOWN],
            "ms": round(node.elapsed_ms, 2) if isinstance(node, LiveQuery) else None,
            "at event": node.version,
            "state": node.error or ("stale" if node.stale else "follows"),
        }
        for node in reversed(nodes)
    ]
    return pl.DataFrame(rows, schema=_LIVE)


def _rows_of(lab: Lab) -> str:
    """Counts of every table, in one query."""
    names = [name for name in lab.tables if name != "settings"]
    # Names of tables are plain words; their declaration has checked it.
    counts = (f'SELECT \'{n}\' AS "table", count(*) AS rows FROM "{n}"' for n in names)  # noqa: S608
    return "\nUNION ALL ".join(counts) + "\nORDER BY rows DESC, 1"
