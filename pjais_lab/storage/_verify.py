"""Reading a whole SQLite journal to see that it is what was stored."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from pjais_lab.errors import CorruptJournalError
from pjais_lab.storage._rows import GENESIS, corrupt_row, decode_chunk, digest_of, link
from pjais_lab.storage.journal import ChainReport

__all__ = ["verify_chain"]

_ROWS: Final = """
SELECT seq, n, origin, origin_seq, digest, prev, scrubbed, CAST(payload AS BLOB)
FROM commits ORDER BY seq
"""


class _Tip(msgspec.Struct):
    """How far an origin's chain has been followed."""

    origin_seq: int
    chain: bytes


def verify_chain(con: sqlite3.Connection, path: Path) -> ChainReport:
    """Check the file's structure, and every commit's digest, numbers and place in its chain.

    Raises:
        CorruptJournalError: names the first commit that is wrong.
    """
    con.execute("BEGIN")  # one moment of the log; the pool rolls back after an exception
    _check_file(con, path)
    floor = int(con.execute("SELECT value FROM meta WHERE key = 'floor'").fetchone()[0])
    with closing(con.execute(_ROWS)) as rows:
        report, tips = _follow(rows, floor)
    _check_ends(con, tips, floor + report.events)
    con.execute("COMMIT")
    return report


def _check_file(con: sqlite3.Connection, path: Path) -> None:
    damage = con.execute("PRAGMA quick_check(1)").fetchone()[0]
    if damage != "ok":
        msg = f"The journal {path} is damaged ({damage})."
        hint = "Keep a copy of it, then put back journal.sqlite from a backup."
        raise CorruptJournalError(msg, hint=hint, path=str(path))


def _follow(rows: sqlite3.Cursor, floor: int) -> tuple[ChainReport, dict[str, _Tip]]:
    tips: dict[str, _Tip] = {}
    commits = events = erased = 0
    last = floor
    for seq, n, origin, origin_seq, digest, prev, scrubbed, payload in rows:
        if seq - n != last:
            raise corrupt_row(seq, f"it begins at event {seq - n + 1:,}, not {last + 1:,}")
        if digest_of(payload) != (scrubbed or digest):
            raise corrupt_row(seq, "its digest differs")
        decode_chunk(seq, n, origin, origin_seq, payload)
        tip = tips.get(origin) or _start(floor, origin_seq - n, prev)
        if (tip.origin_seq, tip.chain) != (origin_seq - n, prev):
            raise corrupt_row(seq, f"it does not follow the last commit of {origin}")
        tips[origin] = _Tip(origin_seq, link(prev, digest))
        last, commits, events = seq, commits + 1, events + n
        erased += scrubbed is not None
    return ChainReport(commits, events, len(tips), erased), tips


def _start(floor: int, origin_seq: int, prev: bytes) -> _Tip:
    """Where an origin's chain begins: known in a whole journal, taken on trust in a purged one."""
    return _Tip(origin_seq, prev) if floor else _Tip(0, GENESIS)


def _check_ends(con: sqlite3.Connection, tips: dict[str, _Tip], last: int) -> None:
    head = 0
    ends = con.execute("SELECT origin, origin_seq, seq, chain FROM vector").fetchall()
    for origin, number, seq, chain in ends:
        head = max(head, seq)
        tip = tips.get(origin)
        if tip is not None and (tip.origin_seq, tip.chain) != (number, chain):
            raise corrupt_row(seq, f"the chain of {origin} ends elsewhere")
    if head != last:
        raise corrupt_row(head, f"the last commit here ends at event {last:,}")
