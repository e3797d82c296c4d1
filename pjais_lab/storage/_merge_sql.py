"""The algebra of ``core.merge`` as SQL expressions.

Each column of a table becomes one or more *parts*, physical columns that hold its partial state.
A part knows four expressions: how one event is lifted, how many partials are aggregated (alias
``l``), how two are paired (``t`` and ``s``), and the column knows how to show its value.

Columns that are always written together share one order key, so that they are compared once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol

import msgspec

from pjais_lab.core.event import Event
from pjais_lab.core.merge import (
    Any_,
    Count,
    First,
    Last,
    LastMap,
    LastSet,
    Max,
    Merge,
    Min,
    Source,
    Sum,
    Union,
)
from pjais_lab.errors import DeclarationError
from pjais_lab.storage._fields import Field, field_of, literal

__all__ = ["Column", "Feed", "Part", "Row", "columns_of", "lift", "quoted"]

_ENVELOPE: Final = ("$id", "$occurred_at", "$persona_id", "$entity_id", "$actor", "$cause")
_SUMS: Final = {
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
}
_DECIMAL: Final = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)\Z")
_MAP: Final = re.compile(r"MAP\(\s*VARCHAR\s*,\s*(.+)\)\Z", re.IGNORECASE | re.DOTALL)
_DECIMAL_DIGITS: Final = 28


class Row(Protocol):
    """Where the expressions of one event come from: columns of a relation, or literals."""

    def envelope(self, name: str) -> str:
        """An envelope value, ``$id`` and so on."""
        ...

    def field(self, field: Field) -> str:
        """The typed value of a field."""
        ...

    @property
    def args(self) -> str:
        """The whole content."""
        ...

    def is_event(self, name: str) -> str | None:
        """Whether it is that event; None when it can be no other."""
        ...


class Feed(msgspec.Struct, frozen=True):
    """One source of a column, resolved.

    Attributes:
        event: wire name.
        type: DuckDB type of the contribution.
        field: the field it reads, if it does.
        envelope: the envelope value it reads, if it does.
        const: an SQL literal otherwise.
    """

    event: str
    type: str
    field: Field | None = None
    envelope: str | None = None
    const: str = "NULL"

    @property
    def is_always(self) -> bool:
        """Every such event contributes."""
        return self.field is None or not self.field.can_be_unset

    def value(self, row: Row) -> str:
        """The contribution."""
        if self.field is not None:
            return row.field(self.field)
        if self.envelope is not None:
            return f"CAST({row.envelope(self.envelope)} AS {self.type})"
        return f"CAST({self.const} AS {self.type})"

    def condition(self, row: Row) -> str:
        """Whether the event contributes."""
        terms = [row.is_event(self.event)]
        if self.field is not None:
            terms.append(self.field.present(row.field(self.field), row.args))
        return " AND ".join(t for t in terms if t) or "true"


class Part(msgspec.Struct, frozen=True):
    """A physical column.

    Attributes:
        name: its name; order keys begin with ``_k``.
        type: DuckDB type.
        rule: how it is lifted: ``key``, ``value``, ``entries`` and so on.
        feeds: what it is lifted from.
        aggregate: over partials ``l``.
        pair: of ``t`` and ``s``.
        key: the order key it follows, when several parts follow the same one.
    """

    name: str
    type: str
    rule: str
    feeds: tuple[Feed, ...]
    aggregate: str
    pair: str
    key: str = ""

    def feeds_from(self, names: Iterable[str]) -> tuple[Feed, ...]:
        """The feeds that read one of ``names``."""
        wanted = frozenset(names)
        return tuple(f for f in self.feeds if f.event in wanted)


class Column(msgspec.Struct, frozen=True):
    """A public column: its parts and its value.

    Attributes:
        name: the public name.
        type: the public type.
        value: expression over the physical columns.
        parts: the physical columns it owns; a shared order key belongs to the first.
    """

    name: str
    type: str
    value: str
    parts: tuple[Part, ...]


def columns_of(
    columns: Mapping[str, Merge], events: Mapping[str, type[Event]]
) -> tuple[Column, ...]:
    """Compile merges.

    Args:
        columns: the table's columns.
        events: definitions by wire name.

    Raises:
        DeclarationError: a type does not go with its merge.
    """
    keys: dict[object, str] = {}
    out = []
    for name, merge in columns.items():
        if isinstance(merge, (Last, First)):
            out.append(_ordered(name, merge, events, keys))
        else:
            out.append(_RULES[type(merge)](name, merge, events))
    return tuple(out)


def lift(part: Part, row: Row, names: Iterable[str]) -> str:
    """The partial of one event, an SQL expression.

    Args:
        part: the physical column.
        row: where the event's values are.
        names: the events that can occur.
    """
    feeds = part.feeds_from(names)
    if part.rule == "entries":
        return _lift_entries(feeds, row)
    branches = [(f.condition(row), _lift_value(part, f, row)) for f in feeds]
    if branches and branches[0][0] == "true":
        return branches[0][1]
    cases = " ".join(f"WHEN {c} THEN {v}" for c, v in branches)
    return f"CASE {cases} END" if cases else f"CAST(NULL AS {part.type})"


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


# ---------------------------------------------------------------- lifting


def _lift_value(part: Part, feed: Feed, row: Row) -> str:
    if part.rule == "key":
        return row.envelope("$id")
    if part.rule == "one":
        return "CAST(1 AS BIGINT)"
    value = feed.value(row)
    if part.rule == "bool":
        return f"coalesce({value}, false)"
    if part.rule == "elements":
        return _sorted(_elements(feed, value))
    if part.rule == "map":
        order = row.envelope("$id")
        entry = f"{{'key': e.key, 'k': {order}, 'v': e.value}}"
        return f"list_transform(list_sort(map_entries({value})), lambda e: {entry})"
    if part.rule == "sum":
        return f"CAST({value} AS {part.type})"
    return _plain(value, feed.type) if part.rule == "extreme" else value


def _lift_entries(feeds: Sequence[Feed], row: Row) -> str:
    """LastSet: removals come first in ``feeds``, marked by a const of 'false'."""
    lists = []
    for feed in feeds:
        present = "false" if feed.const == "false" else "true"
        entry = f"{{'key': e, 'k': {row.envelope('$id')}, 'v': {present}}}"
        items = f"list_transform({_elements(feed, feed.value(row))}, lambda e: {entry})"
        lists.append(f"CASE WHEN {feed.condition(row)} THEN {items} END")
    if len(lists) == 1:
        return _latest(lists[0])
    joined = ", ".join(f"coalesce({text}, [])" for text in lists)
    nothing = " AND ".join(f"({text}) IS NULL" for text in lists)
    return f"CASE WHEN {nothing} THEN NULL ELSE {_latest(f'list_concat({joined})')} END"


def _elements(feed: Feed, value: str) -> str:
    """The contribution as a list without nulls."""
    inner = feed.type.removesuffix("[]")
    if feed.field is None or not feed.field.is_list:
        return f"CASE WHEN {value} IS NULL THEN [] ELSE [{_plain(value, inner)}] END"
    present = f"list_filter({value}, lambda e: e IS NOT NULL)"
    if inner.upper() in {"DOUBLE", "FLOAT"}:
        present = f"list_transform({present}, lambda e: e + 0.0::{inner})"
    return present


def _plain(value: str, sql_type: str) -> str:
    """Without negative zero, which equals zero but is not the same bits."""
    return f"{value} + 0.0::{sql_type}" if sql_type.upper() in {"DOUBLE", "FLOAT"} else value


def _sorted(items: str) -> str:
    return f"list_sort(list_distinct({items}))"


def _latest(entries: str) -> str:
    """Sorted entries, for each key the one with the greatest (k, v)."""
    following = "list_zip(o, o[2:])"
    last = "z[2] IS NULL OR z[2].key <> z[1].key"
    kept = f"list_transform(list_filter({following}, lambda z: {last}), lambda z: z[1])"
    return f"list_transform([list_sort({entries})], lambda o: {kept})[1]"


# ---------------------------------------------------------------- merges


def _feeds(
    column: str, sources: Sequence[Source], sql_type: str, events: Mapping[str, type[Event]]
) -> tuple[Feed, ...]:
    out = []
    for source in sources:
        cls = events.get(source.event)
        if cls is None:
            msg = f"The column {column!r} reads {source.event}, which no event declares."
            raise DeclarationError(msg, name=source.event)
        if source.field is None:
            out.append(Feed(source.event, sql_type, const=_constant(source.const)))
        elif source.field in _ENVELOPE:
            out.append(Feed(source.event, sql_type, envelope=source.field))
        else:
            field = field_of(cls, source.field, sql_type)
            out.append(Feed(source.event, sql_type, field=field))
    return tuple(out)


def _constant(value: str | float | bool | None) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return literal(value)
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _ordered(
    name: str, merge: Merge, events: Mapping[str, type[Event]], keys: dict[object, str]
) -> Column:
    feeds = _feeds(name, merge.sources, merge.type, events)
    first: dict[str, Feed] = {}
    for feed in feeds:
        first.setdefault(feed.event, feed)
    late = isinstance(merge, Last)
    is_shared = all(f.is_always for f in first.values())
    group = (late, frozenset(first)) if is_shared else (late, name)
    key = keys.get(group)
    parts = []
    if key is None:
        key = keys[group] = f"_k{len(keys)}"
        pick, both = ("max", "greatest") if late else ("min", "least")
        parts.append(
            Part(key, "UUID", "key", feeds, f"{pick}(l.{key})", f"{both}(t.{key}, s.{key})")
        )
    column = quoted(name)
    wins = f"t.{key} IS NULL OR s.{key} {'>' if late else '<'} t.{key}"
    pick = "arg_max_null" if late else "arg_min_null"
    parts.append(
        Part(
            name,
            merge.type,
            "value",
            feeds,
            f"{pick}(l.{column}, l.{key})",
            f"CASE WHEN {wins} THEN s.{column} ELSE t.{column} END",
            key,
        )
    )
    return Column(name, merge.type, column, tuple(parts))


def _extreme(name: str, merge: Merge, events: Mapping[str, type[Event]]) -> Column:
    pick, both = ("min", "least") if isinstance(merge, Min) else ("max", "greatest")
    return _simple(name, merge, events, "extreme", f"{pick}({{l}})", f"{both}({{t}}, {{s}})")


def _sum(name: str, merge: Merge, events: Mapping[str, type[Event]]) -> Column:
    text = merge.type.upper().strip()
    decimal = _DECIMAL.match(text)
    if text not in _SUMS and not (decimal and int(decimal[1]) <= _DECIMAL_DIGITS):
        msg = (
            f"The column {name!r} sums {merge.type}; expected BIGINT or smaller, or DECIMAL of up"
            f" to {_DECIMAL_DIGITS} digits, so that no sum overflows."
        )
        raise DeclarationError(msg, type=merge.type)
    kind = f"DECIMAL(38, {decimal[2]})" if decimal else "HUGEINT"
    value = f"TRY_CAST(coalesce({quoted(name)}, 0) AS {merge.type})"
    pair = "CASE WHEN {t} IS NULL THEN {s} WHEN {s} IS NULL THEN {t} ELSE {t} + {s} END"
    return _simple(name, merge, events, "sum", "sum({l})", pair, kind, value)


def _count(name: str, merge: Merge, events: Mapping[str, type[Event]]) -> Column:
    value = f"CAST(coalesce({quoted(name)}, 0) AS {merge.type})"
    pair = "CASE WHEN {t} IS NULL THEN {s} WHEN {s} IS NULL THEN {t} ELSE {t} + {s} END"
    total = "CAST(sum({l}) AS BIGINT)"
    return _simple(name, merge, events, "one", total, pair, "BIGINT", value)


def _any(name: str, merge: Merge, events: Mapping[str, type[Event]]) -> Column:
    value = f"coalesce({quoted(name)}, false)"
    pair = "coalesce({t} OR {s}, {t}, {s})"
    return _simple(name, merge, events, "bool", "bool_or({l})", pair, "BOOLEAN", value)


def _union(name: str, merge: Merge, events: Mapping[str, type[Event]]) -> Column:
    _need_list(name, merge)
    gathered = "flatten(list({l}) FILTER ({l} IS NOT NULL))"
    pair = (
        "CASE WHEN {t} IS NULL THEN {s} WHEN {s} IS NULL THEN {t}"
        f" ELSE {_sorted('list_concat({t}, {s})')} END"
    )
    value = f"coalesce({quoted(name)}, [])"
    return _simple(name, merge, events, "elements", _sorted(gathered), pair, value=value)


def _last_map(name: str, merge: Merge, events: Mapping[str, type[Event]]) -> Column:
    found = _MAP.match(merge.type.strip())
    if found is None:
        msg = f"The column {name!r} is a LastMap of {merge.type}; expected MAP(VARCHAR, …)."
        raise DeclarationError(msg, type=merge.type)
    kind = f'STRUCT("key" VARCHAR, k UUID, v {found[1]})[]'
    live = f"list_filter(coalesce({quoted(name)}, []), lambda e: e.v IS NOT NULL)"
    value = f"map_from_entries(list_transform({live}, lambda e: {{'k': e.key, 'v': e.v}}))"
    return _entries(name, merge, _feeds(name, merge.sources, merge.type, events), kind, value)


def _last_set(name: str, merge: Merge, events: Mapping[str, type[Event]]) -> Column:
    assert isinstance(merge, LastSet)
    _need_list(name, merge)
    removals = tuple(
        msgspec.structs.replace(f, const="false")
        for f in _feeds(name, merge.removals, merge.type, events)
    )
    feeds = removals + _feeds(name, merge.sources, merge.type, events)
    kind = f'STRUCT("key" {merge.type.strip().removesuffix("[]")}, k UUID, v BOOLEAN)[]'
    live = f"list_filter(coalesce({quoted(name)}, []), lambda e: e.v)"
    return _entries(name, merge, feeds, kind, f"list_transform({live}, lambda e: e.key)")


def _entries(name: str, merge: Merge, feeds: tuple[Feed, ...], kind: str, value: str) -> Column:
    column = quoted(name)
    gathered = f"flatten(list(l.{column}) FILTER (l.{column} IS NOT NULL))"
    both = _latest(f"list_concat(t.{column}, s.{column})")
    pair = (
        f"CASE WHEN t.{column} IS NULL THEN s.{column}"
        f" WHEN s.{column} IS NULL THEN t.{column} ELSE {both} END"
    )
    rule = "map" if isinstance(merge, LastMap) else "entries"
    part = Part(name, kind, rule, feeds, _latest(gathered), pair)
    return Column(name, merge.type, value, (part,))


def _simple(
    name: str,
    merge: Merge,
    events: Mapping[str, type[Event]],
    rule: str,
    aggregate: str,
    pair: str,
    kind: str | None = None,
    value: str | None = None,
) -> Column:
    column = quoted(name)
    feeds = _feeds(name, merge.sources, _element_type(rule, merge.type), events)
    names = {"l": f"l.{column}", "t": f"t.{column}", "s": f"s.{column}"}
    part = Part(
        name, kind or merge.type, rule, feeds, aggregate.format(**names), pair.format(**names)
    )
    return Column(name, merge.type, value or column, (part,))


def _element_type(rule: str, sql_type: str) -> str:
    return "BOOLEAN" if rule == "bool" else sql_type


def _need_list(name: str, merge: Merge) -> None:
    if not merge.type.strip().endswith("[]"):
        kind = type(merge).__name__
        msg = f"The column {name!r} is a {kind} of {merge.type}; expected a list such as VARCHAR[]."
        raise DeclarationError(msg, type=merge.type)


_RULES: Final[Mapping[type[Merge], Callable[[str, Merge, Mapping[str, type[Event]]], Column]]] = {
    Min: _extreme,
    Max: _extreme,
    Sum: _sum,
    Count: _count,
    Any_: _any,
    Union: _union,
    LastMap: _last_map,
    LastSet: _last_set,
}
