"""Content of events as canonical JSON: encoded once, checked by reading it back."""

from __future__ import annotations

import math
import typing
from datetime import datetime
from functools import cache
from typing import Any, Final, TypeVar

import msgspec

from pjais_lab.core._explain import (
    altered,
    explain,
    has_nul,
    is_half_a_pair,
    is_infinite,
    is_no_json,
    where,
)
from pjais_lab.core.event import Event
from pjais_lab.errors import EventDecodeError, RejectedError

__all__ = ["decode", "encode", "encoder", "from_fields", "is_text", "list_decoder"]

_E = TypeVar("_E", bound=Event)
encoder: Final = msgspec.json.Encoder(order="deterministic")
"""Fields in declared order, mappings by key, no white space."""


@cache
def _decoder(cls: type[_E]) -> msgspec.json.Decoder[_E]:
    return msgspec.json.Decoder(cls)


@cache
def list_decoder(cls: type[_E]) -> msgspec.json.Decoder[list[_E]]:
    """Reads a JSON array of events of one definition."""
    return msgspec.json.Decoder(list[cls])  # type: ignore[valid-type]


def encode(event: Event, limit_bytes: int | None = None) -> str:
    """The stored form of an event, checked against its definition.

    Args:
        event: the content.
        limit_bytes: the longest JSON allowed.

    Returns:
        Canonical JSON: fields in declared order, mappings by key, no white space.

    Raises:
        RejectedError: a field has the wrong type, is out of range, is not a number, or it is
            all too long.
    """
    name = event.__event__.name
    try:
        data = encoder.encode(event)
        if b"null" in data:
            _refuse_nan(event, name)
        if b"\\u0000" in data:
            _refuse(name, where(event, has_nul))
        stored = _decoder(type(event)).decode(data)
        if stored != event:
            _refuse(name, altered(event, stored))
        text = data.decode()
    except (msgspec.ValidationError, TypeError, UnicodeError, OverflowError) as error:
        raise _rejected(type(event), event, error) from None
    except RecursionError:
        msg = f"{name} was refused: its content is nested too deeply."
        raise RejectedError(msg, hint="Flatten it.", name=name) from None
    if limit_bytes is not None and len(data) > limit_bytes:
        msg = (
            f"{name} is {len(data):,} bytes long and this workspace takes events up to"
            f" {limit_bytes:,} bytes."
        )
        hint = "Shorten the content, or raise limits.event_bytes in workspace.toml."
        raise RejectedError(msg, hint=hint, name=name, size_bytes=len(data))
    return text


def decode(cls: type[_E], args: str | bytes) -> _E:
    """Read stored content back.

    Raises:
        EventDecodeError: the JSON is not what the definition says.
    """
    try:
        made: _E = _decoder(cls).decode(args)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        path, reason, _ = explain(cls, None, error)
        name = cls.__event__.name
        raise EventDecodeError(_sentence(name, path, reason), name=name, field=path) from None
    return made


def from_fields(cls: type[_E], fields: dict[str, Any]) -> _E:
    """Build an event from loose fields, as importers and forms have them.

    Raises:
        RejectedError: an unknown field, a missing one, or a value of the wrong type or range.
    """
    try:
        made: _E = msgspec.convert(fields, cls)
    except (msgspec.ValidationError, RecursionError) as error:
        raise _rejected(cls, fields, error) from None
    return made


def is_text(value: object) -> bool:
    r"""Whether it is text that UTF-8 can hold, as every stored text is.

    >>> is_text("Ada"), is_text("\ud800"), is_text(7)
    (True, False, False)
    """
    return isinstance(value, str) and is_half_a_pair(value) is None


def _rejected(cls: type[Event], value: Any, error: Exception) -> RejectedError:
    name = cls.__event__.name
    test = is_half_a_pair if isinstance(error, UnicodeError) else is_no_json
    found = None if isinstance(error, msgspec.ValidationError) else where(value, test)
    path, reason, hint = (*found, None) if found else explain(cls, value, error)
    return RejectedError(_sentence(name, path, reason), hint=hint, name=name, field=path)


def _refuse(name: str, found: tuple[str, str] | None) -> None:
    if found is not None:
        path, reason = found
        raise RejectedError(_sentence(name, path, reason), name=name, field=path)


def _sentence(name: str, path: str, reason: str) -> str:
    place = f", field {path!r}" if path else ""
    return f"{name} was refused{place}: {reason}."


@cache
def _may_hold_floats(cls: type[Event]) -> tuple[str, ...]:
    """Fields in which a NaN could pass as null: not those that are text, whole numbers or times."""
    safe = {str, int, bool, bytes, datetime, type(None), msgspec.UnsetType}
    hints = typing.get_type_hints(cls)
    return tuple(f for f in cls.__struct_fields__ if not _parts_of(hints[f]) <= safe)


def _parts_of(hint: Any) -> set[Any]:
    """The plain types a hint is made of."""
    if typing.get_origin(hint) is typing.Literal:
        return {type(v) for v in typing.get_args(hint)}
    inner = [a for a in typing.get_args(hint) if a is not ...]
    return set().union(*map(_parts_of, inner)) if inner else {hint}


def _refuse_nan(event: Event, name: str) -> None:
    for field in _may_hold_floats(type(event)):
        value = getattr(event, field)
        if value and not (type(value) is float and math.isfinite(value)):
            _refuse(name, where(value, is_infinite, field))
