"""Which event wrote which column last, kept small: one id a row, and a list of exceptions.

Most rows are as the event that made them left them. So a row keeps the id of that event, its base,
and for each group of columns that somebody else wrote later, the group's number and that event's
id. A group's order key is the greater of the two.
"""

from __future__ import annotations

import typing
from collections.abc import Collection, Iterable
from functools import cache
from typing import Final

import msgspec

from pjais_lab.core.event import Event
from pjais_lab.core.merge import First, Last, Source
from pjais_lab.core.registry import Registry
from pjais_lab.core.table import Table
from pjais_lab.storage._columns import literal, quoted

__all__ = ["BASE", "LATER", "LATER_TYPE", "Group", "OrderKeys", "order_keys"]

BASE: Final = "_k"
"""Column: the event that last wrote all base groups."""
LATER: Final = "_o"
"""Column: (group, event) where an event other than the base wrote last; null when there is none."""
LATER_TYPE: Final = "STRUCT(c UTINYINT, k UUID)[]"
_LATEST: Final = "list_filter(list_zip({0}, ({0})[2:]), lambda p: p[2] IS NULL OR p[2].c <> p[1].c)"


class Group(msgspec.Struct, frozen=True):
    """Columns that the same events always write together.

    Attributes:
        number: its place.
        columns: their names.
        always: the events that write them whenever they happen.
        maybe: event -> the field whose presence means that it writes them.
        is_first: the earliest event wins, not the latest.
    """

    number: int
    columns: tuple[str, ...]
    always: frozenset[str]
    maybe: dict[str, str]
    is_first: bool

    @property
    def key(self) -> str:
        """The column of its order key, where rows are being folded."""
        return f"_g{self.number}"

    @property
    def packed(self) -> str:
        """The struct of its values, where rows are being folded."""
        return f"_s{self.number}"

    @property
    def pick(self) -> str:
        """``max`` or ``min``."""
        return "min" if self.is_first else "max"

    def writers(self, names: Collection[str]) -> frozenset[str]:
        """Those of some events that may write it."""
        return frozenset(names) & (self.always | set(self.maybe))

    def when(self, names: Iterable[str]) -> str:
        """When an event ``e``, one of these, writes it; empty when none does."""
        wanted = set(names)
        sure = sorted(self.always & wanted)
        parts = [f"e.name IN ({', '.join(map(literal, sure))})"] if sure else []
        for name, field in self.maybe.items():
            if name in wanted:
                path = literal(f"$.{field}")
                parts.append(f"(e.name = {literal(name)} AND json_exists(e.args, {path}))")
        return " OR ".join(parts)


class OrderKeys(msgspec.Struct, frozen=True):
    """The order keys of a table.

    Attributes:
        groups: all groups.
        base: numbers of the groups that the base event writes.
        full: events that write all of those, and so become a row's base.
    """

    groups: tuple[Group, ...]
    base: frozenset[int]
    full: frozenset[str]

    @property
    def lasts(self) -> tuple[Group, ...]:
        """The groups whose key is the base or an exception."""
        return tuple(g for g in self.groups if not g.is_first)

    @property
    def firsts(self) -> tuple[Group, ...]:
        """The groups that have a key column of their own."""
        return tuple(g for g in self.groups if g.is_first)

    def physical(self) -> dict[str, str]:
        """Column -> DuckDB type, in the state table."""
        columns = {BASE: "UUID", LATER: LATER_TYPE} if self.lasts else {}
        return columns | {g.key: "UUID" for g in self.firsts}

    def of(self, group: Group, row: str) -> str:
        """The order key of a group in a state row or partial."""
        if group.is_first:
            return f"{row}.{quoted(group.key)}"
        own = f"(list_filter({row}.{LATER}, lambda x: x.c = {group.number})[1]).k"
        if group.number not in self.base:
            return own
        return f"CASE WHEN {row}.{LATER} IS NULL THEN {row}.{BASE} ELSE greatest({row}.{BASE}, {own}) END"

    def wins(self, group: Group) -> str:
        """When the partial ``s`` wrote a group after (or, for First, before) the row ``t``."""
        old, new = self.of(group, "t"), self.of(group, "s")
        return f"({old}) IS NULL OR ({new}) {'<' if group.is_first else '>'} ({old})"

    def combined(self) -> dict[str, str]:
        """Column -> the key of state row ``t`` and partial ``s`` together."""
        rules = {g.key: f"least(t.{quoted(g.key)}, s.{quoted(g.key)})" for g in self.firsts}
        if self.lasts:
            rules[BASE] = f"greatest(t.{BASE}, s.{BASE})"
            rules[LATER] = self._later_of_both()
        return rules

    def _later_of_both(self) -> str:
        both = f"list_sort(list_concat(t.{LATER}, s.{LATER}))"
        newest = f"list_transform({_LATEST.format(both)}, lambda p: p[1])"
        base = f"greatest(t.{BASE}, s.{BASE})"
        beyond = f"{base} IS NULL OR x.k > {base}"
        outside = [str(g.number) for g in self.lasts if g.number not in self.base]
        if outside:
            beyond = f"{beyond} OR x.c IN ({', '.join(outside)})"
        kept = filled(f"list_filter({newest}, lambda x: {beyond})")
        return f"CASE WHEN t.{LATER} IS NULL AND s.{LATER} IS NULL THEN NULL ELSE {kept} END"

    # ------------------------------------------------------------ over a row that has only a base

    def over(self, group: Group, column: str) -> str:
        """A column of row ``t``, which has only a base, under the aggregated row ``s``."""
        new = f"s.{group.packed}.{quoted(column)}"
        if group.number not in self.base:
            return new
        return f"CASE WHEN s.{group.key} > t.{BASE} THEN {new} ELSE t.{quoted(column)} END"

    def later_over(self, names: Collection[str]) -> str:
        """The exceptions of an aggregated row ``s`` over row ``t``, which has only a base."""
        entries: list[tuple[str, str]] = []
        for group in self.lasts:
            if group.writers(names):
                key = f"s.{group.key}"
                is_base = group.number in self.base
                when = f"{key} > greatest(t.{BASE}, s.{BASE})" if is_base else f"{key} IS NOT NULL"
                entries.append((when, _entry(group, key)))
        return _listed(entries)

    # ------------------------------------------------------------ from events

    def base_of(self, names: Collection[str]) -> str:
        """The base that one event ``e``, one of these, gives a row."""
        full = sorted(self.full & set(names))
        if not full:
            return "NULL::UUID"
        return f"CASE WHEN e.name IN ({', '.join(map(literal, full))}) THEN e.id END"

    def later_of(self, names: Collection[str]) -> str:
        """The exceptions that one event ``e``, one of these, makes."""
        entries: list[tuple[str, str]] = []
        for group in self.lasts:
            wanted = set(names) - (self.full if group.number in self.base else set())
            when = group.when(wanted)
            if when:
                entries.append((when, _entry(group, "e.id")))
        return _listed(entries)

    def later_of_group(self, names: Collection[str]) -> str:
        """The exceptions in an aggregated row ``g``, whose keys are ``_g0`` and so on."""
        entries: list[tuple[str, str]] = []
        for group in self.lasts:
            key = f"g.{group.key}"
            if not group.writers(names):
                continue
            when = f"{key} IS NOT NULL"
            if group.number in self.base:
                when = f"{when} AND (g.{BASE} IS NULL OR {key} > g.{BASE})"
            entries.append((when, _entry(group, key)))
        return _listed(entries)


def filled(items: str) -> str:
    """A list, or null when it has no element, so that equal states are stored alike."""
    return f"nullif({items}, []::{LATER_TYPE})"


def _entry(group: Group, key: str) -> str:
    return f"{{'c': {group.number}::UTINYINT, 'k': {key}}}"


def _listed(entries: list[tuple[str, str]]) -> str:
    """A list of those entries whose condition holds, or null."""
    if not entries:
        return f"NULL::{LATER_TYPE}"
    if len(entries) == 1:
        when, entry = entries[0]
        return f"CASE WHEN {when} THEN [{entry}]::{LATER_TYPE} END"
    cases = ", ".join(f"CASE WHEN {when} THEN {entry} END" for when, entry in entries)
    return filled(f"list_filter([{cases}], lambda x: x IS NOT NULL)::{LATER_TYPE}")


def order_keys(table: Table, registry: Registry) -> OrderKeys:
    """Group a table's ordered columns, and choose the base.

    Args:
        table: the declaration.
        registry: the events it reads.
    """
    groups = tuple(_groups(table, registry))
    lasts = [g for g in groups if not g.is_first]
    writers = sorted({n for g in lasts for n in g.always})
    per_event = {n: frozenset(g.number for g in lasts if n in g.always) for n in writers}
    base = max(per_event.values(), key=len, default=frozenset[int]())
    full = frozenset(n for n, written in per_event.items() if base and base <= written)
    return OrderKeys(groups, base, full)


def _groups(table: Table, registry: Registry) -> Iterable[Group]:
    by_signature: dict[object, list[str]] = {}
    for name, merge in table.columns.items():
        if not isinstance(merge, (Last, First)):
            continue
        is_sure = not any(_may_lack(registry, s) for s in merge.sources)
        events = frozenset(s.event for s in merge.sources)
        signature = (type(merge), events) if is_sure else name
        by_signature.setdefault(signature, []).append(name)
    for number, columns in enumerate(by_signature.values()):
        merge = table.columns[columns[0]]
        maybe = {s.event: str(s.field) for s in merge.sources if _may_lack(registry, s)}
        always = frozenset(s.event for s in merge.sources if not _may_lack(registry, s))
        yield Group(number, tuple(columns), always, maybe, isinstance(merge, First))


def _may_lack(registry: Registry, source: Source) -> bool:
    """Whether an event of this kind can be without the field."""
    if source.field is None or source.field.startswith("$"):
        return False
    kind = _hints(registry.event(source.event)).get(source.field)
    return msgspec.UnsetType in typing.get_args(kind)


@cache
def _hints(event: type[Event]) -> dict[str, object]:
    return typing.get_type_hints(event)
