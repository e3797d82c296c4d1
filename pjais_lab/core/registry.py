"""Everything declared: events, tables, upcasters. A value; adding gives a new one."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from pjais_lab.core.event import Event
from pjais_lab.core.table import Table
from pjais_lab.core.upcast import Upcaster
from pjais_lab.errors import DeclarationError, UnknownEventError, UpcastError

__all__ = ["Registry"]

FOLD_VERSION = 3


class Registry(msgspec.Struct, frozen=True):
    """The declarations a lab works with.

    Attributes:
        events: definitions by wire name.
        tables: tables by SQL name, in the order they were declared.
        upcasters: evolution steps by the name they read.
    """

    events: Mapping[str, type[Event]] = {}
    tables: Mapping[str, Table] = {}
    upcasters: Mapping[str, Upcaster] = {}

    def add(self, *declarations: type[Event] | Table | Upcaster) -> Registry:
        """A registry with more declarations; repeating an equal one is fine.

        Args:
            declarations: event classes, tables and upcasters, in any order.

        Raises:
            DeclarationError: a name is taken, or a table reads an event of another kind.
            UpcastError: a chain of upcasters forks or leads nowhere.
        """
        events, tables, upcasters = dict(self.events), dict(self.tables), dict(self.upcasters)
        item: Any
        for item in declarations:
            if isinstance(item, Table):
                tables[item.name] = item
            elif isinstance(item, Upcaster):
                _add_upcaster(upcasters, item)
            elif isinstance(item, type) and issubclass(item, Event) and item is not Event:
                events[item.__event__.name] = item
            else:
                msg = f"Expected an event class, a table or an upcaster, got {item!r}."
                raise DeclarationError(msg)
        made = Registry(events, tables, upcasters)
        _check(made)
        return made

    def event(self, name: str) -> type[Event]:
        """The definition of a wire name.

        Raises:
            UnknownEventError: nobody declared it.
        """
        found = self.events.get(name)
        if found is None:
            near = difflib.get_close_matches(name, self.events, 1)
            hint = f"Did you mean {near[0]!r}?" if near else "Declare it with lab.declare()."
            raise UnknownEventError(f"No event is declared as {name!r}.", hint=hint, name=name)
        return found

    def table_of(self, kind: str) -> Table:
        """The table that keeps the life of a kind of entity.

        Raises:
            DeclarationError: no table declares the kind.
        """
        for table in self.tables.values():
            if table.entity == kind:
                return table
        msg = f"No table declares the entity {kind!r}."
        raise DeclarationError(msg, hint=f"Declare Table(name, entity={kind!r}, ...).", kind=kind)

    def names_for(self, table: Table) -> tuple[str, ...]:
        """The newest wire names that move a table: its sources and all events of its entity."""
        about = {n for n, e in self.events.items() if e.__event__.entity == table.entity}
        return tuple(sorted(about | table.event_names()))

    def old_names_for(self, table: Table) -> tuple[str, ...]:
        """Stored names that become one of ``names_for`` by upcasting."""
        wanted = set(self.names_for(table))
        return tuple(sorted(n for n in self.upcasters if self.newest(n) in wanted))

    def newest(self, name: str) -> str:
        """The name an event has after all upcasting."""
        while step := self.upcasters.get(name):
            name = step.new
        return name

    def digest(self, table: Table) -> str:
        """Changes when the table's declaration, or an upcaster that feeds it, changes."""
        old = self.old_names_for(table)
        parts = [
            str(FOLD_VERSION),
            table.entity,
            *(f"{n}={msgspec.json.encode(m).decode()}" for n, m in table.columns.items()),
            *self.names_for(table),
            *(self.upcasters[n].digest for n in old),
        ]
        return hashlib.blake2b("\x1e".join(parts).encode(), digest_size=16).hexdigest()


def _add_upcaster(upcasters: dict[str, Upcaster], item: Upcaster) -> None:
    present = upcasters.get(item.old)
    if present is not None and present.digest != item.digest:
        msg = f"{item.old} has two upcasters, to {present.new} and to {item.new}; expected one."
        raise UpcastError(msg, name=item.old)
    upcasters[item.old] = item


def _check(registry: Registry) -> None:
    for step in registry.upcasters.values():
        _check_chain(registry, step)
    for table in registry.tables.values():
        _check_sources(registry, table)
    kinds = {t.entity for t in registry.tables.values()}
    for name, definition in registry.events.items():
        wanted = {definition.__event__.entity, *definition.__event__.refs.values()} - {None}
        if not wanted <= kinds:
            lacking = sorted(str(k) for k in wanted - kinds)
            msg = f"{name} is about {lacking}, which no table declares."
            raise DeclarationError(msg, hint="Declare the table in the same call.", name=name)


def _check_chain(registry: Registry, step: Upcaster) -> None:
    seen = {step.old}
    name = step.new
    while name in registry.upcasters:
        if name in seen:
            msg = f"The upcasters from {step.old} go round in a circle."
            raise UpcastError(msg, name=name)
        seen.add(name)
        name = registry.upcasters[name].new
    if name not in registry.events:
        msg = f"The upcasters from {step.old} end at {name}, which no event declares."
        raise UpcastError(msg, hint="Declare it, or add the missing step.", name=name)


def _check_sources(registry: Registry, table: Table) -> None:
    for name in table.event_names():
        definition = registry.events.get(name)
        if definition is None:
            msg = f"The table {table.name!r} reads {name}, which no event declares."
            raise DeclarationError(msg, name=name)
        kind = definition.__event__.entity
        if kind != table.entity:
            msg = (
                f"The table {table.name!r} is about {table.entity!r}, but {name} is about {kind!r}."
            )
            raise DeclarationError(msg, name=name)
