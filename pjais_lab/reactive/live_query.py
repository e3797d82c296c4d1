"""LiveQuery: an SQL question whose answer stays true."""

from __future__ import annotations

import html
from collections.abc import Callable, Generator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self

import polars as pl

from pjais_lab.reactive._frames import Frames, next_value
from pjais_lab.reactive._node import Fed, Node
from pjais_lab.reactive._query import QueryCell

if TYPE_CHECKING:
    from pjais_lab.reactive._cell import Clockwork
    from pjais_lab.reactive._query import Query

__all__ = ["LiveQuery"]

_ROWS_SHOWN: Final = 25
_CHARS_SHOWN: Final = 200


class LiveQuery(Node):
    """A query that answers again whenever the answer may have changed.

    Made by ``lab.live(sql, **params)``. Observe ``frame``; link it; ``await live.changed()``;
    ``async for frame in live``. Keep a reference: a live query that nobody holds is gone, and its
    observers with it.
    """

    frame = Fed(pl.DataFrame(), help="The answer, as a polars table; the same object until it changes.")
    elapsed_ms = Fed(0.0, help="How long the last evaluation took, in milliseconds.")

    def __init__(self, hub: Clockwork, query: Query) -> None:
        super().__init__()
        self._query = query
        self._cell: QueryCell = QueryCell(hub, self, self._trait_values, query)

    @property
    def sql(self) -> str:
        """The statement."""
        return self._query.sql

    @property
    def params(self) -> Mapping[str, Any]:
        """The values of its parameters."""
        return MappingProxyType(self._query.params)

    async def changed(self, timeout_s: float | None = None) -> pl.DataFrame:
        """The next answer that differs from the current one.

        Args:
            timeout_s: how long to wait; for ever if None.

        Raises:
            LiveQueryError: the query fails, or was closed.
            TimeoutError: nothing changed in time.
        """
        frame: pl.DataFrame = await next_value(Frames(self._cell, self, skip=True), timeout_s)
        return frame

    async def wait_for(
        self, predicate: Callable[[pl.DataFrame], bool], timeout_s: float | None = None
    ) -> pl.DataFrame:
        """The first answer, from the current one on, that ``predicate`` likes.

        Args:
            predicate: gets the frame.
            timeout_s: how long to wait for each new answer; for ever if None.

        Raises:
            LiveQueryError: the query fails, or was closed.
            TimeoutError: no new answer came in time.
        """
        frames = Frames(self._cell, self)
        while True:
            frame: pl.DataFrame = await next_value(frames, timeout_s)
            if predicate(frame):
                return frame

    def __await__(self) -> Generator[Any, None, pl.DataFrame]:
        """The current answer, without blocking the event loop meanwhile."""
        return next_value(Frames(self._cell, self), None).__await__()

    def __aiter__(self) -> Frames:
        """The current answer, then the newest after each change; ends at close."""
        return Frames(self._cell, self)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close."""
        self.close()

    def __repr__(self) -> str:
        """The query, its position and size."""
        state = "closed" if self._cell.is_closed else f"version={self.version}"
        error = f", error={self.error!r}" if self.error else ""
        return f"LiveQuery({self._query.label}, {state}, {self.frame.height} rows{error})"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """A table as it is now, for notebooks."""
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def _repr_html_(self) -> str:
        frame = self.frame
        head = "".join(f"<th>{_escape(name)}</th>" for name in frame.columns)
        rows = "".join(
            "<tr>" + "".join(f"<td>{_escape(value)}</td>" for value in row) + "</tr>"
            for row in frame.head(_ROWS_SHOWN).iter_rows()
        )
        more = frame.height - _ROWS_SHOWN
        notes = [f"{frame.height:,} rows, version {self.version:,}"]
        notes += [f"{more:,} more"] if more > 0 else []
        notes += [str(self.error)] if self.error else []
        caption = _escape(" · ".join(notes))
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        return f"{table}<small>{caption}</small>"


def _escape(value: Any) -> str:
    text = "" if value is None else str(value)
    if len(text) > _CHARS_SHOWN:
        text = text[: _CHARS_SHOWN - 1] + "…"
    return html.escape(text)
