"""The tables of journal.sqlite."""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path
from typing import Final

from pjais_lab.core.ids import REPLICA_DIGITS
from pjais_lab.errors import CorruptJournalError, FormatVersionError

__all__ = ["FORMAT_VERSION", "check_format", "create_schema", "new_replica"]

FORMAT_VERSION: Final = 1
_APPLICATION_ID: Final = 0x706A6C61  # "pjla", shown by file(1)

_DDL: Final = f"""
CREATE TABLE commits (
  seq INTEGER PRIMARY KEY,      -- place of the commit's last event
  n INTEGER NOT NULL,           -- how many events
  origin TEXT NOT NULL,         -- the replica that wrote them
  origin_seq INTEGER NOT NULL,  -- the last event's number there
  digest BLOB NOT NULL,         -- SHA-256 of the payload as first stored
  prev BLOB NOT NULL,           -- the origin's chain before this commit
  scrubbed BLOB,                -- digest of the payload after an erasure
  payload TEXT NOT NULL         -- id, name, entity_id, persona_id, epoch, occurred_at, actor, cause, args
);
CREATE TABLE vector (
  origin TEXT PRIMARY KEY,
  origin_seq INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  last_id TEXT NOT NULL,
  chain BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE keys (
  key TEXT PRIMARY KEY,
  seq_first INTEGER NOT NULL,
  seq_last INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE leases (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  token INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  ttl_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE replicas (
  replica TEXT PRIMARY KEY,
  since TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  fingerprint TEXT,
  reason TEXT NOT NULL
);
CREATE VIEW events AS SELECT
  c.seq - c.n + 1 + e.key AS seq,
  json_extract(e.value, '$[0]') AS id,
  json_extract(e.value, '$[1]') AS name,
  json_extract(e.value, '$[2]') AS entity_id,
  json_extract(e.value, '$[3]') AS persona_id,
  json_extract(e.value, '$[4]') AS epoch,
  json_extract(e.value, '$[5]') AS occurred_at,
  c.origin AS origin,
  c.origin_seq - c.n + 1 + e.key AS origin_seq,
  json_extract(e.value, '$[6]') AS actor,
  json_extract(e.value, '$[7]') AS cause,
  json_extract(e.value, '$[8]') AS args
FROM commits c, json_each(c.payload) e;
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {FORMAT_VERSION};
"""


def new_replica() -> str:
    """A replica id nobody has: 44 random bits in hexadecimal."""
    return f"{secrets.randbits(4 * REPLICA_DIGITS):0{REPLICA_DIGITS}x}"


def create_schema(con: sqlite3.Connection) -> None:
    """Make an empty file a journal; the caller holds the writers' lock."""
    con.execute("PRAGMA journal_mode = WAL")
    replica = new_replica()
    con.executescript(
        f"BEGIN IMMEDIATE; {_DDL}"
        f"INSERT INTO meta VALUES ('replica', '{replica}'), ('floor', '0');"
        f"INSERT INTO replicas (replica, reason) VALUES ('{replica}', 'created');"
        "COMMIT;"
    )


def check_format(con: sqlite3.Connection, path: Path) -> bool:
    """Whether the file is a journal that this version reads; False when it is empty.

    Raises:
        FormatVersionError: a newer version wrote it.
        CorruptJournalError: it is something else, or it lost its beginning.
    """
    con.execute("BEGIN")  # all three of one moment: somebody may just be making the file a journal
    try:
        version: int = con.execute("PRAGMA user_version").fetchone()[0]
        application: int = con.execute("PRAGMA application_id").fetchone()[0]
        tables: int = con.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    finally:
        con.execute("COMMIT")
    if tables == 0 and version == 0:
        return False
    if application != _APPLICATION_ID or version < 1:
        msg = (
            f"{path} is not a journal of PJAIS Lab: application {application:#x}, format {version}."
        )
        hint = "Put journal.sqlite back from a backup."
        raise CorruptJournalError(msg, hint=hint, path=str(path))
    if version > FORMAT_VERSION:
        msg = (
            f"The journal {path} has format {version} and this version of PJAIS Lab reads formats"
            f" up to {FORMAT_VERSION}."
        )
        raise FormatVersionError(msg, hint="Update pjais-lab.", found=version, known=FORMAT_VERSION)
    return True
