"""The arguments of an act as fields of a dialog."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import inspect

__all__ = ["Field", "fields_of"]


class Field(msgspec.Struct, frozen=True):
    """A field of a dialog.

    Attributes:
        name: the argument.
        kind: how it is asked for.
        default: what stands in it; None when it must be given.
        options: the choices.
        low: the least number.
        high: the greatest.
        finds: the request that finds values by a text.
    """

    name: str
    kind: Literal["choice", "text", "number", "flag", "find"]
    default: Any = None
    options: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    finds: str = ""


def fields_of(checks: type[Any], finds: Mapping[str, str]) -> tuple[Field, ...]:
    """The fields that a dialog can ask for; arguments of other types must be given.

    Args:
        checks: the arguments of an act, as a struct.
        finds: argument -> the request that finds its values, or nothing.
    """
    info = inspect.type_info(checks)
    assert isinstance(info, inspect.StructType)
    hints = get_type_hints(checks)
    made = (_field(f, hints[f.name], finds.get(f.name, "")) for f in info.fields)
    return tuple(f for f in made if f is not None)


def _field(given: inspect.Field, hint: Any, finds: str) -> Field | None:
    default = None if given.required else given.default
    name = given.name
    if finds:
        return Field(name, "find", default, finds=finds)
    if get_origin(hint) is Literal:  # msgspec sorts them, but somebody chose their order
        return Field(name, "choice", default, get_args(hint))
    match given.type:
        case inspect.BoolType():
            return Field(name, "flag", default)
        case inspect.IntType(ge=low, le=high) | inspect.FloatType(ge=low, le=high):
            return Field(name, "number", default, low=low, high=high)
        case inspect.StrType():
            return Field(name, "text", default)
        case _:
            return None
