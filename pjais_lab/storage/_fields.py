"""How a field of an event's JSON content becomes a typed SQL value.

A stored event means what decoding it gives: an absent field with a default has the default, an
absent field that may be unset contributes nothing, and an explicit null is a value.
"""

from __future__ import annotations

import re
import types
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec

from pjais_lab.core.event import Event

__all__ = ["Field", "field_of", "literal", "spec_of"]

_TIMES: Final = re.compile(r"\btimestamp\b", re.IGNORECASE)
_LISTS: Final = (list, tuple, set, frozenset)
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class Field(msgspec.Struct, frozen=True):
    """One field of one event, read as one DuckDB type.

    Attributes:
        event: wire name of the event.
        name: the field.
        type: the DuckDB type it is read as.
        can_be_null: an explicit null is allowed.
        can_be_unset: it may be left out, and then contributes nothing.
        is_list: it holds a list rather than one value.
        default: JSON of the value an absent field has; None when that is null or there is none.
    """

    event: str
    name: str
    type: str
    can_be_null: bool
    can_be_unset: bool
    is_list: bool
    default: str | None

    def value(self, raw: str, args: str) -> str:
        """The typed value; NULL when absent, null or not of the type.

        Args:
            raw: what ``json_transform`` gave.
            args: the whole content.
        """
        out = _timestamp(raw, self.type)
        if self.default is None:
            return out
        spec = '{"v":' + spec_of(self.type) + "}"
        default = f"struct_extract(json_transform({literal(self._boxed())}, {literal(spec)}), 'v')"
        default = _timestamp(default, self.type)
        return (
            f"CASE WHEN {raw} IS NOT NULL THEN {out} WHEN {self._exists(args)} THEN NULL"
            f" ELSE {default} END"
        )

    def present(self, value: str, args: str) -> str | None:
        """Whether the event contributes the field; None when it always does."""
        if not self.can_be_unset:
            return None
        return f"CASE WHEN {value} IS NOT NULL THEN true ELSE {self._exists(args)} END"

    def bad(self, value: str, args: str) -> str:
        """Whether the content does not decode."""
        if self.can_be_null:
            null = literal(f'"{self.name}":null')
            path = literal(f'$."{self.name}"')
            return (
                f"CASE WHEN {value} IS NOT NULL OR contains({args}, {null}) THEN false"
                f" ELSE coalesce(json_type({args}, {path}), 'NULL') <> 'NULL' END"
            )
        if self.can_be_unset:
            return f"CASE WHEN {value} IS NOT NULL THEN false ELSE {self._exists(args)} END"
        return f"{value} IS NULL"

    def _boxed(self) -> str:
        return f'{{"v":{self.default}}}'

    def _exists(self, args: str) -> str:
        key, path = literal(f'"{self.name}"'), literal(f'$."{self.name}"')
        return f"CASE WHEN contains({args}, {key}) THEN json_exists({args}, {path}) ELSE false END"


def field_of(cls: type[Event], name: str, sql_type: str) -> Field:
    """Describe a field of an event.

    Args:
        cls: the event's definition.
        name: the field.
        sql_type: the DuckDB type to read it as.
    """
    info = next((f for f in msgspec.structs.fields(cls) if f.name == name), None)
    if info is None:
        return Field(cls.__event__.name, name, sql_type, True, True, True, None)
    members = list(_members(get_type_hints(cls, include_extras=True)[name]))
    default = None
    if info.default_factory is not msgspec.NODEFAULT:
        default = _ENCODER.encode(info.default_factory()).decode()
    elif info.default is not msgspec.NODEFAULT and info.default is not msgspec.UNSET:
        default = _ENCODER.encode(info.default).decode()
    return Field(
        event=cls.__event__.name,
        name=name,
        type=sql_type,
        can_be_null=any(m in (None, type(None), Any) for m in members),
        can_be_unset=msgspec.UnsetType in members,
        is_list=any((get_origin(m) or m) in _LISTS for m in members),
        default=None if default == "null" else default,
    )


def spec_of(sql_type: str) -> str:
    """The JSON with which ``json_transform`` reads a type; times as text, for their offset."""
    return msgspec.json.encode(_TIMES.sub("VARCHAR", sql_type)).decode()


def literal(value: str) -> str:
    """An SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def _timestamp(raw: str, sql_type: str) -> str:
    if sql_type.upper() == "TIMESTAMP":
        return (
            f"CASE WHEN suffix({raw}, 'Z') THEN TRY_CAST({raw} AS TIMESTAMP)"
            f" ELSE TRY_CAST(TRY_CAST({raw} AS TIMESTAMPTZ) AS TIMESTAMP) END"
        )
    if sql_type.upper() == "TIMESTAMP[]":
        cast = "TRY_CAST(TRY_CAST(x AS TIMESTAMPTZ) AS TIMESTAMP)"
        return f"list_transform({raw}, lambda x: {cast})"
    return raw


def _members(hint: Any) -> Any:
    """The alternatives of a type, without their constraints."""
    origin = get_origin(hint)
    if origin is Annotated:
        yield from _members(get_args(hint)[0])
    elif origin in (Union, types.UnionType):
        for part in get_args(hint):
            yield from _members(part)
    else:
        yield hint
