"""Predicates as JSON values, as a page sends them: ``kind`` and the fields.

::

    {"kind": "interval", "column": "age", "low": 18, "high": 30, "closed": "left"}
    {"kind": "one_of", "column": "name", "values": ["Ada", null]}
    {"kind": "contains", "text": "engine", "columns": ["content"], "case": false}
    {"kind": "matches", "regex": "^v1[.]", "columns": ["name"], "case": true}
    {"kind": "is_null", "column": "cause"}
    {"kind": "not", "predicate": {…}}
    {"kind": "all", "predicates": [{…}, …]}        {"kind": "any_of", "predicates": [{…}, …]}

Null, true, false, text, and numbers that JSON keeps are written as they are. Others are dicts of
one entry: ``{"int": "9007199254740993"}``, ``{"float": "nan"}`` (or inf, -inf),
``{"decimal": "1.10"}``, ``{"timestamp": "2026-11-01T14:30:00.000001"}``, ``{"timestamp_us": "0"}``,
``{"date": "2026-11-01"}``, ``{"time": "14:30:00"}``, ``{"uuid": "…"}``, ``{"blob": "00ff"}``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

from pjais_lab.core.predicate import (
    MAX_DEPTH,
    MAX_ITEMS,
    VALUES,
    All,
    AnyOf,
    Contains,
    Interval,
    IsNull,
    Matches,
    Not,
    OneOf,
    Predicate,
    Value,
    short,
)
from pjais_lab.core.spelling import near
from pjais_lab.errors import QueryError

__all__ = ["from_dict", "to_dict", "value_to_json"]

_EXACT_INT: Final = 2**53
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - naive means UTC here
_KINDS: Final[Mapping[str, type[Predicate]]] = {
    "interval": Interval,
    "one_of": OneOf,
    "contains": Contains,
    "matches": Matches,
    "is_null": IsNull,
    "not": Not,
    "all": All,
    "any_of": AnyOf,
}
_NAMES: Final[Mapping[type[Predicate], str]] = {cls: kind for kind, cls in _KINDS.items()}


def to_dict(predicate: Predicate) -> dict[str, Any]:
    """A predicate as JSON values; see the module for the form.

    >>> to_dict(OneOf("name", ["Ada", None]))
    {'kind': 'one_of', 'column': 'name', 'values': ['Ada', None]}
    """
    made: dict[str, Any] = {"kind": _NAMES[type(predicate)]}
    for name in predicate.__struct_fields__:
        value = getattr(predicate, name)
        if name == "predicate":
            made[name] = to_dict(value)
        elif name == "predicates":
            made[name] = [to_dict(p) for p in value]
        elif name == "values":
            made[name] = [value_to_json(v) for v in value]
        elif name in {"low", "high"}:
            made[name] = value_to_json(value)
        else:
            made[name] = list(value) if isinstance(value, tuple) else value
    return made


def from_dict(data: Any) -> Predicate:
    """The predicate that a dict stands for.

    Args:
        data: as a page sent it; nothing about it is trusted.

    Raises:
        QueryError: it is no predicate; the sentence says where.

    >>> from_dict({"kind": "interval", "column": "age", "low": {"int": "9007199254740993"}})
    Interval(column='age', low=9007199254740993, high=None, closed='both')
    """
    return _from_dict(data, 0)


def _from_dict(data: Any, depth: int) -> Predicate:
    if depth > MAX_DEPTH:
        msg = f"The predicate is nested more than {MAX_DEPTH} deep."
        raise QueryError(msg)
    if not isinstance(data, Mapping) or not isinstance(data.get("kind"), str):
        msg = f"{short(data)} is no predicate; expected a dict with a kind: {', '.join(_KINDS)}."
        raise QueryError(msg)
    cls = _KINDS.get(data["kind"])
    if cls is None:
        msg = f"There is no predicate of kind {short(data['kind'])}."
        raise QueryError(msg, hint=near(data["kind"], _KINDS) or None)
    fields = {name: value for name, value in data.items() if name != "kind"}
    extra = [name for name in fields if name not in cls.__struct_fields__]
    if extra:
        msg = f"The predicate {data['kind']!r} has no field {short(extra[0])}."
        raise QueryError(msg, hint=near(str(extra[0]), cls.__struct_fields__) or None)
    missing = [n for n in _required(cls) if n not in fields]
    if missing:
        msg = f"The predicate {data['kind']!r} lacks its field {missing[0]!r}."
        raise QueryError(msg)
    return cls(**{name: _field(name, value, depth) for name, value in fields.items()})


def _required(cls: type[Predicate]) -> tuple[str, ...]:
    names = cls.__struct_fields__
    defaults: tuple[Any, ...] = cls.__struct_defaults__
    return names[: len(names) - len(defaults)]


def _field(name: str, value: Any, depth: int) -> Any:
    if name == "predicate":
        return _from_dict(value, depth + 1)
    if name in {"predicates", "values", "columns"}:
        if not isinstance(value, (list, tuple)):
            msg = f"{name} of a predicate is {short(value)}; expected a list."
            raise QueryError(msg)
        if len(value) > MAX_ITEMS:
            msg = (
                f"{name} of a predicate has {len(value):,} items; at most {MAX_ITEMS:,} are taken."
            )
            raise QueryError(msg)
        if name == "predicates":
            return [_from_dict(v, depth + 1) for v in value]
        return [_from_json(v) for v in value] if name == "values" else value
    return _from_json(value) if name in {"low", "high"} else value


def value_to_json(value: Value) -> Any:
    """A value as JSON, of which ``from_dict`` makes the same value.

    >>> value_to_json(2.0), value_to_json(Decimal("1.10")), value_to_json(2**53 + 1)
    ({'float': '2.0'}, {'decimal': '1.10'}, {'int': '9007199254740993'})
    """
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _EXACT_INT else {"int": str(value)}
    if isinstance(value, float):
        # JSON in a page makes 1.0 an integer, and -0.0 a zero.
        is_plain = math.isfinite(value) and not value.is_integer()
        return value if is_plain else {"float": repr(value)}
    return _tagged(value)


def _tagged(value: Any) -> dict[str, str]:
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, UUID):
        return {"uuid": str(value)}
    if isinstance(value, bytes):
        return {"blob": value.hex()}
    if isinstance(value, time):
        return {"time": value.isoformat()}
    return {"timestamp" if isinstance(value, datetime) else "date": value.isoformat()}


def _timestamp_us(text: str) -> datetime:
    return _EPOCH + timedelta(microseconds=int(text))


_PARSE: Final[Mapping[str, Callable[[str], Value]]] = {
    "int": int,
    "float": float,
    "decimal": Decimal,
    "timestamp": datetime.fromisoformat,
    "timestamp_us": _timestamp_us,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "uuid": UUID,
    "blob": bytes.fromhex,
}
_LONGEST: Final = 410


def _from_json(data: Any) -> Value:
    if data is None or isinstance(data, VALUES):
        return data
    if isinstance(data, Mapping) and len(data) == 1:
        ((kind, text),) = data.items()
        is_short = isinstance(text, str) and (kind == "blob" or len(text) <= _LONGEST)
        if kind in _PARSE and (is_short or type(text) is int):
            try:
                return _PARSE[kind](str(text))
            except (ValueError, OverflowError, InvalidOperation):
                pass
    msg = f"{short(data)} is no value; expected null, a number, text, or such as {{'decimal': '1.10'}}."
    raise QueryError(msg)
