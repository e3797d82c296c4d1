"""Telling other processes that the journal has grown: datagrams as push, a slow poll as net.

A listener binds a Unix datagram socket in a directory beside the journal. The message is only a
hint: whoever gets it reads the journal. Where there are no such sockets, the poll alone remains.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import selectors
import socket
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from pjais_lab.errors import ClosedError, LabError

__all__ = ["POLL_S", "Listener", "Notifier"]

POLL_S: Final = 0.25
"""How often a listener looks for itself, should a datagram have been lost."""

_SUN_PATH: Final = 100  # macOS takes 103 bytes, Linux 107
_SUFFIX: Final = ".sock"
_NAME_BYTES: Final = len(f"{2**22}-{'0' * 8}{_SUFFIX}")
_DATAGRAM: Final = 64


class Notifier:
    """Tells every registered listener of a journal; may be used by any thread.

    Args:
        directory: where listeners register, beside the journal.
        head: the journal's head, read by the listeners' poll; must be cheap.
    """

    def __init__(self, directory: Path, head: Callable[[], int]) -> None:
        self.directory = _socket_directory(directory.absolute())
        self._head = head
        self._sender: tuple[int, socket.socket] | None = None
        self._mutex = threading.Lock()
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._is_closed

    def notify(self, head: int) -> None:
        """Say that the journal has reached ``head``; never waits, never fails.

        A listener that is gone is removed; one that is not keeping up has a hint waiting already.
        """
        with self._mutex:
            names = self._registered()
            sender = self._socket() if names else None
            if sender is not None:
                for name in names:
                    _send(sender, f"{self.directory}/{name}", b"%d" % head)

    def listen(self) -> Listener:
        """Register; close the listener when done.

        Raises:
            ClosedError: the notifier was closed.
        """
        if self._is_closed:
            msg = "This notifier is closed."
            raise ClosedError(msg, hint="Open the lab again.")
        return Listener(self.directory, self._head)

    def close(self) -> None:
        """Stop telling. May be repeated."""
        with self._mutex:
            self._is_closed = True
            if self._sender is not None:
                self._sender[1].close()
                self._sender = None

    def _registered(self) -> list[str]:
        try:
            with os.scandir(self.directory) as entries:
                return [e.name for e in entries if e.name.endswith(_SUFFIX)]
        except OSError:
            return []

    def _socket(self) -> socket.socket | None:
        if self._is_closed:
            return None
        if self._sender is None or self._sender[0] != os.getpid():
            made = _unix_socket()
            if made is None:
                return None
            self._sender = (os.getpid(), made)
        return self._sender[1]


class Listener:
    """Waits for the journal to grow. One thread waits; any thread may wake it.

    Args:
        directory: where to register.
        head: the journal's head, read every quarter of a second.
    """

    def __init__(self, directory: Path, head: Callable[[], int]) -> None:
        self._head = head
        self._seen = head()
        self._is_closed = False
        self._mutex = threading.Lock()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.settimeout(0)
        self._wake_out.settimeout(0)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake_in, selectors.EVENT_READ)
        self._path, self._socket = _register(directory)
        if self._socket is not None:
            self._selector.register(self._socket, selectors.EVENT_READ)

    @property
    def is_push(self) -> bool:
        """Whether datagrams arrive here; if not, only the poll works."""
        return self._socket is not None

    def wait(self, timeout_s: float | None = None) -> bool:
        """Sleep until the journal may have grown since the last ``wait``.

        Args:
            timeout_s: give up after so long; None means never.

        Returns:
            True after a datagram, a changed head or ``wake()``, and when the head cannot be read,
            so that the reader meets the error; False when time ran out.

        Raises:
            ClosedError: the listener was closed.
        """
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            left_s = POLL_S if end is None else max(0.0, min(POLL_S, end - time.monotonic()))
            with self._mutex:
                self._check_open()
                is_told = self._select(left_s)
            if self._has_grown() or is_told:
                return True
            if end is not None and time.monotonic() >= end:
                return False

    def wake(self) -> None:
        """Make ``wait`` return, now or when it is next called."""
        with contextlib.suppress(OSError):
            self._wake_out.send(b"w")

    def close(self) -> None:
        """Unregister; a thread that waits gets ClosedError. May be repeated."""
        if self._is_closed:
            return
        self._is_closed = True
        self.wake()
        with self._mutex:
            if self._path is not None:
                with contextlib.suppress(OSError):
                    Path(self._path).unlink()
            self._selector.close()
            for made in (self._wake_in, self._wake_out, self._socket):
                if made is not None:
                    made.close()

    def __enter__(self) -> Self:
        """Registered already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _check_open(self) -> None:
        if self._is_closed:
            msg = "This listener is closed."
            raise ClosedError(msg)

    def _select(self, timeout_s: float) -> bool:
        ready = self._selector.select(timeout_s)
        for key, _ in ready:
            _drain(key.fileobj)
        return bool(ready)

    def _has_grown(self) -> bool:
        try:
            head = self._head()
        except LabError:
            return True
        has_grown, self._seen = head != self._seen, head
        return has_grown


def _unix_socket() -> socket.socket | None:
    family = getattr(socket, "AF_UNIX", None)
    if family is None:
        return None
    try:
        made = socket.socket(family, socket.SOCK_DGRAM)
    except OSError:
        return None
    made.settimeout(0)
    return made


def _socket_directory(directory: Path) -> Path:
    """``directory``, or a short temporary one when the path of a socket in it would be too long."""
    if len(os.fsencode(directory)) + 1 + _NAME_BYTES <= _SUN_PATH:
        return directory
    digest = hashlib.sha256(os.fsencode(directory.resolve())).hexdigest()[:16]
    user = os.getuid() if hasattr(os, "getuid") else 0
    # Not TMPDIR, which differs between processes; _is_ours() checks who made the directory.
    return Path("/tmp") / f"pjais-{user}-{digest}"  # noqa: S108


def _register(directory: Path) -> tuple[str | None, socket.socket | None]:
    made = _unix_socket()
    if made is None:
        return None, None
    path = f"{directory}/{os.getpid()}-{secrets.token_hex(4)}{_SUFFIX}"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_ours(directory):
            made.close()
            return None, None
        made.bind(path)
    except OSError:
        made.close()
        return None, None
    return path, made


def _is_ours(directory: Path) -> bool:
    """Whether nobody else made the directory first, as anybody can in ``/tmp``."""
    found = directory.lstat()
    return stat.S_ISDIR(found.st_mode) and (
        not hasattr(os, "getuid") or found.st_uid == os.getuid()
    )


def _send(sender: socket.socket, path: str, message: bytes) -> None:
    try:
        sender.sendto(message, path)
    except ConnectionRefusedError:
        with contextlib.suppress(OSError):
            Path(path).unlink()
    except OSError:
        return  # gone already, not ours, or its queue is full: then it has a hint waiting


def _drain(fileobj: object) -> None:
    if isinstance(fileobj, socket.socket):
        with contextlib.suppress(OSError):
            while fileobj.recv(_DATAGRAM):
                pass
