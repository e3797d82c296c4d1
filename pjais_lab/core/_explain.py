"""Why content was refused, in one sentence: what, where, what was expected, what came instead."""

from __future__ import annotations

import math
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import msgspec

from pjais_lab.core.fields import WORDS
from pjais_lab.core.spelling import near

__all__ = ["altered", "explain", "has_nul", "is_half_a_pair", "is_infinite", "is_no_json", "where"]

_AT: Final = re.compile(r" - at `\$\.?(?P<path>.*?)`\Z", re.DOTALL)
_STEP: Final = re.compile(r"\[(\d+)\]|([^.\[]+)")
_SHOWN: Final = 40
_REASONS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern, re.DOTALL), text)
    for pattern, text in (
        (r"Expected `(?:float|int|decimal)` <= (.*)", "expected at most {0}{got}"),
        (r"Expected `(?:float|int|decimal)` >= (.*)", "expected at least {0}{got}"),
        (r"Expected `str` of length >= 1", "expected text that is not empty{got}"),
        (r"Expected `str` of length <= (\d+)", "expected at most {0} characters{length}"),
        (r"Expected `array` of length <= (\d+)", "expected at most {0} elements{length}"),
        (r"Expected `str` matching regex '(.*)'", "expected {words}{got}"),
        (r"Invalid enum value (.*)", "expected one of {choices}{got}"),
        (r"Invalid RFC3339 encoded datetime", "expected a time such as 2026-11-01T14:30:00Z{got}"),
        (r"Object contains unknown field `(.*)`", "there is no field {0!r}"),
        (r"Object missing required field `(.*)`", "it lacks the field {0!r}"),
        (r"Expected (`.*`), got (`.*`)", "expected {0}, got {1}"),
    )
)
_PLAIN: Final = (str, int, float, type(None))
_WORDS: Final = MappingProxyType({repr(pattern)[1:-1]: text for pattern, text in WORDS.items()})
_ENCODED: Final = (*_PLAIN, Enum, Decimal, UUID, bytes, bytearray, date, time, timedelta)
_GROUPS: Final = (Mapping, list, tuple, set, frozenset)
_Test = Callable[[Any], str | None]


def explain(cls: type[msgspec.Struct], value: Any, error: Exception) -> tuple[str, str, str | None]:
    """Put an error of msgspec into words.

    Args:
        cls: the definition that was not met.
        value: the event, or the fields it was to be made of.
        error: what msgspec said.

    Returns:
        The path of the field, why it was refused, and a hint if there is one.
    """
    text = str(error)
    found = _AT.search(text)
    path = found["path"] if found else ""
    reason = _AT.sub("", text)
    given = _at(value, path)
    got = "" if given is _LOST else f", got {_short(given)}"
    length = "" if given is _LOST or not hasattr(given, "__len__") else f", got {len(given):,}"
    choices = _choices(cls, path)
    for pattern, form in _REASONS:
        hit = pattern.fullmatch(reason)
        if hit:
            words = _WORDS.get(hit[1], f"text that matches {hit[1]}") if "{words}" in form else ""
            listed = ", ".join(choices)
            reason = form.format(*hit.groups(), got=got, length=length, words=words, choices=listed)
            if "{choices}" in form and isinstance(given, str):
                return path, reason, _similar(given, choices)
            is_unknown = form.startswith("there is no field") and not path
            return path, reason, near(hit[1], cls.__struct_fields__) or None if is_unknown else None
    return path, reason[:1].lower() + reason[1:].rstrip("."), None


def _similar(given: str, choices: tuple[str, ...]) -> str | None:
    hint = near(given, choices)
    return hint if hint.startswith("Did") else None


class _Lost:
    """The path does not lead to a value."""


_LOST: Final = _Lost()


def _at(value: Any, path: str) -> Any:
    for index, name in _STEP.findall(path):
        try:
            if index:
                value = list(value)[int(index)]
            elif isinstance(value, Mapping):
                value = value[name]
            else:
                value = getattr(value, name)
        except (AttributeError, IndexError, KeyError, TypeError):
            return _LOST
    return value


def _choices(cls: type[msgspec.Struct], path: str) -> tuple[str, ...]:
    """The values of the Literal at a path."""
    kind: Any = cls
    for index, name in _STEP.findall(path):
        if index:
            kind = next((a for a in typing.get_args(kind) if a is not ...), None)
            continue
        structs = [k for k in (kind, *typing.get_args(kind)) if hasattr(k, "__struct_fields__")]
        kind = typing.get_type_hints(structs[0]).get(name) if structs else None
    parts = (kind, *typing.get_args(kind))
    return tuple(
        str(v)
        for part in parts
        if typing.get_origin(part) is typing.Literal
        for v in typing.get_args(part)
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


# ---------------------------------------------------------------- looking through a value


def where(value: Any, test: _Test, path: str = "") -> tuple[str, str] | None:
    """The first place in a value that fails a test: its path and what the test says."""
    for place, leaf in _leaves(value, path):
        problem = test(leaf)
        if problem is not None:
            return place, problem
    return None


def is_infinite(value: Any) -> str | None:
    """A number that JSON lacks."""
    if isinstance(value, float) and not math.isfinite(value):
        return "expected a finite number, got NaN or infinity"
    return None


def has_nul(value: Any) -> str | None:
    """Text with a NUL in it, which neither every database nor every file format can hold."""
    if isinstance(value, str) and "\0" in value:
        return "expected text without NUL characters"
    return None


def is_half_a_pair(value: Any) -> str | None:
    """Text that UTF-8 cannot hold."""
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return "expected text, got half of a surrogate pair"
    return None


def is_no_json(value: Any) -> str | None:
    """Something that JSON has no form for."""
    if isinstance(value, _OddKey):
        return f"expected text as key, got `{type(value.key).__name__}`"
    if isinstance(value, (msgspec.Struct, msgspec.UnsetType, *_ENCODED, *_GROUPS)):
        return None
    return f"expected JSON, got `{type(value).__name__}`"


class _OddKey:
    """A key of a mapping that is no text."""

    def __init__(self, key: Any) -> None:
        self.key = key


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every scalar with its path, keys of mappings among them."""
    waiting: list[tuple[str, Any]] = [(path, value)]
    while waiting:
        place, item = waiting.pop()
        inner = list(_inside(place, item))
        if inner:
            waiting.extend(reversed(inner))
        else:
            yield place, item


def _inside(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, msgspec.Struct):
        head = f"{path}." if path else ""
        yield from ((f"{head}{f}", getattr(value, f)) for f in value.__struct_fields__)
    elif isinstance(value, Mapping):
        yield from ((path, key if isinstance(key, str) else _OddKey(key)) for key in value)
        yield from ((f"{path}.{key}", inner) for key, inner in value.items())
    elif isinstance(value, _GROUPS[1:]):
        yield from ((f"{path}[{n}]", inner) for n, inner in enumerate(value))


# ---------------------------------------------------------------- what encoding would change


def altered(given: Any, stored: Any, path: str = "") -> tuple[str, str] | None:
    """The first place where the stored form would not be what was given.

    JSON has no bytes, no ids and no times of its own, so these would come back as text that
    nobody wrote.

    Args:
        given: the event, or a part of it.
        stored: the same, encoded and read back.
        path: where it lies.
    """
    if isinstance(stored, msgspec.Struct):
        if not isinstance(given, type(stored)):
            return path, f"expected `{type(stored).__name__}`, got `{type(given).__name__}`"
        pairs = ((n, getattr(given, n), getattr(stored, n)) for n in stored.__struct_fields__)
        head = f"{path}." if path else ""
        return _first(altered(g, s, f"{head}{n}") for n, g, s in pairs)
    if isinstance(given, dict) and isinstance(stored, dict):
        return _first(altered(v, stored.get(k), f"{path}.{k}") for k, v in given.items())
    if isinstance(given, (list, tuple)) and isinstance(stored, (list, tuple)):
        both = enumerate(zip(given, stored, strict=True))
        return _first(altered(g, s, f"{path}[{n}]") for n, (g, s) in both)
    if isinstance(given, (set, frozenset)):
        return _first(_leaf(g, "", f"{path}[{n}]") for n, g in enumerate(given))
    return _leaf(given, stored, path)


def _leaf(given: Any, stored: Any, path: str) -> tuple[str, str] | None:
    if isinstance(given, (*_PLAIN, Enum)) or type(given) is type(stored):
        return None
    wanted = "str" if isinstance(stored, str) else "JSON"
    return path, f"expected `{wanted}`, got `{type(given).__name__}`"


def _first(found: Iterator[tuple[str, str] | None]) -> tuple[str, str] | None:
    return next((f for f in found if f is not None), None)
