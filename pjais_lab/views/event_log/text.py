"""What an event says: its content in one line, and as the lines of a tree. Nothing is rounded."""

from __future__ import annotations

import json
import re
from typing import Any, Final, TypeAlias

from pjais_lab.core.ids import is_id

__all__ = ["Line", "in_one_line", "json_text", "tree"]

Line: TypeAlias = tuple[int, str, str, str]
"""Depth, name, kind and text."""
_LONG: Final = 200
_MOST: Final = 2_000
_FIRST: Final = ("content", "text", "name", "title")
_ID_SHOWN: Final = 8
_BEGUN: Final = re.compile(r'"(?:content|text|name|title)":"((?:[^"\\]|\\[^u])*)')


class _Number(str):
    """A number in the digits it was stored with."""

    __slots__ = ()


def read(args: str) -> Any:
    """Content with its numbers as they are written.

    Raises:
        ValueError: it is no JSON.
    """
    return json.loads(args, parse_int=_Number, parse_float=_Number, parse_constant=_Number)


def json_text(text: str) -> str:
    r"""A text as it stands within JSON.

    >>> print(json_text('say "hi"'))
    say \"hi\"
    """
    return json.dumps(text, ensure_ascii=False)[1:-1]


def in_one_line(args: str | None) -> str:
    """The content of an event in one line: what was said first, then the other fields.

    Args:
        args: JSON text, perhaps only its beginning; None when it was erased.

    >>> in_one_line('{"intensity":85.0,"emotion":"joy","context":null,"tags":[]}')
    'intensity 85.0 · emotion joy'
    """
    if args is None:
        return ""
    try:
        fields = read(args)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        begun = _BEGUN.search(args)
        return _cut(json.loads(f'"{begun[1]}"', strict=False) if begun else args)
    said = [str(fields[name]) for name in _FIRST if isinstance(fields.get(name), str)]
    rest = (f"{k} {_brief(v)}" for k, v in fields.items() if k not in _FIRST and _is_told(v))
    return _cut(" · ".join([*filter(None, said), *rest]))


def _is_told(value: Any) -> bool:
    return value is not None and value not in ("", [], {})


def _brief(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{len(value)}}}"
    if isinstance(value, list):
        return ", ".join(map(_brief, value[:3])) + (" …" if len(value) > 3 else "")
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)[:_ID_SHOWN] if is_id(value) else str(value)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONG else line[: _LONG - 1] + "…"


def tree(value: Any) -> list[Line]:
    """A value as the lines of a tree, each text whole.

    Args:
        value: what ``read`` gives, or any JSON value.

    >>> tree({"a": [True, "x"]})
    [(0, 'a', 'array', '2'), (1, '0', 'boolean', 'true'), (1, '1', 'text', 'x')]
    """
    lines: list[Line] = []
    waiting = [(0, k, v) for k, v in reversed(_members(value))]
    while waiting and len(lines) < _MOST:
        depth, name, inner = waiting.pop()
        kind, text = _kind(inner)
        lines.append((depth, name, kind, text))
        waiting += [(depth + 1, k, v) for k, v in reversed(_members(inner))]
    if waiting:
        lines.append((0, "…", "more", f"{len(waiting):,} more"))
    return lines


def _members(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(str(k), v) for k, v in value.items()]
    return [(str(i), v) for i, v in enumerate(value)] if isinstance(value, list) else []


def _kind(value: Any) -> tuple[str, str]:
    if isinstance(value, (dict, list)):
        return "object" if isinstance(value, dict) else "array", f"{len(value):,}"
    if value is None:
        return "null", "null"
    if isinstance(value, bool):
        return "boolean", str(value).lower()
    if isinstance(value, (_Number, int, float)):
        return "number", str(value)
    return "text", str(value)
