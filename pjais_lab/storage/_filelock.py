"""A fair lock between processes and threads, released by the kernel when its holder dies.

Two files: whoever wants the lock passes a turnstile first and waits for the lock inside it, so the
last holder queues up behind everybody who came before. Waiting for the turnstile happens in the
kernel's own queue (``flock``), on a thread that can be left behind when time runs out; only the one
waiter inside the turnstile polls. SQLite's busy handler, by contrast, starves writers.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pjais_lab.errors import BusyError, InternalError
from pjais_lab.storage._translate import os_error
from pjais_lab.storage.interrupts import interruptible

__all__ = ["FileLock"]

_FIRST_NAP_S: Final = 0.000_05
_LONGEST_NAP_S: Final = 0.002

if sys.platform == "win32":
    import msvcrt

    def _try_lock(fd: int) -> bool:
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _lock(fd: int) -> None:
        while not _try_lock(fd):
            time.sleep(_LONGEST_NAP_S)

    def _unlock(fd: int) -> None:
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _lock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX)

    def _unlock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)


class _Held(threading.local):
    """What the current thread holds."""

    def __init__(self) -> None:
        self.depth = 0
        self.gate: tuple[int, int] | None = None


class FileLock:
    """Mutual exclusion between all processes and threads that name the same file.

    A thread that holds it may take it again.

    Args:
        path: the file to lock; a second one with the suffix ``.queue`` lies beside it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._queue_path = path.with_suffix(".queue")
        self._held = _Held()
        self._idle: deque[tuple[int, int]] = deque()
        self._open: set[int] = set()
        _LOCKS.add(self)

    @property
    def is_held(self) -> bool:
        """Whether the current thread holds the lock."""
        return self._held.depth > 0

    @contextmanager
    def held(self, timeout_s: float) -> Iterator[None]:
        """Hold the lock for a ``with`` block.

        Raises:
            BusyError: somebody else kept it for longer than ``timeout_s``.
            ReadOnlyError: the lock file cannot be written.
        """
        self.acquire(timeout_s)
        try:
            yield
        finally:
            self.release()

    def acquire(self, timeout_s: float) -> None:
        """Take the lock, in the order of asking.

        Raises:
            BusyError: somebody else kept it for longer than ``timeout_s``.
            ReadOnlyError: the lock file cannot be written.
        """
        held = self._held
        if held.depth == 0:
            held.gate = self._enter(time.monotonic() + timeout_s, timeout_s)
        held.depth += 1

    def release(self) -> None:
        """Give the lock back.

        Raises:
            InternalError: this thread does not hold it.
        """
        held = self._held
        if held.gate is None:
            msg = f"The lock {self.path} is released by a thread that does not hold it."
            raise InternalError(msg)
        held.depth -= 1
        if held.depth == 0:
            gate, held.gate = held.gate, None
            _unlock(gate[1])
            self._idle.append(gate)

    def close(self) -> None:
        """Close the files that no thread is using."""
        while self._idle:
            self._drop(self._idle.pop())

    def forget(self) -> None:
        """Start afresh in a forked child, which must not share its parent's lock."""
        for fd in self._open:
            with contextlib.suppress(OSError):
                os.close(fd)
        self._held = _Held()
        self._idle = deque()
        self._open = set()

    def _enter(self, deadline: float, timeout_s: float) -> tuple[int, int]:
        gate = self._gate()
        queue, lock = gate
        if not _try_lock(queue) and not _Wait(queue, self._drop, gate).within(deadline):
            raise self._busy(timeout_s)
        try:
            nap_s = _FIRST_NAP_S
            while not _try_lock(lock):
                if time.monotonic() >= deadline:
                    raise self._busy(timeout_s)
                with interruptible():
                    time.sleep(nap_s)
                nap_s = min(nap_s * 1.1, _LONGEST_NAP_S)
            _unlock(queue)
        except BaseException:
            self._drop(gate)
            raise
        return gate

    def _gate(self) -> tuple[int, int]:
        with contextlib.suppress(IndexError):
            return self._idle.pop()
        fds: list[int] = []
        try:
            for path in (self._queue_path, self.path):
                fds.append(os.open(path, os.O_RDWR | os.O_CREAT, 0o644))  # noqa: PERF401
        except OSError as error:
            for fd in fds:
                os.close(fd)
            raise os_error(error, self.path) from None
        self._open.update(fds)
        return fds[0], fds[1]

    def _drop(self, gate: tuple[int, int]) -> None:
        for fd in gate:
            self._open.discard(fd)
            os.close(fd)

    def _busy(self, timeout_s: float) -> BusyError:
        msg = f"Another process or thread has been writing to {self.path.parent} for over {timeout_s:g} s."
        hint = "Wait for it to finish, or end it if it hangs; nothing was written."
        return BusyError(msg, hint=hint, path=str(self.path), timeout_s=timeout_s)


class _Wait:
    """One wait in the kernel's queue that can be given up."""

    def __init__(
        self, fd: int, drop: Callable[[tuple[int, int]], None], gate: tuple[int, int]
    ) -> None:
        self._fd = fd
        self._drop = drop
        self._gate = gate
        self._mutex = threading.Lock()
        self._granted = threading.Lock()
        self._granted.acquire()
        self._is_granted = self._is_abandoned = False

    def within(self, deadline: float) -> bool:
        """Whether it was granted in time; if not, the files are closed once the kernel grants it."""
        try:
            threading.Thread(target=self._run, name="pjais-lock", daemon=True).start()
            with interruptible():
                self._granted.acquire(timeout=max(0.0, deadline - time.monotonic()))
        except BaseException:
            if self._give_up():
                self._drop(self._gate)
            raise
        return self._give_up()

    def _give_up(self) -> bool:
        with self._mutex:
            self._is_abandoned = not self._is_granted
            return self._is_granted

    def _run(self) -> None:
        _lock(self._fd)
        with self._mutex:
            self._is_granted = True
            if self._is_abandoned:
                self._drop(self._gate)
        self._granted.release()


_LOCKS: weakref.WeakSet[FileLock] = weakref.WeakSet()


def _forget_all() -> None:
    for lock in list(_LOCKS):
        lock.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
