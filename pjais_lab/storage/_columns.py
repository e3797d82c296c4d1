"""One column's merge as DuckDB SQL: contribution of an event, aggregate of a batch, union of two.

``core.merge`` says what each merge means; the property tests hold these expressions against it.
"""

from __future__ import annotations

from collections.abc import Sequence
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

_LAST_PER: Final = "list_filter({0}, lambda x, i: i = len({0}) OR ({0})[i + 1].e <> x.e)"


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
        return f"timezone('UTC', TRY_CAST({expression} AS TIMESTAMPTZ))"
    return f"TRY_CAST({expression} AS {kind})"


def by_event(sources: Sequence[Source], expressions: Sequence[str]) -> str:
    """Choose the expression of the row's event; null for events that contribute nothing."""
    arms: dict[str, list[str]] = {}
    for source, expression in zip(sources, expressions, strict=True):
        arms.setdefault(expression, []).append(source.event)
    whens = " ".join(
        f"WHEN e.name IN ({', '.join(map(literal, names))}) THEN {expression}"
        for expression, names in arms.items()
    )
    return f"CASE {whens} END"


def column_sql(name: str, merge: Merge, key: str | None) -> ColumnSql:
    """Compile one column.

    Args:
        name: the public column.
        merge: its rule.
        key: the physical column that holds the order key, for Last and First.

    Raises:
        DeclarationError: the merge's type does not fit.
    """
    if is_ordered(merge):
        assert key is not None
        return _ordered(name, merge, key)
    if isinstance(merge, LastSet):
        return _last_set(name, merge)
    if isinstance(merge, LastMap):
        return _last_map(name, merge)
    if isinstance(merge, Union):
        return _union(name, merge)
    return _scalar(name, merge)


def _ordered(name: str, merge: Merge, key: str) -> ColumnSql:
    c, k = quoted(name), quoted(key)
    value = by_event(merge.sources, [value_of(s, merge.type) for s in merge.sources])
    wins = ">" if isinstance(merge, Last) else "<"
    return ColumnSql(
        {name: merge.type},
        {name: value},
        {},
        {name: f"r.{c}"},
        {name: f"CASE WHEN t.{k} IS NULL OR s.{k} {wins} t.{k} THEN s.{c} ELSE t.{c} END"},
        c,
    )


def _scalar(name: str, merge: Merge) -> ColumnSql:
    c = quoted(name)
    if isinstance(merge, Count):
        value = by_event(merge.sources, [_presence(s) for s in merge.sources])
    else:
        value = by_event(merge.sources, [value_of(s, merge.type) for s in merge.sources])
    kept = _summed_as(merge)
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


def _union(name: str, merge: Union) -> ColumnSql:
    c, item = quoted(name), element_type(merge)
    merged = f"list_sort(list_distinct(list_concat(t.{c}, s.{c})))"
    return ColumnSql(
        {name: merge.type},
        {name: by_event(merge.sources, [_list_of(s, item) for s in merge.sources])},
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


def _last_set(name: str, merge: LastSet) -> ColumnSql:
    c, item = quoted(name), element_type(merge)
    entry = f"STRUCT(e {item}, k UUID, p BOOLEAN)"
    parts = []
    for sources, present in ((merge.removals, "false"), (merge.sources, "true")):
        if sources:
            items = by_event(sources, [_list_of(s, item) for s in sources])
            made = f"{{'e': x, 'k': e.id, 'p': {present}}}"
            parts.append(f"list_transform({items}, lambda x: {made})")
    project = parts[0] if len(parts) == 1 else f"list_concat({parts[0]}, {parts[1]})"
    rules = _entries(name, entry, project)
    shown = f"list_filter(coalesce({c}, []), lambda x: x.p AND x.e IS NOT NULL)"
    return ColumnSql(*rules, f"list_transform({shown}, lambda x: x.e)")


def _last_map(name: str, merge: LastMap) -> ColumnSql:
    c, item = quoted(name), element_type(merge)
    entry = f"STRUCT(e VARCHAR, k UUID, v {item})"
    spec = literal(f'{{"x":"MAP(VARCHAR, {item})"}}')
    values = [
        f"map_entries(json_transform(json_object('x', e.args->{literal('$.' + str(s.field))}), {spec}).x)"
        for s in merge.sources
    ]
    made = "{'e': x.key, 'k': e.id, 'v': x.value}"
    rules = _entries(
        name, entry, f"list_transform({by_event(merge.sources, values)}, lambda x: {made})"
    )
    shown = f"list_filter(coalesce({c}, []), lambda x: x.v IS NOT NULL)"
    pairs = f"list_transform({shown}, lambda x: {{'key': x.e, 'value': x.v}})"
    return ColumnSql(*rules, f"map_from_entries({pairs})::{merge.type}")
