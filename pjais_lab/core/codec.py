"""Content of events as canonical JSON: encoded once, checked by reading it back."""

from __future__ import annotations

import math
import re
import typing
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

import msgspec

from pjais_lab.core.event import Event
from pjais_lab.errors import EventDecodeError, RejectedError

__all__ = ["decode", "encode", "from_fields"]

_E = TypeVar("_E", bound=Event)
_ENCODER = msgspec.json.Encoder(order="deterministic")
_AT = re.compile(r" - at `\$\.?(?P<path>.*?)`$")


@cache
def _decoder(cls: type[_E]) -> msgspec.json.Decoder[_E]:
    return msgspec.json.Decoder(cls)


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
        data = _ENCODER.encode(event)
        if b"null" in data:
            _refuse_nan(event, name)
        _decoder(type(event)).decode(data)
        text = data.decode()
    except (msgspec.ValidationError, TypeError, UnicodeError, OverflowError) as error:
        raise RejectedError(_sentence(name, error), name=name) from None
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
    except (msgspec.DecodeError, UnicodeError) as error:
        msg = _sentence(cls.__event__.name, error)
        raise EventDecodeError(msg, name=cls.__event__.name) from None
    return made


def from_fields(cls: type[_E], fields: dict[str, Any]) -> _E:
    """Build an event from loose fields, as importers and forms have them.

    Raises:
        RejectedError: an unknown field, a missing one, or a value of the wrong type or range.
    """
    try:
        made: _E = msgspec.convert(fields, cls)

    except msgspec.ValidationError as error:
        name = cls.__event__.name
        raise RejectedError(_sentence(name, error), name=name) from None
    return made


def _sentence(name: str, error: Exception) -> str:
    text = str(error)
    found = _AT.search(text)
    path = found["path"] if found else ""
    reason = _AT.sub("", text)
    reason = reason.replace("Object contains unknown field", "there is no field")
    reason = reason.replace("Object missing required field", "it lacks the field")
    reason = reason[:1].lower() + reason[1:]
    where = f", field {path!r}" if path else ""
    return f"{name} was refused{where}: {reason}."


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
        path = _find_nan(value, field) if value else None
        if path:
            msg = f"{name} was refused, field {path!r}: expected a finite number, got NaN or infinity."
            raise RejectedError(msg, name=name, field=path)


def _find_nan(value: Any, path: str) -> str | None:
    if isinstance(value, float):
        return None if math.isfinite(value) else path
    if isinstance(value, dict):
        pairs = ((f"{path}.{k}", v) for k, v in value.items())
    elif isinstance(value, (list, tuple, set, frozenset)):
        pairs = ((f"{path}[{i}]", v) for i, v in enumerate(value))
    elif isinstance(value, msgspec.Struct):
        pairs = ((f"{path}.{f}", getattr(value, f)) for f in value.__struct_fields__)
    else:
        return None
    return next((found for p, v in pairs if (found := _find_nan(v, p))), None)
