"""Exit codes: which error ends the program with which number."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from pjais_lab import errors

__all__ = ["CODES_HELP", "Exit", "exit_of"]

CODES_HELP: Final = """\b
Exit codes:
  0    done
  1    verify, doctor, rebuild --verify or demo found problems
  2    the command line is wrong
  3    refused; nothing was stored
  4    there is no workspace at the path
  5    another process holds what is needed; try again
  6    files or disk: damaged, full, read-only, newer, on a network
  70   a mistake of PJAIS Lab; please report it
  130  Ctrl-C
  141  whatever read the output went away
"""


class Exit(IntEnum):
    """What a number means; the table is in ``pjais_lab.cli.main``."""

    OK = 0
    PROBLEMS = 1
    USAGE = 2
    REJECTED = 3
    NO_WORKSPACE = 4
    BUSY = 5
    STORAGE = 6
    INTERNAL = 70
    INTERRUPTED = 130
    PIPE_CLOSED = 141


_CODES: Final[tuple[tuple[type[errors.LabError], Exit], ...]] = (
    (errors.WorkspaceNotFoundError, Exit.NO_WORKSPACE),
    (errors.BusyError, Exit.BUSY),
    (errors.ConcurrencyError, Exit.BUSY),
    (errors.LeaseLostError, Exit.BUSY),
    (errors.QueryError, Exit.REJECTED),
    (errors.SnapshotNotFoundError, Exit.REJECTED),
    (errors.StorageError, Exit.STORAGE),
    (errors.EventError, Exit.REJECTED),
    (errors.DomainError, Exit.REJECTED),
    (errors.FormatError, Exit.REJECTED),
)


def exit_of(error: errors.LabError) -> Exit:
    """The exit code of an error; the first class that fits decides."""
    return next((code for cls, code in _CODES if isinstance(error, cls)), Exit.INTERNAL)
