"""The journal in one SQLite file: WAL, synchronous=FULL, one row per commit."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from typing import Final

from pjais_lab.core.block import Block
from pjais_lab.core.event import Chunk
from pjais_lab.errors import BusyError, ConcurrencyError, DiskFullError, InternalError
from pjais_lab.storage._file import JournalFile
from pjais_lab.storage._rows import (
    GENESIS,
    corrupt_row,
    decode_chunk,
    digest_of,
    encode_block,
    encode_rows,
    link,
    scrubbed,
)
from pjais_lab.storage._verify import verify_chain
from pjais_lab.storage.journal import ChainReport, GapError
from pjais_lab.storage.lease import Lease

__all__ = ["SqliteJournal"]

_READ_BYTES: Final = 32 << 20
_SPARE_PAGES: Final = 4_000
_MOSTLY: Final = 0.75

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
FROM commits WHERE seq > ? ORDER BY seq LIMIT ?
"""
_POSITION: Final = "SELECT seq_first, seq_last FROM keys WHERE key = ?"


class SqliteJournal(JournalFile):
    """A ``Journal`` for any number of processes of one machine.

    Safe against ``kill -9`` and power cuts at any point: an append that returned is there, one
    that did not is there wholly or not at all.
    """

    def head(self) -> int:
        """The last event's place; 0 when nothing was ever appended."""
        return int(self.value("SELECT max(seq) FROM vector") or 0)

    def floor(self) -> int:
        """The last purged event's place; 0 when nothing was purged."""
        return int(self.meta_get("floor") or 0)

    def last_id(self) -> str | None:
        """The greatest event id ever appended, for the clock that mints the next."""
        found: str | None = self.value("SELECT max(last_id) FROM vector")
        return found

    def vector(self) -> dict[str, int]:
        """Origin -> its highest ``origin_seq`` here."""
        with self.read_only() as con:
            return dict(con.execute("SELECT origin, origin_seq FROM vector").fetchall())

    def read(self, after: int, limit: int | None = None) -> list[Chunk]:
        """Commits after a place, in order; a commit that straddles it is cut.

        Args:
            after: the last event already known.
            limit: at most so many commits, and fewer when they are large; None means all.

        Raises:
            GapError: events after ``after`` were purged.
            CorruptJournalError: a row is not what was stored.
        """
        chunks: list[Chunk] = []
        size = 0
        args = (after, -1 if limit is None else limit)
        # A cursor left open would keep its connection at this moment of the log for good.
        with self.read_only() as con, closing(con.execute(_READ, args)) as rows:
            for seq, n, origin, origin_seq, payload, digest in rows:
                if not chunks and seq - n > after:
                    raise GapError(seq - n)
                if digest_of(payload) != digest:
                    raise corrupt_row(seq, "its digest differs")
                chunks.append(decode_chunk(seq, n, origin, origin_seq, payload, after=after))
                size += len(payload)
                if limit is not None and size > _READ_BYTES:
                    break
        if not chunks and (floor := self.floor()) > after:
            raise GapError(floor)
        return chunks

    def append(
        self, chunk: Chunk | Block, *, key: str | None = None, expected: int | None = None
    ) -> None:
        """Store a commit, whole; durable when it returns.

        Args:
            chunk: numbered to follow the head and its origin's last number.
            key: idempotency key, refused when known.
            expected: the head that the commit was decided on.

        Raises:
            ConcurrencyError: the log is not at ``expected``, the chunk does not follow the head,
                or the key is known. Nothing was stored.
            InternalError: the chunk contradicts itself, or leaves a gap in its origin's numbers.
            DiskFullError: the disk is full. Nothing was stored.
        """
        n, newest, payload = _stored(chunk)
        origin, digest, text = chunk.origin, digest_of(payload), payload.decode()
        with self.write() as con:
            head, number, chain, last_id = con.execute(_TOP, (origin,)).fetchone()
            _check_place(chunk, n, head or 0, number or 0, expected)
            if key is not None:
                _store_key(con, key, chunk)
            prev, number = chain or GENESIS, chunk.origin_seq_last
            con.execute(_INSERT, (chunk.seq_last, n, origin, number, digest, prev, text))
            last_id, chain = max(newest, last_id or ""), link(prev, digest)
            con.execute(_ADVANCE, (origin, number, chunk.seq_last, last_id, chain))

    def position_of(self, key: str) -> tuple[int, int] | None:
        """First and last event of the commit that was stored under an idempotency key."""
        with self.read_only() as con:
            found: tuple[int, int] | None = con.execute(_POSITION, (key,)).fetchone()
            return found

    def purge(self, through: int, *, lease: Lease | None = None) -> int:
        """Remove whole commits up to a place, after they were sealed; may be repeated.

        The file gets smaller when most of it is unused.

        Args:
            through: the last event that may go.
            lease: refuse unless this lease is still held.

        Returns:
            How many events were removed.

        Raises:
            LeaseLostError: somebody else holds the lease; nothing was removed.
        """
        with self.write(lease) as con:
            last, events = con.execute(
                "SELECT max(seq), sum(n) FROM commits WHERE seq <= ?", (through,)
            ).fetchone()
            if last is None:
                return 0
            con.execute("DELETE FROM commits WHERE seq <= ?", (through,))
            con.execute("UPDATE meta SET value = ? WHERE key = 'floor'", (str(last),))
        with suppress(BusyError, DiskFullError):  # the next purge tries again
            self._shrink()
        return int(events)

    def _shrink(self) -> None:
        """Give the disk its room back when most of the file is unused, so that little is copied."""
        with self.lock(), self.read_only() as con:
            (free,) = con.execute("PRAGMA freelist_count").fetchone()
            (all_pages,) = con.execute("PRAGMA page_count").fetchone()
            if free < _SPARE_PAGES or free < _MOSTLY * all_pages:
                return
            con.execute("VACUUM")
            con.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def scrub(self, persona_id: str) -> int:
        """Erase the content of one persona's events, from the file too; the chain still verifies.

        Returns:
            How many events lost their content.
        """
        with self.lock():
            with self.write() as con:
                places = con.execute(
                    "SELECT seq FROM commits WHERE instr(payload, ?)", (persona_id,)
                ).fetchall()
                total = sum(_scrub_row(con, seq, persona_id) for (seq,) in places)
            self.settle()
        return total

    def settle(self) -> bool:
        """Take what was scrubbed out of SQLite's log too; False while somebody reads from it."""
        with self.lock(), self.read_only() as con:
            return bool(con.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)

    def verify_chain(self) -> ChainReport:
        """Read everything and check file, digests, numbers and each origin's hash chain.

        Raises:
            CorruptJournalError: names the first commit that is wrong.
        """
        with self.read_only() as con:
            return verify_chain(con, self.path)


def _stored(chunk: Chunk | Block) -> tuple[int, str, bytes]:
    """How many events, the newest id, and the payload."""
    if isinstance(chunk, Block):
        return len(chunk), chunk.id[-1], encode_block(chunk)
    _check_whole(chunk)
    return len(chunk.records), chunk.records[-1].id, encode_rows(chunk.records)


def _check_whole(chunk: Chunk) -> None:
    records = chunk.records
    n = len(records)
    if n == 0 or records[0].seq != chunk.seq_first or records[-1].seq != chunk.seq_last:
        msg = f"A chunk says events {chunk.seq_first} to {chunk.seq_last} and holds others."
        raise InternalError(msg)
    if chunk.seq_last - chunk.seq_first + 1 != n or records[-1].origin_seq != chunk.origin_seq_last:
        msg = f"A chunk of {n} events ending at {chunk.seq_last} is numbered wrongly."
        raise InternalError(msg)


def _check_place(
    chunk: Chunk | Block, n: int, head: int, number: int, expected: int | None
) -> None:
    wanted = chunk.seq_first - 1 if expected is None else expected
    if wanted != head or chunk.seq_first != head + 1:
        msg = (
            f"The commit expected the log at {wanted:,} but it is at {head:,}; nothing was stored."
        )
        hint = "Read the state again and retry."
        raise ConcurrencyError(msg, hint=hint, expected=wanted, actual=head)
    first = chunk.origin_seq_last - n + 1
    if first != number + 1:
        msg = (
            f"The commit numbers the events of {chunk.origin} from {first:,} but the journal has"
            f" them up to {number:,}; nothing was stored."
        )
        raise InternalError(msg, origin=chunk.origin, expected=number + 1, actual=first)


def _store_key(con: sqlite3.Connection, key: str, chunk: Chunk | Block) -> None:
    known = con.execute(_POSITION, (key,)).fetchone()
    if known is not None:
        first, last = known
        msg = f"The key {key!r} was committed before as events {first:,} to {last:,}; nothing was stored."
        hint = "Use what is there, or another key."
        raise ConcurrencyError(msg, hint=hint, key=key, seq_first=first, seq_last=last)
    con.execute("INSERT INTO keys VALUES (?, ?, ?)", (key, chunk.seq_first, chunk.seq_last))


def _scrub_row(con: sqlite3.Connection, seq: int, persona_id: str) -> int:
    payload: bytes = con.execute(
        "SELECT CAST(payload AS BLOB) FROM commits WHERE seq = ?", (seq,)
    ).fetchone()[0]
    rest, count = scrubbed(payload, persona_id)
    if count:
        con.execute(
            "UPDATE commits SET payload = ?, scrubbed = ? WHERE seq = ?",
            (rest.decode(), digest_of(rest), seq),
        )
    return count
