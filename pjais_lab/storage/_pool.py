"""SQLite connections, kept open and reused: one for each concurrent use, never across a fork."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pjais_lab.errors import ClosedError
from pjais_lab.storage._translate import sqlite_error

__all__ = ["ConnectionPool"]

_PRAGMAS: Final = (
    "PRAGMA busy_timeout = 10000",
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = 1",
    "PRAGMA checkpoint_fullfsync = 1",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA cache_size = -16384",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA secure_delete = ON",
    "PRAGMA trusted_schema = OFF",
)


class ConnectionPool:
    """Connections to one file. A call takes one, uses it alone and gives it back.

    Args:
        path: the database, which must exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._uri = f"{path.absolute().as_uri()}?mode=rw"
        self._idle: deque[sqlite3.Connection] = deque()
        self._is_closed = False
        _POOLS.add(self)

    @property
    def is_closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._is_closed

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """A connection in autocommit mode; SQLite's errors come out as ours.

        Raises:
            ClosedError: the journal was closed.
            StorageError: what SQLite reported, by kind.
        """
        con = self._take()
        try:
            yield con
        except sqlite3.Error as error:
            self._discard(con)
            raise sqlite_error(error, self.path) from error
        except BaseException:
            self._discard(con)
            raise
        else:
            self._give(con)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection inside a write transaction: all of the block is stored, or nothing.

        Raises:
            ClosedError: the journal was closed.
            StorageError: what SQLite reported, by kind; nothing was stored.
        """
        with self.connection() as con:
            con.execute("BEGIN IMMEDIATE")
            yield con
            con.execute("COMMIT")

    def close(self) -> None:
        """Close every connection; those in use are closed when given back."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().close()

    def forget(self) -> None:
        """Leave the parent's connections alone in a forked child: SQLite forbids to use them."""
        _ORPHANS.extend(self._idle)
        self._idle = deque()

    def _take(self) -> sqlite3.Connection:
        if self._is_closed:
            msg = f"The journal {self.path} is closed."
            raise ClosedError(msg, hint="Open the lab again.")
        with contextlib.suppress(IndexError):
            return self._idle.pop()
        try:
            con = sqlite3.connect(
                self._uri, uri=True, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise sqlite_error(error, self.path) from error
        try:
            for pragma in _PRAGMAS:
                con.execute(pragma)
        except sqlite3.Error as error:
            con.close()
            raise sqlite_error(error, self.path) from error
        return con

    def _give(self, con: sqlite3.Connection) -> None:
        if self._is_closed:
            con.close()
        else:
            self._idle.append(con)

    def _discard(self, con: sqlite3.Connection) -> None:
        if con.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                con.execute("ROLLBACK")
        if con.in_transaction:
            con.close()
        else:
            self._give(con)


_POOLS: weakref.WeakSet[ConnectionPool] = weakref.WeakSet()
_ORPHANS: list[sqlite3.Connection] = []


def _forget_all() -> None:
    for pool in list(_POOLS):
        pool.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
