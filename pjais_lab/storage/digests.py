"""Digests of the lake's files: how a flipped bit is found, since Parquet readers don't look.

Kept in ``digests.b2`` beside the catalogue, in the format of coreutils: ``b2sum -c digests.b2``
checks the lake without this package.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from pjais_lab.errors import CorruptSegmentError
from pjais_lab.storage.duck import translated

__all__ = ["Digests"]

_HINT: Final = "Restore the file from a backup, then run `pjais verify`."


class Digests:
    """The list of digests of one lake.

    Args:
        directory: the lake's folder.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / "digests.b2"
        self._directory = directory

    def read(self) -> dict[Path, str]:
        """The digests by file; empty when there is no list yet."""
        try:
            lines = self.path.read_text("utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return {}
        pairs = (line.split("  ", 1) for line in lines if "  " in line)
        return {self._directory / name: digest for digest, name in pairs}

    def update(self, files: Iterable[tuple[Path, int]]) -> int:
        """Add the files that have no digest yet, drop those that are gone.

        A file that is not as long as the catalogue says gets none: it is damaged already.

        Args:
            files: paths and sizes according to the catalogue.

        Returns:
            How many were added.

        Raises:
            DiskFullError: the list could not be written; the old one is still there.
        """
        known = self.read()
        kept: dict[Path, str] = {}
        added = 0
        for path, size in files:
            digest = known.get(path)
            if digest is None and path.is_file() and path.stat().st_size == size:
                digest, added = digest_of(path), added + 1
            if digest is not None:
                kept[path] = digest
        if kept != known:
            self._write(kept)
        return added

    def _write(self, digests: dict[Path, str]) -> None:
        lines = [f"{d}  {p.relative_to(self._directory)}\n" for p, d in sorted(digests.items())]
        draft = self.path.with_suffix(".tmp")
        with translated("writing the lake's digests"):
            with draft.open("w", encoding="utf-8") as file:
                file.writelines(lines)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)

    def first_damage(
        self, files: Iterable[tuple[Path, int]], *, deep: bool = True
    ) -> CorruptSegmentError | None:
        """The first damaged file, as an error to raise; None when all are sound.

        Args:
            files: paths and sizes according to the catalogue.
            deep: read the files; otherwise only presence and size are looked at.
        """
        return next(self.damages(files, deep=deep), None)

    def damages(
        self, files: Iterable[tuple[Path, int]], *, deep: bool = True
    ) -> Iterator[CorruptSegmentError]:
        """All damaged files, as errors.

        Args:
            files: paths and sizes according to the catalogue.
            deep: read the files; otherwise only presence and size are looked at.
        """
        known = self.read() if deep else {}
        for path, size in files:
            reason = _damage(path, size, known.get(path))
            if reason:
                msg = f"The lake's file {path} {reason}."
                yield CorruptSegmentError(msg, hint=_HINT, path=str(path))


def digest_of(path: Path) -> str:
    """BLAKE2b-512 of a file, as ``b2sum`` prints it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()


def _damage(path: Path, size: int, digest: str | None) -> str | None:
    try:
        actual = path.stat().st_size
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if actual != size:
        return f"is {actual:,} bytes long where the catalogue says {size:,}"
    try:
        is_altered = digest is not None and digest_of(path) != digest
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "was altered: its digest is not the one it was sealed with" if is_altered else None
