"""What may stand at the cursor in a ``%%lab`` cell: tables, columns, labs and variables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from IPython.core.completer import (
    CompletionContext,
    MatcherResult,
    SimpleCompletion,
    context_matcher,
)
from IPython.core.interactiveshell import InteractiveShell

from pjais_lab.errors import LabError
from pjais_lab.ext._request import OPTIONS, parse
from pjais_lab.ext._variables import find_lab, open_labs

__all__ = ["matcher"]

_COLUMNS: Final = (
    "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal"
    " AND database_name = current_database() AND schema_name = 'main'"
)
_CELL: Final = re.compile(r"\s*%%lab(?=\s)")
_LINE: Final = re.compile(r"(?:^|=)\s*%lab(?=\s)")
_FRAMES: Final = {"": ("frames",), "frames": ("on", "off")}
_SOURCE: Final = re.compile(r"\b(?:FROM|JOIN)\s+\Z", re.IGNORECASE)
_NAMED: Final = re.compile(r"\b(?:FROM|JOIN|,)\s*(\w+)(?:\s+(?:AS\s+)?(\w+))?", re.IGNORECASE)
Found = Iterable[tuple[str, str]]
"""A text and what it is."""


def matcher(shell: InteractiveShell) -> Any:
    """A matcher for IPython's completer; silent outside of ``%lab`` and ``%%lab``."""

    def pjais_lab_matcher(context: CompletionContext) -> MatcherResult:
        found: list[tuple[str, str]] = []
        text = _until_cursor(context)
        start = _start(context.full_text, text)
        if start is not None:
            with suppress(LabError):
                found = list(_found(text[start:], context, start, shell.user_ns))
        words = [SimpleCompletion(text=word, type=kind) for word, kind in found]
        return {"completions": words, "suppress": bool(found)}

    decorate: Any = context_matcher()
    return decorate(pjais_lab_matcher)


def _until_cursor(context: CompletionContext) -> str:
    above = context.full_text.split("\n")[: context.cursor_line]
    return "\n".join([*above, context.text_until_cursor])


def _start(whole: str, text: str) -> int | None:
    """Where the magic's own text begins; None when the cursor is not in one."""
    if whole.lstrip().startswith("%%"):
        match = _CELL.match(text)
        return match.end() if match else None
    begin = text.rfind("\n") + 1
    match = _LINE.search(text[begin:])
    return begin + match.end() if match else None


def _found(
    text: str, context: CompletionContext, start: int, names: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """What fits at the end of ``text``, the part of the magic before the cursor."""
    token = context.token
    before = text[: len(text) - len(token)]
    if not context.full_text.lstrip().startswith("%%"):
        words = ((word, "option") for word in _FRAMES.get(before.strip(), ()))
        yield from _fitting(words, token)
        if before.strip() == "frames":
            return
    if re.search(r"(?:-l|--lab)(?:\s+|=)\Z", before) and "\n" not in before:
        yield from _fitting(((name, "lab") for name in open_labs(names)), token)
    elif token.startswith("-") and "\n" not in before:
        yield from _fitting(((name, "option") for name in OPTIONS), token)
    elif before.endswith(("$", "{")):
        plain = ((n, "variable") for n in sorted(names) if not n.startswith("_"))
        yield from _fitting(plain, token)
    else:
        first, _, body = _whole(context, start).partition("\n")
        lab = find_lab(parse(first, body).lab, names)
        columns = lab.query(_COLUMNS).rows()
        if _SOURCE.search(before):
            yield from _fitting(((table, "table") for table in _tables(columns)), token)
        else:
            yield from _fitting(_names(columns, body or first, token), token)


def _whole(context: CompletionContext, start: int) -> str:
    """The text of the magic, on both sides of the cursor."""
    if context.full_text.lstrip().startswith("%%"):
        return context.full_text[start:]
    return context.line_with_cursor.partition("%lab")[2]


def _names(columns: list[tuple[str, str]], sql: str, token: str) -> Iterator[tuple[str, str]]:
    """Tables, and columns of the tables that the SQL names; behind ``m.`` those of ``m``."""
    tables = _tables(columns)
    aliases = {alias or name: name for name, alias in _NAMED.findall(sql) if name in tables}
    aliases |= {name: name for name in aliases.values()}
    if "." in token:
        prefix = token.rpartition(".")[0]
        of = aliases.get(prefix, prefix)
        yield from ((f"{prefix}.{column}", "column") for table, column in columns if table == of)
        return
    wanted = set(aliases.values()) or set(tables)
    yield from ((table, "table") for table in tables)
    yield from ((c, "column") for c in dict.fromkeys(c for t, c in columns if t in wanted))


def _tables(columns: list[tuple[str, str]]) -> list[str]:
    return sorted({table for table, _ in columns})


def _fitting(found: Found, token: str) -> Iterator[tuple[str, str]]:
    return ((word, kind) for word, kind in found if word.lower().startswith(token.lower()))
