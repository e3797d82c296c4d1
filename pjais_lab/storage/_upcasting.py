"""Old events, brought to their newest version before a fold reads them."""

from __future__ import annotations

import json
from typing import Any

import duckdb

from pjais_lab.core.registry import Registry
from pjais_lab.core.upcast import upcast
from pjais_lab.errors import UpcastError
from pjais_lab.storage.duck import quote

__all__ = ["Upcasting"]


class Upcasting:
    """Widens a relation of events by the upcasted form of the old ones in it.

    Args:
        registry: its upcasters.
    """

    def __init__(self, registry: Registry) -> None:
        self._steps = registry.upcasters

    def widen(
        self, cursor: duckdb.DuckDBPyConnection, source: str, names: set[str], after: int | None
    ) -> str:
        """The relation without its old events, and with their newest form.

        An event whose upcaster fails goes to ``log.quarantine`` and is left out.

        Args:
            cursor: where the relation can be read.
            source: a parenthesised SELECT of events.
            names: the wire names in it.
            after: the relation begins after this event; None when it is the whole log.
        """
        old = sorted(names & set(self._steps))
        if not old:
            return source
        wanted = ", ".join(map(quote, old))
        cursor.execute(f"DELETE FROM log.upcasted WHERE seq > {after or 0}")
        cursor.execute(
            f"DELETE FROM log.quarantine WHERE seq > {after or 0} AND name IN ({wanted})"
        )
        cursor.execute(
            f"INSERT INTO log.upcasted SELECT * FROM {source} s WHERE name IN ({wanted})"
        )
        rows = cursor.execute(
            f"SELECT seq, id, name, args FROM log.upcasted WHERE seq > {after or 0} AND args IS NOT NULL"
        ).fetchall()
        for seq, event_id, name, args in rows:
            self._one(cursor, seq, str(event_id), name, args)
        columns = f"SELECT * FROM log.upcasted WHERE seq > {after or 0} AND name NOT IN ({wanted})"
        return f"(SELECT * FROM {source} s WHERE name NOT IN ({wanted}) UNION ALL {columns})"

    def _one(
        self, cursor: duckdb.DuckDBPyConnection, seq: int, event_id: str, name: str, args: str
    ) -> None:
        try:
            newest, fields = upcast(name, self._fields(args), self._steps)
        except UpcastError as error:
            cursor.execute(
                "INSERT INTO log.quarantine VALUES (?, ?, ?, ?)",
                [seq, event_id, name, error.message],
            )
            return
        cursor.execute(
            "UPDATE log.upcasted SET name = ?, args = ? WHERE seq = ?",
            [newest, json.dumps(fields), seq],
        )

    @staticmethod
    def _fields(args: str) -> dict[str, Any]:
        fields: dict[str, Any] = json.loads(args)
        return fields
