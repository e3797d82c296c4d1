"""The one place where errors of SQLite and the operating system become our own."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Final

from pjais_lab.errors import (
    BusyError,
    ClosedError,
    CorruptJournalError,
    DiskFullError,
    InternalError,
    LabError,
    ReadOnlyError,
    StorageError,
)

__all__ = ["os_error", "sqlite_error"]

_FULL_BYTES: Final = 1 << 20
_FULL_ERRNOS: Final = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG})
_READ_ONLY_ERRNOS: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_TORN: Final = frozenset({sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS})


def sqlite_error(error: sqlite3.Error, path: Path) -> LabError:
    """The error to raise instead of one from SQLite.

    Args:
        error: what SQLite raised.
        path: the database it was about.
    """
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        if isinstance(error, sqlite3.ProgrammingError) and "closed" in str(error):
            return ClosedError(f"The journal {path} was closed while it was being used.")
        return InternalError(f"SQLite was used wrongly on {path}: {error}.", path=str(path))
    primary = code & 0xFF
    if primary == sqlite3.SQLITE_CANTOPEN:
        return _cannot_open(error, path)
    if primary == sqlite3.SQLITE_IOERR:
        return _io_error(error, code, path)
    make = _BY_CODE.get(primary)
    if make is None:
        return InternalError(f"SQLite failed on {path}: {error}.", path=str(path), code=code)
    return make(path, str(error))


def os_error(error: OSError, path: Path) -> LabError:
    """The error to raise instead of one from the operating system.

    Args:
        error: what the operating system reported.
        path: the file or directory it was about.
    """
    reason = error.strerror or str(error)
    if error.errno in _FULL_ERRNOS:
        return _disk_full(path, reason)
    if error.errno in _READ_ONLY_ERRNOS:
        return _read_only(path, reason)
    return StorageError(f"The operating system failed on {path}: {reason}.", path=str(path))


def _disk_full(path: Path, reason: str) -> LabError:
    msg = f"The disk with {path} is full ({reason}); nothing was written."
    hint = "Free some space and try again; what was committed before is safe."
    return DiskFullError(msg, hint=hint, path=str(path))


def _read_only(path: Path, reason: str) -> LabError:
    msg = f"{path} cannot be written ({reason})."
    hint = "Give yourself write permission on the directory, or open a copy of it elsewhere."
    return ReadOnlyError(msg, hint=hint, path=str(path))


def _corrupt(path: Path, reason: str) -> LabError:
    msg = f"The journal {path} is damaged ({reason})."
    hint = "Keep a copy of it, then put back journal.sqlite from a backup."
    return CorruptJournalError(msg, hint=hint, path=str(path))


def _busy(path: Path, reason: str) -> LabError:
    msg = f"Another program keeps {path} locked ({reason})."
    hint = "Close the program that has it open for writing; nothing was written."
    return BusyError(msg, hint=hint, path=str(path))


def _cannot_open(error: sqlite3.Error, path: Path) -> LabError:
    if path.is_dir():
        return _corrupt(path, "it is a directory")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        return _read_only(path, str(error))
    if _is_full(path):
        return _disk_full(path, str(error))
    return StorageError(f"The journal {path} cannot be opened: {error}.", path=str(path))


def _io_error(error: sqlite3.Error, code: int, path: Path) -> LabError:
    if code in _TORN:
        return _corrupt(path, str(error))
    if _is_full(path):
        return _disk_full(path, str(error))
    name = getattr(error, "sqlite_errorname", code)
    msg = f"The disk with {path} failed ({name}); the last commit may not have been stored."
    hint = "Check the disk, then open the lab again: it shows what was stored."
    return StorageError(msg, hint=hint, path=str(path), code=code)


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _FULL_BYTES
    except OSError:
        return False


_BY_CODE: Final = {
    sqlite3.SQLITE_BUSY: _busy,
    sqlite3.SQLITE_LOCKED: _busy,
    sqlite3.SQLITE_PROTOCOL: _busy,
    sqlite3.SQLITE_CORRUPT: _corrupt,
    sqlite3.SQLITE_NOTADB: _corrupt,
    sqlite3.SQLITE_FORMAT: _corrupt,
    sqlite3.SQLITE_FULL: _disk_full,
    sqlite3.SQLITE_PERM: _read_only,
    sqlite3.SQLITE_READONLY: _read_only,
}
