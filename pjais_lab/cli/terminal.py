"""What goes to the terminal: untrusted text made harmless, tables, JSON, CSV."""

from __future__ import annotations

import csv
import json
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import click

__all__ = [
    "counted",
    "listed",
    "pairs",
    "plain",
    "room",
    "safe",
    "say",
    "table",
    "write_csv",
    "write_json",
]

_JOINERS: Final = "\u200c\u200d"
"""Format characters that letters and emoji need; the others can hide or reorder text."""
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_SMALL: Final = 1e-4
_WIDEST: Final = 160
"""The longest cell of a table that goes to a file; on a terminal its width decides."""


def safe(text: object, *, lines: bool = False) -> str:
    r"""Text with everything that could move the cursor, hide or reorder shown as an escape.

    Args:
        text: anything; its ``str`` is shown.
        lines: let line breaks through.

    >>> safe("a\x1b[31mb\u202ec")
    'a\\x1b[31mb\\u202ec'
    """
    return "".join(_shown(c, lines=lines) for c in str(text))


def _shown(char: str, *, lines: bool) -> str:
    if " " <= char <= "~" or char in _JOINERS or (lines and char == "\n"):
        return char
    if unicodedata.category(char) not in _HIDDEN:
        return char
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")


def plain(value: object) -> str:
    """A cell: floats to six places, times to the second, lists and objects as JSON, text safe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(round(value, 6)) if not 0 < abs(value) < _SMALL else f"{value:.4g}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, (list, tuple, dict)):
        return safe(json.dumps(value, ensure_ascii=False, default=_portable))
    return safe(value)


def say(text: str = "") -> None:
    """A line for people; control characters in it are shown, not obeyed."""
    click.echo(safe(text, lines=True))


def counted(n: int, noun: str) -> str:
    """A number and its noun.

    >>> counted(1, "memory"), counted(2105, "memory"), counted(3, "day")
    ('1 memory', '2,105 memories', '3 days')
    """
    if n == 1:
        return f"1 {noun}"
    is_ies = noun.endswith("y") and noun[-2] not in "aeiou"
    return f"{n:,} {noun[:-1]}ies" if is_ies else f"{n:,} {noun}s"


def room() -> int | None:
    """How many characters a line of the terminal has; None when it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def listed(label: str, items: Collection[str]) -> None:
    """Print a label and what belongs to it, wrapped to the terminal, one line in a file."""
    if not items:
        return
    text = safe(f"{label}: {', '.join(items)}")
    width = room()
    if width is None:
        click.echo(f"  {text}")
    else:
        click.echo(textwrap.fill(text, width, initial_indent="  ", subsequent_indent="    "))


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None
) -> None:
    """Print a table; numbers stand right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    body = [list(row) for row in rows]
    shown = Table(box=box.SIMPLE_HEAD, title_justify="left", title=title and Text(safe(title)))
    for n, name in enumerate(columns):
        column = [row[n] for row in body if row[n] is not None]
        is_number = bool(column) and all(
            isinstance(v, (int, float)) and not isinstance(v, bool) for v in column
        )
        shown.add_column(Text(safe(name)), justify="right" if is_number else "left")
    for row in body:
        shown.add_row(*(Text(_short(plain(value))) for value in row))
    width = None if sys.stdout.isatty() else _WIDEST * max(1, len(columns))
    console = Console(file=sys.stdout, markup=False, highlight=False, emoji=False, width=width)
    with console.capture() as printed:
        console.print(shown)
    click.echo("\n".join(line.rstrip() for line in printed.get().split("\n")).strip("\n"))


def _short(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def pairs(facts: Mapping[str, object], *, title: str | None = None) -> None:
    """Print names and values, one a line."""
    if title:
        say(title)
    width = max((len(safe(name)) for name in facts), default=0)
    for name, value in facts.items():
        text = f"{value:,}" if type(value) is int else plain(value)
        say(f"  {safe(name):<{width}}  {text}")


def write_json(value: object, *, lines: bool = False) -> None:
    """Print JSON; on a terminal ASCII only, so that nothing in it can act.

    Args:
        value: what to print.
        lines: one object a line, flushed, for streams.
    """
    indent = None if lines else 2
    text = json.dumps(value, ensure_ascii=sys.stdout.isatty(), indent=indent, default=_portable)
    click.echo(text)
    if lines:
        sys.stdout.flush()


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print RFC 4180 CSV; unaltered unless it goes to a terminal."""
    show = safe if sys.stdout.isatty() else str
    writer = csv.writer(sys.stdout)
    writer.writerow([show(name) for name in columns])
    for row in rows:
        writer.writerow(["" if v is None else show(_flat(v)) for v in row])


def _flat(value: object) -> object:
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(value, ensure_ascii=False, default=_portable)
    return _portable(value) if isinstance(value, date) else value


def _portable(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return str(value)
