"""What a page may show of any DuckDB type: nothing is left out, nothing loses digits.

Only small integers, floats and booleans travel as numbers. Whatever a JavaScript number cannot
hold (BIGINT, HUGEINT, DECIMAL), moments of any unit, and every type not named here travel as text,
nested values as JSON text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal

import msgspec

__all__ = [
    "Column",
    "Kind",
    "column_of",
    "exact_range",
    "identifier",
    "shown",
    "text_of",
    "unique_names",
]

Kind = Literal[
    "integer",
    "exact",
    "float",
    "bool",
    "text",
    "date",
    "time",
    "timestamp",
    "json",
    "blob",
    "other",
]
"""How a page aligns and formats a column; all but integer, float and bool arrive as text."""

BLOB_BYTES: Final = 32
_DECIMAL: Final = re.compile(r"\ADECIMAL\((?P<width>\d+),\s*(?P<scale>\d+)\)\Z")
_BITS: Final = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 64, "HUGEINT": 128}
_JSON_BITS: Final = 32
_NAMED: Final[dict[str, Kind]] = {
    "FLOAT": "float",
    "DOUBLE": "float",
    "BOOLEAN": "bool",
    "VARCHAR": "text",
    "UUID": "text",
    "DATE": "date",
    "TIME": "time",
    "TIME_NS": "time",
    "TIME WITH TIME ZONE": "time",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "JSON": "json",
    "BLOB": "blob",
}


class Column(msgspec.Struct, frozen=True):
    """A column of a relation.

    Attributes:
        name: as SQL names it.
        type: DuckDB's name of its type.
        kind: what it is for a page.
        scale: digits after the point of exact numbers, 0 for integers; None for other types.
    """

    name: str
    type: str
    kind: Kind
    scale: int | None = None


def column_of(name: str, type_: str) -> Column:
    """A column, classified; a type that nobody has heard of is ``other``."""
    decimal = _DECIMAL.match(type_)
    if decimal:
        return Column(name, type_, "exact", int(decimal["scale"]))
    bits = _BITS.get(type_) or _BITS.get(type_.removeprefix("U"))
    if bits or type_ == "BIGNUM":
        return Column(name, type_, "integer" if bits and bits <= _JSON_BITS else "exact", 0)
    if type_ in _NAMED:
        return Column(name, type_, _NAMED[type_])
    if type_.startswith("ENUM("):
        return Column(name, type_, "text")
    is_nested = type_.endswith("]") or type_.startswith(("STRUCT(", "MAP("))
    return Column(name, type_, "json" if is_nested else "other")


def exact_range(column: Column) -> tuple[int, int] | None:
    """The least and greatest value of an integer or decimal type, in units of its last digit.

    >>> exact_range(column_of("n", "UTINYINT")), exact_range(column_of("d", "DECIMAL(4,2)"))
    ((0, 255), (-9999, 9999))
    """
    decimal = _DECIMAL.match(column.type)
    if decimal:
        most = 10 ** int(decimal["width"]) - 1
        return -most, most
    bits = _BITS.get(column.type)
    if bits:
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    bits = _BITS.get(column.type.removeprefix("U"))
    return (0, 2**bits - 1) if bits else None


def shown(column: Column) -> str:
    """An SQL expression for what a page gets of a column.

    >>> shown(column_of("id", "BIGINT"))
    'CAST("id" AS VARCHAR)'
    """
    name = identifier(column.name)
    if column.kind in {"integer", "bool"} or column.type in {"DOUBLE", "VARCHAR"}:
        return name
    if column.kind == "float":
        return f"CAST({name} AS DOUBLE)"
    if column.kind == "blob":
        dots = f"CASE WHEN octet_length({name}) > {BLOB_BYTES} THEN '…' ELSE '' END"
        return f"'0x' || lower(hex({name}[1:{BLOB_BYTES}])) || {dots}"
    if column.kind == "json" and column.type != "JSON":
        return f"coalesce(CAST(TRY(to_json({name})) AS VARCHAR), CAST({name} AS VARCHAR))"
    return f"CAST({name} AS VARCHAR)"


def text_of(column: Column) -> str:
    """An SQL expression for a column as text, as searches look at it."""
    expression = shown(column)
    is_text = expression != identifier(column.name) or column.type == "VARCHAR"
    is_text = is_text and column.kind != "float"
    return expression if is_text else f"CAST({identifier(column.name)} AS VARCHAR)"


def identifier(name: str) -> str:
    """A quoted name.

    >>> print(identifier('6" disk'))
    "6"" disk"
    """
    return '"' + name.replace('"', '""') + '"'


def unique_names(names: Iterable[str]) -> list[str]:
    """Names that differ, and can be asked for.

    >>> unique_names(["a", "A", "", "a", "a_1"])
    ['a', 'A', 'column', 'a_1', 'a_1_1']
    """
    taken: set[str] = set()
    made: list[str] = []
    for name in names:
        base = name.replace("\0", "") or "column"
        new, n = base, 0
        while new in taken:
            n += 1
            new = f"{base}_{n}"
        taken.add(new)
        made.append(new)
    return made
