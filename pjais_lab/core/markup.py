"""Plain HTML for the last line of a cell: every text inert, styles inline, no script, bounded size.

Colours are the page's own, so that it reads on light and dark alike.
"""

from __future__ import annotations

import math
import reprlib
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Final

from pjais_lab.errors import LabError

__all__ = [
    "bars",
    "card",
    "count",
    "cut",
    "facts",
    "grid",
    "inert",
    "line",
    "one_line",
    "said",
    "sheet",
    "tiles",
    "trouble",
    "visible",
]

LIMIT: Final = 30_000
"""What is shown of an object is smaller than this, in characters."""

_JOINERS: Final = "\u200c\u200d"
"""Format characters that letters and emoji need; the others can hide or reorder text."""
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_LONGEST: Final = 160
_SMALL: Final = 1e-4
_COLUMNS: Final = 16
_ROWS: Final = 10
_SIZES: Final = ((160, 1.0), (48, 1.0), (20, 1.0), (12, 0.4), (8, 0.1))
"""Characters of a cell and share of the rows, tried until a table is small enough."""
_ROOM: Final = 16_000
"""For one table, in characters."""
_ITEMS: Final = 20
_BREAKS: Final = frozenset(" -–—?")
"""Where a browser may begin another line."""
_WORD: Final = 24
"""A text as short as this is not broken into lines."""
_NESTED: Final = reprlib.Repr()
_NESTED.maxlist = _NESTED.maxtuple = _NESTED.maxdict = _NESTED.maxset = _ITEMS
_NESTED.maxstring = _NESTED.maxother = _LONGEST

_FONT: Final = "font-size:13px;line-height:1.5;font-variant-numeric:tabular-nums"
_RULE: Final = "rgba(128,128,128,.4)"
_FAINT: Final = "opacity:.75"
_CELL: Final = "padding:1px 8px"
_ONE_LINE: Final = ";white-space:nowrap"
_PROSE: Final = ";min-width:14em;overflow-wrap:anywhere"
_TABLE: Final = "border-collapse:collapse;margin:4px 0;font-size:inherit"


# ---------------------------------------------------------------- text
def visible(text: object, *, lines: bool = False) -> str:
    r"""Text in which everything that could act, hide or reorder is shown as an escape.

    Args:
        text: anything; its ``str`` is shown.
        lines: let line breaks through.

    >>> visible("a\x1b[31mb\u202ec")
    'a\\x1b[31mb\\u202ec'
    """
    shown = str(text)
    if shown.isascii() and shown.isprintable():
        return shown
    return "".join(_shown(c, lines=lines) for c in shown)


def _shown(char: str, *, lines: bool) -> str:
    if char in _JOINERS or (lines and char == "\n") or unicodedata.category(char) not in _HIDDEN:
        return char
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")


def cut(text: str, longest: int = _LONGEST) -> str:
    """The beginning of a text that is too long."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def one_line(value: object, longest: int = _LONGEST) -> str:
    r"""A value as one line of text that does nothing to a terminal.

    >>> one_line("\x1b[2J" + "x" * 90, 20)
    '\\x1b[2Jxxxxxxxxxxxx…'
    """
    if isinstance(value, bytes):
        text = repr(value[:longest])
    elif isinstance(value, list) and all(isinstance(v, str) for v in value[:_ITEMS]):
        items = [cut(v, longest) for v in value[:_ITEMS]]
        text = f"[{', '.join([*items, '…'] if len(value) > _ITEMS else items)}]"
    elif isinstance(value, (list, tuple, dict, set, frozenset)):
        text = _NESTED.repr(value)
    else:
        text = str(value)
    return cut(visible(cut(text, longest)), longest)


def said(make: Callable[[], str]) -> str:
    """What ``make`` gives, or why it cannot: a ``repr`` does not raise."""
    try:
        return make()
    except LabError as error:
        return one_line(error.message)


def count(n: int, noun: str) -> str:
    """A number of things.

    >>> count(1, "row"), count(2_000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{n:,} {noun}{'s' * (n != 1)}"


# ---------------------------------------------------------------- HTML
def inert(value: object, longest: int = _LONGEST) -> str:
    r"""A value as text that does nothing in a page.

    >>> inert("<b>\x1b"), inert(0.1 + 0.2), inert(True)
    ('&lt;b&gt;\\x1b', '0.3', 'yes')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if 0 < abs(value) < _SMALL else str(round(value, 6))
    if isinstance(value, datetime):
        spec = "milliseconds" if value.microsecond else "seconds"
        return escape(value.isoformat(sep=" ", timespec=spec))
    return escape(one_line(value, longest))


def line(*texts: object) -> str:
    """Faint small print, with dots between."""
    shown = " · ".join(f"<bdi>{inert(text)}</bdi>" for text in texts if text is not None)
    return f"<div style='{_FAINT};font-size:12px;overflow-wrap:anywhere'>{shown}</div>"


def trouble(text: object) -> str:
    """Something that is wrong, in its own words; nothing when there is nothing."""
    if not text:
        return ""
    style = "border-left:3px solid #d1453b;padding:0 8px;margin:4px 0;overflow-wrap:anywhere"
    return f"<div role='alert' style='{style}'>{inert(text, 600)}</div>"


def tiles(values: Mapping[str, object]) -> str:
    """A few figures side by side, each over its name."""
    each = "display:inline-block;margin:2px 28px 2px 0;vertical-align:top"
    return "".join(
        f"<div style='{each}'><div style='font-size:17px;font-weight:600'>{inert(v)}</div>"
        f"<div style='{_FAINT};font-size:12px'>{inert(k)}</div></div>"
        for k, v in values.items()
    )


def facts(values: Iterable[tuple[object, object]]) -> str:
    """Names and values, one pair a row; long values wrap, and those without room are counted."""
    name, value = f"text-align:left;white-space:nowrap;{_CELL};{_FAINT}", f"text-align:left;{_CELL}"
    rows, left = "", 0
    for k, v in values:
        shown = inert(v, 400)
        wraps = "" if len(shown) <= _WORD else ";overflow-wrap:anywhere"
        row = f"<tr><td style='{name}'>{inert(k)}</td><td style='{value}{wraps}'>{shown}</td></tr>"
        if left or len(rows) + len(row) > _ROOM:
            left += 1
        else:
            rows += row
    table = f"<table style='{_TABLE}'>{rows}</table>" if rows else ""
    return table + (line(f"{left:,} more") if left else "")


def bars(values: Iterable[tuple[object, float | None]], top: float = 100.0) -> str:
    """Numbers from 0 to ``top``, each as a bar beside its name."""
    rows = "".join(
        f"<tr><td style='text-align:left;{_CELL};{_FAINT}'>{inert(k, 40)}</td>"
        f"<td style='{_CELL};width:160px;min-width:60px'>{_bar(v, top)}</td>"
        f"<td style='text-align:right;{_CELL}'>{'–' if v is None else f'{round(v, 1):g}'}</td></tr>"
        for k, v in values
    )
    return f"<table style='{_TABLE}'>{rows}</table>" if rows else ""


def _bar(value: float | None, top: float) -> str:
    share = min(100.0, max(0.0, 100 * (value or 0) / top))
    return (
        f"<div style='background:rgba(128,128,128,.25);border-radius:3px;height:7px'><div style='"
        f"width:{share:.0f}%;height:7px;border-radius:3px;background:currentColor;opacity:.6'>"
        "</div></div>"
    )


def grid(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    right: Sequence[bool],
    height: int | None = None,
    most: int = _ROWS,
) -> str:
    """A table; only as much of it as has room, and what was left out is said.

    Args:
        columns: their names.
        rows: the first few are shown.
        right: which columns stand right.
        height: how many rows there are, if more than are given.
        most: how many rows are shown at most.
    """
    text, shown = "", 0
    for longest, share in _SIZES:
        shown = min(len(rows), math.ceil(most * share))
        text = _table(columns[:_COLUMNS], rows[:shown], right, longest)
        if len(text) <= _ROOM:
            break
    height = len(rows) if height is None else height
    left = [
        f"first {shown:,} of {count(height, 'row')}" if height > shown else None,
        count(len(columns) - _COLUMNS, "more column") if len(columns) > _COLUMNS else None,
    ]
    return text + (line(*left) if any(left) else "")


def _table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[bool], longest: int
) -> str:
    aligned = [f"text-align:{'right' if is_right else 'left'};{_CELL}" for is_right in right]
    head = "".join(
        f"<th style='{side};{_FAINT}'>{inert(name, longest)}</th>"
        for name, side in zip(columns, aligned, strict=False)
    )
    body = "".join(
        "<tr>"
        + "".join(
            _cell(value, longest, side)
            for value, side in zip(row[: len(columns)], aligned, strict=False)
        )
        + "</tr>"
        for row in rows
    )
    ruled = f"border-bottom:1px solid {_RULE}"
    return (
        f"<div style='overflow-x:auto'><table style='{_TABLE}'><thead><tr style='{ruled}'>{head}</tr>"
        f"</thead><tbody>{body}</tbody></table></div>"
    )


def _cell(value: object, longest: int, side: str) -> str:
    shown = f"<i style='{_FAINT}'>null</i>" if value is None else inert(value, longest)
    if value is None or (len(shown) <= _WORD and not _BREAKS & set(shown)):
        wraps = ""
    else:
        wraps = _ONE_LINE if len(shown) <= _WORD else _PROSE
    return f"<td style='{side}{wraps}'>{shown}</td>"


def sheet(*sections: str) -> str:
    """Sections made here, without a frame or a name."""
    return f"<div style='{_FONT}'>{''.join(sections)}</div>"


def card(kind: str, name: object, *sections: str) -> str:
    """The whole of it; sections without room are left out, and that is said.

    Args:
        kind: what it is.
        name: which one.
        sections: HTML made here.
    """
    style = f"max-width:64em;border-left:3px solid {_RULE};padding:2px 0 2px 12px"
    text = (
        f"<div style='{style};{_FONT}'>"
        f"<div><strong>{inert(kind)}</strong> <bdi style='overflow-wrap:anywhere'>{inert(name, 200)}"
        "</bdi></div>"
    )
    missing = 0
    for section in sections:
        if len(text) + len(section) < LIMIT - 300:
            text += section
        else:
            missing += 1
    return f"{text}{line(count(missing, 'more part')) if missing else ''}</div>"
