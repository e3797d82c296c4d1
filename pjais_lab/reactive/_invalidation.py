"""Which commits can change the answer of which query."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pjais_lab.storage.sqlparse import Analysis, Reference

if TYPE_CHECKING:
    from pjais_lab.reactive.source import Keys

__all__ = ["Dependencies", "Need", "Touched", "dependencies"]

EVENTS: Final = "events"
Ids = frozenset[str]


class Need(msgspec.Struct, frozen=True):
    """One mention of a table in a query.

    Attributes:
        table: its name.
        entities: only rows of these entities matter; None when all do.
        personas: only rows of these personas matter; None when all do.
        names: only events of these names matter; None when all do.
    """

    table: str
    entities: Ids | None = None
    personas: Ids | None = None
    names: Ids | None = None


class Dependencies(msgspec.Struct, frozen=True):
    """What a query depends on.

    Attributes:
        needs: the tables it reads.
        is_total: any change may matter.
        is_volatile: it is run again in every round.
    """

    needs: tuple[Need, ...] = ()
    is_total: bool = False
    is_volatile: bool = False


class Touched:
    """What a run of changes touched, ready for many questions."""

    def __init__(self) -> None:
        self._is_total = False
        self._is_any = False
        self._tables: dict[str, tuple[set[str], set[str | None]] | None] = {}
        self._knows_events = True
        self._names: set[str] | None = set()

    def add(self, tables: Mapping[str, Keys], names: Ids | None = None) -> None:
        """Join one change: its tables, and the names of its events, None if not known."""
        self._is_any = True
        self._names = None if self._names is None or names is None else self._names | names
        if EVENTS not in tables:
            self._knows_events = False
        for table, keys in tables.items():
            if keys is None:
                self._tables[table] = None
                continue
            present = self._tables.setdefault(table, (set(), set()))
            if present is not None:
                present[0].update(entity for entity, _ in keys)
                present[1].update(persona for _, persona in keys)

    def add_everything(self) -> None:
        """Something changed and nobody can tell what."""
        self._is_total = True

    def hits(self, on: Dependencies) -> bool:
        """Whether a query that depends on this may answer differently now."""
        if self._is_total or on.is_volatile:
            return True
        if on.is_total:
            return self._is_any
        return any(self._hits_need(need) for need in on.needs)

    def hits_row(self, table: str, entity_id: str) -> bool:
        """Whether one row may have changed."""
        if self._is_total:
            return True
        keys = self._tables.get(table, (set[str](), set[str | None]()))
        return keys is None or entity_id in keys[0]

    def _hits_need(self, need: Need) -> bool:
        if need.table == EVENTS and not self._knows_events:
            return True
        if need.table not in self._tables:
            return False
        if (
            need.names is not None
            and self._names is not None
            and need.names.isdisjoint(self._names)
        ):
            return False
        keys = self._tables[need.table]
        if keys is None:
            return True
        entities, personas = keys
        if need.entities is not None and need.entities.isdisjoint(entities):
            return False
        return need.personas is None or not need.personas.isdisjoint(personas)


def dependencies(
    analysis: Analysis, params: Mapping[str, Any], tables: Collection[str]
) -> Dependencies:
    """What a query depends on, given the values of its parameters.

    Args:
        analysis: what the SQL reads.
        params: the values.
        tables: the tables that changes speak about; any other one is taken to depend on everything.
    """
    known = {EVENTS, *tables}
    return Dependencies(
        needs=tuple(_need(r, params) for r in analysis.references if r.table in known),
        is_total=analysis.is_opaque or not analysis.tables <= known,
        is_volatile=analysis.is_volatile,
    )


def _need(reference: Reference, params: Mapping[str, Any]) -> Need:
    entity_column = "entity_id" if reference.table == EVENTS else "id"
    entities: Ids | None = None
    personas: Ids | None = None
    names: Ids | None = None
    for condition in reference.conditions:
        values = [o.literal if o.parameter is None else params.get(o.parameter)
                  for o in condition.operands]  # fmt: skip
        if condition.column == "name":
            names = _texts(values) if reference.table == EVENTS and names is None else names
            continue
        ids = _ids(values)
        if condition.column == entity_column:
            entities = ids if entities is None else entities
        elif condition.column == "persona_id":
            personas = ids if personas is None else personas
    return Need(reference.table, entities, personas, names)


def _texts(values: Iterable[Any]) -> Ids | None:
    """The texts; None when one of the values is none, as it may be compared in other ways."""
    found = [value for value in values if value is not None]
    return frozenset(found) if all(type(value) is str for value in found) else None


def _ids(values: Iterable[Any]) -> Ids | None:
    """The ids in the form changes have them; None when one of the values is not an id."""
    out: set[str] = set()
    for value in values:
        if value is None:
            continue  # compares equal to nothing
        try:
            out.add(str(value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))))
        except ValueError:
            return None
    return frozenset(out)
