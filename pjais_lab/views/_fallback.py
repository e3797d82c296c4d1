"""What a view looks like where nothing runs: a saved notebook, GitHub, nbconvert, an HTML file.

The pieces are ``core.markup``'s, as for every other object: inert text, inline styles, bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from pjais_lab.core.markup import card, grid, inert, line, trouble

if TYPE_CHECKING:
    import polars as pl

__all__ = ["course", "page", "part", "table", "whole"]

_ROWS: Final = 12
_HEIGHT: Final = 62.0


class Static(Protocol):
    """What can be shown where nothing runs."""

    @property
    def sql(self) -> str:
        """The query behind it."""
        ...

    def sections(self) -> Iterable[str]:
        """Its pieces, as inert HTML."""
        ...


def whole(title: str, view: Static, error: str | None) -> str:
    """A view with its heading, its trouble, and the query it shows the answer of."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    sql = ""
    try:
        inner = [*view.sections(), trouble(error)]
        sql = " ".join(view.sql.split())
    except Exception as failure:  # noqa: BLE001 - a closed lab must not break a display
        inner = [trouble(f"{type(failure).__name__}: {failure}")]
    return card(title, "", *inner, line(f"as of {now}", sql))


def part(title: str, inner: str) -> str:
    """A piece of a view under its heading; nothing when there is nothing."""
    head = f"<div style='font-weight:600;margin-top:8px'>{inert(title)}</div>"
    return head + inner if inner else ""


def table(title: str, frame: pl.DataFrame) -> str:
    """The first rows of a frame."""
    right = [kind.is_numeric() for kind in frame.dtypes]
    rows = frame.head(_ROWS).rows()
    shown = grid(frame.columns, rows, right=right, height=frame.height, most=_ROWS)
    return part(title, shown if frame.height else "")


def course(title: str, values: Sequence[float | None], top: float) -> str:
    """Numbers from 0 to ``top`` in their order, as a line."""
    points = [(i, v) for i, v in enumerate(values) if v is not None]
    if not points:
        return ""
    step = 600 / max(1, len(values) - 1)
    path = " ".join(f"{i * step:.0f},{_HEIGHT + 1 - _HEIGHT * v / top:.1f}" for i, v in points)
    name = f"{title}: {len(points)} values, the last {points[-1][1]:g}"
    return part(
        title,
        f"<svg viewBox='0 0 600 64' role='img' aria-label='{inert(name)}' style='display:block;"
        f"width:600px;max-width:100%'><polyline points='{path}' fill='none' stroke='currentColor'"
        " stroke-width='1.5' opacity='.7'/></svg>",
    )


def page(title: str, body: str) -> str:
    """A standalone HTML page, light or dark as the reader prefers."""
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'>"
        "<meta name='color-scheme' content='light dark'>"
        f"<title>{inert(title)}</title></head>"
        f"<body style='margin:16px;font-family:system-ui,sans-serif'>{body}</body></html>\n"
    )
