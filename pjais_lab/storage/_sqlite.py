"""The journal in one SQLite file: WAL, synchronous=FULL, one row per commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from pjais_lab.core.event import Chunk
from pjais_lab.errors import ConcurrencyError, CorruptJournalError, InternalError
from pjais_lab.storage._chain import verify
from pjais_lab.storage._filelock import FileLock
from pjais_lab.storage._pool import ConnectionPool
from pjais_lab.storage._rows import GENESIS, decode_chunk, digest_of, encode_rows, link, scrubbed
from pjais_lab.storage._schema import check_format, create_schema, new_replica
from pjais_lab.storage._translate import os_error
from pjais_lab.storage.clock import Clock, SystemClock
from pjais_lab.storage.journal import ChainReport, GapError
from pjais_lab.storage.lease import Lease, LeaseRow

__all__ = ["SqliteJournal"]

_READ_BYTES: Final = 32 << 20
_TIMEOUT_S: Final = 30.0

_TOP: Final = """
SELECT (SELECT max(seq) FROM vector), v.origin_seq, v.chain, v.last_id
FROM (SELECT ? AS origin) o LEFT JOIN vector v ON v.origin = o.origin
"""
_INSERT: Final = """
INSERT INTO commits (seq, n, origin, origin_seq, digest, prev, payload) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_ADVANCE: Final = """
INSERT INTO vector (origin, origin_seq, seq, last_id, chain) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (origin) DO UPDATE SET
  origin_seq = excluded.origin_seq, seq = excluded.seq,
  last_id = excluded.last_id, chain = excluded.chain
"""
_READ: Final = """
SELECT seq, n, origin, origin_seq, CAST(payload AS BLOB), coalesce(scrubbed, digest)
FROM commits WHERE seq > ? ORDER BY seq
"""


class SqliteJournal:
    """A ``Journal`` for the processes of one machine.

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

    def lock(self, timeout_s: float = _TIMEOUT_S) -> AbstractContextManager[None]:
        """Hold off every other writer, in the order of asking; re-entrant.

        Raises:
            BusyError: somebody else held it for longer than ``timeout_s``.
        """
        return self._lock.held(timeout_s)

    def head(self) -> int:
        """The last event's place; 0 when nothing was ever appended."""
        return int(self._value("SELECT max(seq) FROM vector") or 0)

    def floor(self) -> int:
        """The last purged event's place; 0 when nothing was purged."""
        return int(self.meta_get("floor") or 0)

    def last_id(self) -> str | None:
        """The greatest event id ever appended."""
        found: str | None = self._value("SELECT max(last_id) FROM vector")
        return found

    def vector(self) -> dict[str, int]:
        """Origin -> its highest ``origin_seq`` here."""
        with self._pool.connection() as con:
            return dict(con.execute("SELECT origin, origin_seq FROM vector").fetchall())

    def read(self, after: int, limit: int | None = None) -> list[Chunk]:
        """Commits after a place, at most ``limit``; see ``Journal.read``.

        Raises:
            GapError: events after ``after`` were purged.
            CorruptJournalError: a row is not what was stored.
        """
        chunks: list[Chunk] = []
        size = 0
        with self._pool.connection() as con:
            rows = con.execute(_READ + ("" if limit is None else f" LIMIT {int(limit)}"), (after,))
            for seq, n, origin, origin_seq, payload, digest in rows:
                if not chunks and seq - n > after:
                    raise GapError(seq - n)
                if digest_of(payload) != digest:
                    raise _altered(seq)
                chunks.append(decode_chunk(seq, n, origin, origin_seq, payload, after=after))
                size += len(payload)
                if limit is not None and size > _READ_BYTES:
                    break
            rows.close()
        if not chunks and (floor := self.floor()) > after:
            raise GapError(floor)
        return chunks

    def append(self, chunk: Chunk, *, key: str | None = None, expected: int | None = None) -> None:
        """Store a commit, whole; durable when it returns. See ``Journal.append``.

        Raises:
            ConcurrencyError: the log has moved on, or the key is known; nothing was stored.
            InternalError: the chunk contradicts itself or leaves a gap.
            DiskFullError: the disk is full; nothing was stored.
        """
        payload = encode_rows(chunk.records)
        n, origin = len(chunk.records), chunk.origin
        digest, text = digest_of(payload), payload.decode()
        newest = max(r.id for r in chunk.records)
        with self._write() as con:
            head, number, chain, last_id = con.execute(_TOP, (origin,)).fetchone()
            _check_place(chunk, head or 0, number or 0, expected)
            chain = chain or GENESIS
            con.execute(
                _INSERT, (chunk.seq_last, n, origin, chunk.origin_seq_last, digest, chain, text)
            )
            con.execute(
                _ADVANCE,
                (
                    origin,
                    chunk.origin_seq_last,
                    chunk.seq_last,
                    max(newest, last_id or ""),
                    link(chain, digest),
                ),
            )
            if key is not None:
                _store_key(con, key, chunk)

    def position_of(self, key: str) -> tuple[int, int] | None:
        """First and last event of the commit stored under an idempotency key."""
        with self._pool.connection() as con:
            return _position_of(con, key)

    def purge(self, through: int, *, lease: Lease | None = None) -> int:
        """Remove whole commits up to a place; may be repeated. Gives the number of events.

        Raises:
            LeaseLostError: somebody else holds the lease; nothing was removed.
        """
        with self._write(lease) as con:
            found = con.execute(
                "SELECT max(seq), sum(n) FROM commits WHERE seq <= ?", (through,)
            ).fetchone()
            if found[0] is None:
                return 0
            con.execute("DELETE FROM commits WHERE seq <= ?", (through,))
            con.execute("UPDATE meta SET value = ? WHERE key = 'floor'", (str(found[0]),))
            return int(found[1])

    def scrub(self, persona_id: str) -> int:
        """Erase the content of one persona's events, from the file and its WAL too."""
        total = 0
        with self.lock(), self._pool.connection() as con:
            con.execute("PRAGMA secure_delete = ON")
        with self._write() as con:
            con.execute("PRAGMA secure_delete = ON")
            places = con.execute(
                "SELECT seq FROM commits WHERE instr(payload, ?)", (persona_id,)
            ).fetchall()
            for (seq,) in places:
                payload = con.execute(
                    "SELECT CAST(payload AS BLOB) FROM commits WHERE seq = ?", (seq,)
                ).fetchone()[0]
                rest, count = scrubbed(payload, persona_id)
                if count:
                    con.execute(
                        "UPDATE commits SET payload = ?, scrubbed = ? WHERE seq = ?",
                        (rest.decode(), digest_of(rest), seq),
                    )
                    total += count
        with self.lock(), self._pool.connection() as con:
            con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return total

    def verify_chain(self) -> ChainReport:
        """Check the file, and each origin's digests, numbers and hash chain.

        Raises:
            CorruptJournalError: names the first commit that is wrong.
        """
        with self._pool.connection() as con:
            return verify(con, self.path)

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
        with self._write() as con:
            if _lease_row(con, name) != old:
                return False
            con.execute(
                "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?)",
                (name, new.holder, new.token, new.expires_ms, new.ttl_ms),
            )
            return True
