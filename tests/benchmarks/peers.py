"""The floors and peers: raw SQLite, and pyeventsourcing with its SQLite recorder."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

__all__ = ["PyEventSourcing", "RawSqlite"]


class RawSqlite:
    """The floor of a durable commit: one INSERT, WAL, synchronous=FULL, the journal's index.

    Args:
        path: where the database goes.
    """

    def __init__(self, path: Path) -> None:
        self._con = sqlite3.connect(path, isolation_level=None)
        self._con.execute("PRAGMA journal_mode=WAL")
        self._con.execute("PRAGMA synchronous=FULL")
        self._con.execute(
            "CREATE TABLE commits(seq INTEGER PRIMARY KEY, n INTEGER, origin TEXT,"
            " origin_seq INTEGER, digest BLOB, payload BLOB)"
        )
        self._seq = 0

    def commit(self, payload: bytes) -> None:
        """Insert one row, durable on return."""
        self._seq += 1
        self._con.execute("BEGIN IMMEDIATE")
        self._con.execute(
            "INSERT INTO commits VALUES (?,1,'0123456789a',?,?,?)",
            (self._seq, self._seq, payload[:32], payload),
        )
        self._con.execute("COMMIT")


class PyEventSourcing:
    """An event store people would otherwise pick.

    Args:
        path: where the database goes.
    """

    def __init__(self, path: Path) -> None:
        self.recorder = SQLiteApplicationRecorder(SQLiteDatastore(str(path)))
        self.recorder.create_table()

    def insert(self, states: Iterable[bytes]) -> float:
        """Store events that are already encoded; seconds taken."""
        events = [StoredEvent(uuid4(), 1, "memories:MemoryRecorded", s) for s in states]
        start = time.perf_counter()
        self.recorder.insert_events(events)
        return time.perf_counter() - start

    def pragma(self, name: str) -> str:
        """What its SQLite is set to, asked on the connection that it writes with."""
        with self.recorder.datastore.transaction(commit=False) as cursor:
            cursor.execute(f"PRAGMA {name}")
            return str(cursor.fetchone()[0])
