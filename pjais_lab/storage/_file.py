"""The file under a SQLite journal: its lock, its connections, who writes it, leases and values."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final, Self

from pjais_lab.errors import CorruptJournalError
from pjais_lab.storage._filelock import FileLock
from pjais_lab.storage._pool import ConnectionPool
from pjais_lab.storage._schema import check_format, create_schema, new_replica
from pjais_lab.storage._translate import os_error
from pjais_lab.storage.clock import Clock, SystemClock
from pjais_lab.storage.lease import Lease, LeaseRow

__all__ = ["JournalFile"]

_TIMEOUT_S: Final = 30.0


class JournalFile:
    """What a SQLite journal keeps besides events; may be used by any thread, and after a fork.

    Args:
        path: the SQLite file; ``journal.lock`` and ``journal.queue`` lie beside it.
        create: make it when it is missing or empty.
        clock: the wall clock, for leases.

    Raises:
        CorruptJournalError: the file is missing without ``create``, or cannot be read.
        FormatVersionError: a newer version wrote it.
        ReadOnlyError: the directory refuses writes.
        DiskFullError: the disk is full.
    """

    def __init__(self, path: Path, *, create: bool = True, clock: Clock | None = None) -> None:
        self.path = path
        self._clock = clock or SystemClock()
        self._lock = FileLock(path.with_suffix(".lock"))
        self._pool = ConnectionPool(path)
        try:
            self._open(create=create)
            self._replica = self._read_replica()
        except BaseException:
            self.close()
            raise

    @property
    def replica(self) -> str:
        """The origin of events appended here: 11 hexadecimal digits."""
        return self._replica

    @property
    def is_closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._pool.is_closed

    def lock(self, timeout_s: float = _TIMEOUT_S) -> AbstractContextManager[None]:
        """Hold off every other writer, in the order of asking; re-entrant.

        Raises:
            BusyError: somebody else held it for longer than ``timeout_s``.
        """
        return self._lock.held(timeout_s)

    def claim(self, fingerprint: str) -> bool:
        """Say which file this is; if it was another one, it is a copy and gets a new replica id.

        Args:
            fingerprint: changes when the file is copied or restored, not when it is moved.

        Returns:
            Whether the replica id is new.
        """
        if self.meta_get("fingerprint") == fingerprint:
            self._replica = self._read_replica()  # another process may have just claimed it
            return False
        with self.write() as con:
            known = _meta(con, "fingerprint")
            if known == fingerprint:
                self._replica = _meta(con, "replica") or self._replica
                return False
            _set_meta(con, "fingerprint", fingerprint)
            if known is None:
                con.execute("UPDATE replicas SET fingerprint = ?", (fingerprint,))
                return False
            self._replica = _adopt(con, fingerprint, f"copied or restored; was {known}")
            return True

    def replicas(self) -> list[str]:
        """Every replica id this journal has had, oldest first."""
        with self._pool.connection() as con:
            return [r for (r,) in con.execute("SELECT replica FROM replicas ORDER BY rowid")]

    def meta_get(self, key: str) -> str | None:
        """A small value kept with the journal, or None."""
        with self._pool.connection() as con:
            return _meta(con, key)

    def meta_set(self, key: str, value: str, *, lease: Lease | None = None) -> None:
        """Keep a small value with the journal.

        Raises:
            LeaseLostError: ``lease`` is held by somebody else; nothing was stored.
        """
        with self.write(lease) as con:
            _set_meta(con, key, value)

    def lease(self, name: str, ttl_s: float) -> Lease:
        """Become the only holder of a role, for a time.

        Raises:
            BusyError: somebody else holds it.
        """
        return Lease.take(self, self._clock, name, ttl_s)

    def lease_row(self, name: str) -> LeaseRow | None:
        """The stored lease of that name."""
        with self._pool.connection() as con:
            return _lease_row(con, name)

    def swap_lease(self, name: str, old: LeaseRow | None, new: LeaseRow) -> bool:
        """Store ``new`` if ``old`` is still what is stored; whether it was."""
        with self.write() as con:
            if _lease_row(con, name) != old:
                return False
            con.execute(
                "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?)",
                (name, new.holder, new.token, new.expires_ms, new.ttl_ms),
            )
            return True

    @contextmanager
    def write(self, lease: Lease | None = None) -> Iterator[sqlite3.Connection]:
        """A write transaction under the lock: all of the block is stored, or nothing.

        Raises:
            BusyError: somebody else kept the lock.
            LeaseLostError: ``lease`` is held by somebody else.
        """
        with self.lock(), self._pool.transaction() as con:
            if lease is not None and not lease.owns(_lease_row(con, lease.name)):
                raise lease.lost()
            yield con

    def read_only(self) -> AbstractContextManager[sqlite3.Connection]:
        """A connection for reading."""
        return self._pool.connection()

    def value(self, sql: str, *args: Any) -> Any:
        """The first column of a query's first row."""
        with self._pool.connection() as con:
            return con.execute(sql, args).fetchone()[0]

    def close(self) -> None:
        """Let go of files; further calls raise ClosedError. May be repeated."""
        self._pool.close()
        self._lock.close()

    def __enter__(self) -> Self:
        """Open already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _open(self, *, create: bool) -> None:
        if not create and not self.path.exists():
            msg = f"The journal {self.path} is missing."
            hint = (
                "Put journal.sqlite back from a backup; events that were not sealed are in it only."
            )
            raise CorruptJournalError(msg, hint=hint, path=str(self.path))
        if self.path.exists() and self._is_formatted():
            return
        if not create:
            msg = f"The journal {self.path} is empty."
            raise CorruptJournalError(msg, hint="Put it back from a backup.", path=str(self.path))
        with self.lock():
            _touch(self.path)
            if not self._is_formatted():
                with self._pool.connection() as con:
                    create_schema(con)

    def _is_formatted(self) -> bool:
        with self._pool.connection() as con:
            return check_format(con, self.path)

    def _read_replica(self) -> str:
        replica = self.meta_get("replica")
        if replica is None:
            msg = f"The journal {self.path} does not say who writes it."
            raise CorruptJournalError(msg, hint="Put it back from a backup.", path=str(self.path))
        return replica


def _touch(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
    except FileExistsError:
        return
    except OSError as error:
        raise os_error(error, path) from None


def _meta(con: sqlite3.Connection, key: str) -> str | None:
    row = con.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def _set_meta(con: sqlite3.Connection, key: str, value: str) -> None:
    con.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def _adopt(con: sqlite3.Connection, fingerprint: str, reason: str) -> str:
    replica = new_replica()
    _set_meta(con, "replica", replica)
    con.execute(
        "INSERT INTO replicas (replica, fingerprint, reason) VALUES (?, ?, ?)",
        (replica, fingerprint, reason),
    )
    return replica


def _lease_row(con: sqlite3.Connection, name: str) -> LeaseRow | None:
    row = con.execute(
        "SELECT holder, token, expires_ms, ttl_ms FROM leases WHERE name = ?", (name,)
    ).fetchone()
    return None if row is None else LeaseRow(*row)
