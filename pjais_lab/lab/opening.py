"""``pj.open``."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pjais_lab.core.intent import check_actor
from pjais_lab.core.spelling import spelled
from pjais_lab.errors import WorkspaceNotFoundError
from pjais_lab.lab.lab import Lab
from pjais_lab.lab.parts import Parts
from pjais_lab.lab.registry import built_in

if TYPE_CHECKING:
    from pjais_lab.core.registry import Registry
    from pjais_lab.storage.clock import Clock

__all__ = ["open_lab"]


@spelled
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
        WorkspaceNotFoundError: there is none and ``create`` is False, or the path is none.
        RejectedError: the actor does not say what and who it is.
        FormatVersionError: a newer version wrote it.
        NetworkFilesystemError: it lies on a network filesystem.
        CorruptJournalError: the journal cannot be read.
    """
    check_actor(actor)
    parts = Parts(
        _checked(path),
        registry or built_in(),
        create=create,
        actor=actor,
        background=background,
        clock=clock,
    )
    return Lab(parts)


def _checked(path: Any) -> Path:
    """A path; an empty one would make a workspace of whatever directory this happens to be."""
    is_path = isinstance(path, (str, PathLike)) and isinstance(fspath(path), str)
    if not is_path or not fspath(path).strip() or "\0" in fspath(path):
        msg = f"{path!r} is not the path of a workspace; expected a directory's name."
        raise WorkspaceNotFoundError(msg, hint="Write pj.open('my-lab').")
    return Path(path)
