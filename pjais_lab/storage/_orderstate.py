"""The order keys of one row, as values: what ``_orderkeys`` says in SQL, for a single event."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Self

from pjais_lab.core.event import Record
from pjais_lab.storage._orderkeys import BASE, LATER, LATER_TYPE, Group, OrderKeys

__all__ = ["OrderState"]


class OrderState:
    """Who last wrote which group of a row; ids as text, which sorts like the ids."""

    def __init__(self) -> None:
        self._base: str | None = None
        self._later: dict[int, str] = {}
        self._firsts: dict[int, str] = {}

    @classmethod
    def of(cls, keys: OrderKeys, cells: Sequence[Any]) -> Self:
        """The keys of a stored row.

        Args:
            keys: of its table.
            cells: the row's key columns, in the order of ``keys.physical()``.
        """
        made = cls()
        row = dict(zip(keys.physical(), cells, strict=True))
        if row.get(BASE) is not None:
            made._base = str(row[BASE])
        made._later = {e["c"]: str(e["k"]) for e in row.get(LATER) or ()}
        made._firsts = {g.number: str(k) for g in keys.firsts if (k := row[g.key]) is not None}
        return made

    def written(
        self, keys: OrderKeys, record: Record, columns: Collection[str]
    ) -> tuple[set[str], dict[str, str]]:
        """Let an event write.

        Args:
            keys: of the table.
            record: the event.
            columns: those it has a value for.

        Returns:
            The columns it wins, and the key columns as SQL.
        """
        groups = [g for g in keys.groups if not set(g.columns).isdisjoint(columns)]
        won = {c for g in groups if self._is_won(keys, g, record.id) for c in g.columns}
        is_full = record.name in keys.full
        for group in groups:
            number = group.number
            if group.is_first:
                self._firsts[number] = min(self._firsts.get(number, record.id), record.id)
            elif not (is_full and number in keys.base):
                self._later[number] = max(self._later.get(number, record.id), record.id)
        if is_full:
            self._base = max(self._base or record.id, record.id)
        return won, self._cells(keys) if groups else {}

    def _is_won(self, keys: OrderKeys, group: Group, event_id: str) -> bool:
        if group.is_first:
            return event_id < self._firsts.get(group.number, "~")
        base = self._base if group.number in keys.base else None
        return event_id > max(base or "", self._later.get(group.number, ""))

    def _cells(self, keys: OrderKeys) -> dict[str, str]:
        cells = {g.key: _uuid(self._firsts.get(g.number)) for g in keys.firsts}
        if keys.lasts:
            base = self._base or ""
            kept = {c: k for c, k in sorted(self._later.items()) if c not in keys.base or k > base}
            entries = ", ".join(f"{{'c': {c}, 'k': {_uuid(k)}}}" for c, k in kept.items())
            cells[BASE] = _uuid(self._base)
            cells[LATER] = f"[{entries}]::{LATER_TYPE}" if kept else f"NULL::{LATER_TYPE}"
        return cells


def _uuid(value: str | None) -> str:
    return "NULL::UUID" if value is None else f"'{value}'::UUID"
