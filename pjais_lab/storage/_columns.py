"""One column's merge as DuckDB SQL: contribution of an event, aggregate of a batch, union of two.

``core.merge`` says what each merge means; the property tests hold these expressions against it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

import msgspec

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
    Scalar,
    Source,
    Sum,
    Union,
)
from pjais_lab.errors import DeclarationError

_Rule = dict[str, str]
_Five = tuple[_Rule, _Rule, _Rule, _Rule, _Rule]

__all__ = ["ColumnSql", "column_sql", "element_type", "is_ordered", "literal", "quoted", "typed"]

_LAST_PER: Final = (
    "list_transform(list_filter(list_zip({0}, ({0})[2:]), lambda p: p[2] IS NULL OR p[2].e <> p[1].e),"
    " lambda p: p[1])"
)
"""Of sorted entries the last one per element; beside its successor, lest the list be made anew for each."""
_HAS_OFFSET: Final = (
    "strlen({0}) > 26 OR contains({0}, 'Z') OR contains({0}, '+') OR {0} LIKE '%T%-%'"
)


class ColumnSql(msgspec.Struct, frozen=True):
    """The SQL of one column.

    Attributes:
        physical: column -> DuckDB type, in the state table.
        project: column -> expression over one event row ``e`` with its parsed content ``j``.
        aggregate: column -> aggregate over projected rows ``r``; empty when the order key's group
            is aggregated as one.
        single: column -> the partial of one projected row ``r``.
        combine: column -> expression of the partials ``t`` (state) and ``s`` (batch).
        public: the value shown to users, over a state row.
    """

    physical: dict[str, str]
    project: dict[str, str]
    aggregate: dict[str, str]
    single: dict[str, str]
    combine: dict[str, str]
    public: str


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Scalar) -> str:
    """An SQL literal."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def is_ordered(merge: Merge) -> bool:
    """Whether the merge keeps the event that wrote its value."""
    return isinstance(merge, (Last, First))


def element_type(merge: Merge) -> str:
    """The type of one element of a list, or of one value of a map.

    Raises:
        DeclarationError: the declared type is no list or map.
    """
    kind = merge.type.strip()
    if isinstance(merge, LastMap):
        if kind.upper().startswith("MAP(VARCHAR,") and kind.endswith(")"):
            return kind[len("MAP(VARCHAR,") : -1].strip()
        msg = f"LastMap needs the type MAP(VARCHAR, …), not {kind}."
        raise DeclarationError(msg, type=kind)
    if kind.endswith("[]"):
        return kind[:-2]
    msg = f"{type(merge).__name__} needs a list type such as VARCHAR[], not {kind}."
    raise DeclarationError(msg, type=kind)


def value_of(source: Source, kind: str) -> str:
    """The value a source contributes, as ``kind``."""
    if source.field is None:
        return f"{literal(source.const)}::{kind}"
    if source.field.startswith("$"):
        return f"e.{source.field[1:]}::{kind}"
    return typed(f"j.{quoted(source.field)}", kind)


def typed(expression: str, kind: str) -> str:
    """A value of JSON content as ``kind``: null when it is none, a time with an offset as UTC."""
    if kind == "TIMESTAMP":
        # Calendars are slow; most times have no offset.
        aware = f"timezone('UTC', TRY_CAST({expression} AS TIMESTAMPTZ))"
        has_offset = _HAS_OFFSET.format(expression)
        return f"CASE WHEN {has_offset} THEN {aware} ELSE TRY_CAST({expression} AS TIMESTAMP) END"
    return f"TRY_CAST({expression} AS {kind})"


def by_event(
    sources: Sequence[Source], names: Collection[str], kind: str, value: Callable[[Source], str]
) -> str:
    """Choose the value for the row's event; null for events that contribute nothing.

    Args:
        sources: where values come from.
        names: the events that occur.
        kind: the values' type.
        value: a source's value.
    """
    arms: dict[str, list[str]] = {}
    for source in sources:
        if source.event in names:
            arms.setdefault(value(source), []).append(source.event)
    if not arms:
        return f"NULL::{kind}"
    if len(arms) == 1 and set(*arms.values()) == set(names):
        return next(iter(arms))
    whens = " ".join(
        f"WHEN e.name IN ({', '.join(map(literal, names))}) THEN {expression}"
        for expression, names in arms.items()
    )
    return f"CASE {whens} END"


def column_sql(name: str, merge: Merge, wins: str | None, names: Collection[str]) -> ColumnSql:
    """Compile one column.

    Args:
        name: the public column.
        merge: its rule.
        wins: when the partial ``s`` was written after the row ``t``, for Last and First.
        names: the events that occur.

    Raises:
        DeclarationError: the merge's type does not fit.
    """
    if is_ordered(merge):
        assert wins is not None
        return _ordered(name, merge, wins, names)
    if isinstance(merge, LastSet):
        return _last_set(name, merge, names)
    if isinstance(merge, LastMap):
        return _last_map(name, merge, names)
    if isinstance(merge, Union):
        return _union(name, merge, names)
    return _scalar(name, merge, names)


def _ordered(name: str, merge: Merge, wins: str, names: Collection[str]) -> ColumnSql:
    c = quoted(name)
    value = by_event(merge.sources, names, merge.type, lambda s: value_of(s, merge.type))
    return ColumnSql(
        {name: merge.type},
        {name: value},
        {},
        {name: f"r.{c}"},
        {name: f"CASE WHEN {wins} THEN s.{c} ELSE t.{c} END"},
        c,
    )


def _scalar(name: str, merge: Merge, names: Collection[str]) -> ColumnSql:
    c = quoted(name)
    kept = _summed_as(merge)
    if isinstance(merge, Count):
        value = by_event(merge.sources, names, kept, _presence)
    else:
        value = by_event(merge.sources, names, kept, lambda s: value_of(s, merge.type))
    total = f"sum(r.{c})::{kept}"
    fits = f"CASE WHEN {c} IS NULL THEN 0 ELSE TRY_CAST({c} AS {merge.type}) END"
    added = f"coalesce(t.{c} + s.{c}, t.{c}, s.{c})"
    rules: dict[type[Merge], tuple[str, str, str]] = {
        Min: (f"min(r.{c})", f"least(t.{c}, s.{c})", c),
        Max: (f"max(r.{c})", f"greatest(t.{c}, s.{c})", c),
        Sum: (total, added, fits),
        Count: (total, added, fits),
        Any_: (
            f"bool_or(r.{c})",
            f"coalesce(t.{c} OR s.{c}, t.{c}, s.{c})",
            f"coalesce({c}, false)",
        ),
    }
    aggregate, combine, public = rules[type(merge)]
    single = f"r.{c}::{kept}"
    return ColumnSql(
        {name: kept},
        {name: value},
        {name: aggregate},
        {name: single},
        {name: combine},
        public,
    )


def _presence(source: Source) -> str:
    """One for an event that has the field; every event has what the envelope gives."""
    if source.field is None or source.field.startswith("$"):
        return "1"
    return f"CASE WHEN json_exists(e.args, {literal(f'$.{source.field}')}) THEN 1 END"


def _summed_as(merge: Merge) -> str:
    """The type a partial is kept in: wide enough that a sum past the public type stops nothing."""
    if not isinstance(merge, Sum):
        return merge.type
    digits = merge.type.upper().removeprefix("DECIMAL(").rstrip(")").split(",")
    return f"DECIMAL(38, {digits[1].strip()})" if len(digits) == 2 else "HUGEINT"


def _union(name: str, merge: Union, names: Collection[str]) -> ColumnSql:
    c, item = quoted(name), element_type(merge)
    merged = f"list_sort(list_distinct(list_concat(t.{c}, s.{c})))"
    return ColumnSql(
        {name: merge.type},
        {name: by_event(merge.sources, names, merge.type, lambda s: _list_of(s, item))},
        {name: f"list_sort(list_distinct(flatten(list(r.{c}) FILTER (r.{c} IS NOT NULL))))"},
        {name: f"list_sort(list_distinct(r.{c}))"},
        {
            name: f"CASE WHEN t.{c} IS NULL THEN s.{c} WHEN s.{c} IS NULL THEN t.{c} ELSE {merged} END"
        },
        f"coalesce({c}, [])",
    )


def _list_of(source: Source, item: str) -> str:
    """A field's elements; a scalar is one element."""
    value = value_of(source, f"{item}[]" if source.is_list else item)
    return value if source.is_list else f"CASE WHEN {value} IS NOT NULL THEN [{value}] ELSE [] END"


def _entries(name: str, entry: str, project: str) -> _Five:
    c = quoted(name)
    batch = f"list_sort(flatten(list(r.{c}) FILTER (r.{c} IS NOT NULL)))"
    both = f"list_sort(list_concat(t.{c}, s.{c}))"
    return (
        {name: f"{entry}[]"},
        {name: project},
        {name: _LAST_PER.format(batch)},
        {
            name: f"CASE WHEN len(r.{c}) < 2 THEN r.{c} ELSE {_LAST_PER.format(f'list_sort(r.{c})')} END"
        },
        {
            name: f"CASE WHEN t.{c} IS NULL THEN s.{c} WHEN s.{c} IS NULL THEN t.{c}"
            f" ELSE {_LAST_PER.format(both)} END"
        },
    )


def _last_set(name: str, merge: LastSet, names: Collection[str]) -> ColumnSql:
    c, item = quoted(name), element_type(merge)
    entry = f"STRUCT(e {item}, k UUID, p BOOLEAN)"
    parts: list[str] = []
    for sources, present in ((merge.removals, "false"), (merge.sources, "true")):
        if any(s.event in names for s in sources):
            items = by_event(sources, names, f"{item}[]", lambda s: _list_of(s, item))
            made = f"{{'e': x, 'k': e.id, 'p': {present}}}"
            parts.append(f"list_transform({items}, lambda x: {made})")
    project = f"list_concat({', '.join(parts)})" if len(parts) > 1 else "".join(parts)
    rules = _entries(name, entry, project or f"NULL::{entry}[]")
    shown = f"list_filter(coalesce({c}, []), lambda x: x.p AND x.e IS NOT NULL)"
    return ColumnSql(*rules, f"list_transform({shown}, lambda x: x.e)")


def _last_map(name: str, merge: LastMap, names: Collection[str]) -> ColumnSql:
    c, item = quoted(name), element_type(merge)
    entry = f"STRUCT(e VARCHAR, k UUID, v {item})"
    spec = literal(f'{{"x":"MAP(VARCHAR, {item})"}}')

    def pairs_of(source: Source) -> str:
        field = f"e.args->{literal('$.' + str(source.field))}"
        return f"map_entries(json_transform(json_object('x', {field}), {spec}).x)"

    pairs = by_event(merge.sources, names, f"STRUCT(key VARCHAR, value {item})[]", pairs_of)
    made = "{'e': x.key, 'k': e.id, 'v': x.value}"
    rules = _entries(name, entry, f"list_transform({pairs}, lambda x: {made})")
    shown = f"list_filter(coalesce({c}, []), lambda x: x.v IS NOT NULL)"
    public = f"list_transform({shown}, lambda x: {{'key': x.e, 'value': x.v}})"
    return ColumnSql(*rules, f"map_from_entries({public})::{merge.type}")
