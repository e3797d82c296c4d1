"""Keeping an SQLite write-ahead log in place between two transactions of DuckDB's.

DuckDB opens the lake's catalogue anew for each transaction. The last connection to close locks
everybody out while it folds the log in and deletes it, the first one to open while it recovers it;
whoever comes just then sleeps a whole second, since DuckDB's SQLite knows no shorter nap. A
connection that stays open would prevent both by shared locks. This takes such locks without a
second SQLite library in the process, as locks of an open file description: they neither drop
SQLite's own locks nor are dropped by them. Where the system has none, readers wait as described.
"""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import threading
from pathlib import Path
from typing import Final

__all__ = ["Hold"]

_PLACES: Final = (("", 0x40000000), ("-shm", 128))
"""File suffix and byte: PENDING, without which nobody gets the file alone, and the log's "in use"."""

_DESCRIPTORS: Final = Path("/proc/self/fd")

_File = tuple[int, int]

_IS_SUPPORTED: Final = sys.platform == "linux" and struct.calcsize("P") == 8

if sys.platform == "linux":
    import fcntl

    def _lock(fd: int, kind: int, byte: int) -> None:
        request = struct.pack("hhqqi4x", kind, os.SEEK_SET, byte, 1, 0)
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, request)

    def _share(fd: int, byte: int) -> None:
        _lock(fd, fcntl.F_RDLCK, byte)

    def _unlock(fd: int, byte: int) -> None:
        _lock(fd, fcntl.F_UNLCK, byte)
else:

    def _share(fd: int, byte: int) -> None:
        raise OSError(fd, byte)

    _unlock = _share


class _Shared:
    """The locks of this process: how many want each, and the descriptor that has it.

    A descriptor outlives its last user while this process has the file open elsewhere: closing it
    would drop the locks of whatever SQLite connection that is.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._files: dict[_File, tuple[int, int]] = {}

    def add(self, path: Path, byte: int) -> _File:
        with self._mutex:
            stat = path.stat()
            file = (stat.st_dev, stat.st_ino)
            users, fd = self._files.get(file, (0, -1))
            if fd < 0:
                fd = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
                self._files[file] = (0, fd)
            _share(fd, byte)
            self._files[file] = (users + 1, fd)
        return file

    def drop(self, file: _File, byte: int) -> None:
        with self._mutex:
            users, fd = self._files[file]
            self._files[file] = (users - 1, fd)
            if users == 1:
                _unlock(fd, byte)
            idle = {f: d for f, (n, d) in self._files.items() if n == 0}
            for old in set(idle) - _open_elsewhere(idle):
                del self._files[old]
                os.close(idle[old])


def _open_elsewhere(files: dict[_File, int]) -> set[_File]:
    """Which of the files this process has open under another descriptor than the given one."""
    found: set[_File] = set()
    for path in _DESCRIPTORS.iterdir():
        with contextlib.suppress(OSError):
            fd = int(path.name)
            stat = os.fstat(fd)
            file = (stat.st_dev, stat.st_ino)
            if files.get(file, fd) != fd:
                found.add(file)
    return found


_SHARED: Final = _Shared()


class Hold:
    """The two locks of one database, for as long as something works with it.

    Args:
        path: the SQLite file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._taken: list[tuple[_File, int]] = []

    def take(self) -> None:
        """Take them where the system can: they save time, nothing depends on them.

        Call it while a connection to the database is open, so that its log is known to be sound.
        """
        if not _IS_SUPPORTED or self._taken:
            return
        with contextlib.suppress(OSError):
            for suffix, byte in _PLACES:
                file = _SHARED.add(Path(f"{self._path}{suffix}"), byte)
                self._taken.append((file, byte))

    def release(self) -> None:
        """Let go; may be repeated."""
        while self._taken:
            _SHARED.drop(*self._taken.pop())
