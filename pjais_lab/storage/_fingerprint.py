"""What tells a file from its copies: machine, device, inode and moment of birth.

A rename keeps all of it; a copy, a restored backup and a move to another disk do not. The moment
of birth is needed because filesystems give a deleted file's inode to the next one.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import struct
import sys
from pathlib import Path
from typing import Final

__all__ = ["fingerprint"]

_MACHINE_IDS: Final = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_AT_FDCWD: Final = -100
_STATX_BTIME: Final = 0x800
_STATX_BYTES: Final = 256
_BTIME: Final = struct.Struct("=I76xqI")  # stx_mask, then stx_btime at byte 80


def fingerprint(path: Path) -> str:
    """The fingerprint of an existing file.

    Raises:
        FileNotFoundError: there is none.
    """
    stat = path.stat()
    return f"{_machine()}:{stat.st_dev:x}:{stat.st_ino:x}:{_birth_ns(path, stat):x}"


def _machine() -> str:
    if sys.platform != "linux":
        return platform.node()
    for path in _MACHINE_IDS:
        with contextlib.suppress(OSError):
            return path.read_text(encoding="ascii").strip()
    return ""


def _birth_ns(path: Path, stat: os.stat_result) -> int:
    """When the file was made; 0 where the filesystem does not say. Never opens the file.

    Opening and closing it would drop SQLite's POSIX locks in this process.
    """
    if sys.platform == "win32":
        return stat.st_ctime_ns
    seconds: float | None = getattr(stat, "st_birthtime", None)
    if seconds is not None:
        return round(seconds * 1e9)
    try:
        statx = ctypes.CDLL(None, use_errno=True).statx
    except (AttributeError, OSError):
        return 0
    buffer = ctypes.create_string_buffer(_STATX_BYTES)
    if statx(_AT_FDCWD, os.fsencode(path), 0, _STATX_BTIME, buffer) != 0:
        return 0
    mask: int
    whole: int
    rest: int
    mask, whole, rest = _BTIME.unpack_from(buffer)
    return whole * 1_000_000_000 + rest if mask & _STATX_BTIME else 0
