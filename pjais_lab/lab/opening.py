"""``pj.open``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pjais_lab.lab.lab import Lab
from pjais_lab.lab.parts import Parts
from pjais_lab.lab.registry import built_in

if TYPE_CHECKING:
    from pjais_lab.core.registry import Registry
    from pjais_lab.storage.clock import Clock

__all__ = ["open_lab"]


def open_lab(
    path: str | Path,
    *,
    create: bool = True,
    actor: str | None = None,
    registry: Registry | None = None,
    background: bool = True,
    clock: Clock | None = None,
) -> Lab:
    """Open a workspace; made first if there is none.

    Any number of kernels and processes may have the same workspace open.

    Args:
        path: the workspace's directory, on a local disk.
        create: make it when there is none.
        actor: who commits unless a commit says otherwise; ``user:`` and the login name if None.
        registry: declarations besides events and tables of the package; the built-in ones if None.
        background: seal the journal into the lake by itself, as it grows and ages.
        clock: the wall clock; tests bring their own.

    Returns:
        The lab, showing everything committed so far.

    Raises:
        WorkspaceNotFoundError: there is none, and ``create`` is False.
        FormatVersionError: a newer version wrote it.
        NetworkFilesystemError: it lies on a network filesystem.
        CorruptJournalError: the journal cannot be read.
    """
    parts = Parts(
        path,
        registry or built_in(),
        create=create,
        actor=actor,
        background=background,
        clock=clock,
    )
    return Lab(parts)
