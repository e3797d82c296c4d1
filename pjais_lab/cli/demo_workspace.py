"""Building the demo workspace."""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from pjais_lab.cli.attach import attached
from pjais_lab.errors import RejectedError

__all__ = ["DAYS", "PERSONAS", "SEED", "Stopwatch", "build", "is_built"]

PERSONAS: Final = 12
DAYS: Final = 7
SEED: Final = 1
_BUILT: Final = "The workspace beside this file is built anew by `pjais demo`.\n"
_UNFINISHED: Final = "The workspace beside this file is being built, or was interrupted.\n"


def build(
    path: Path,
    *,
    personas: int = PERSONAS,
    days: int = DAYS,
    seed: int = SEED,
    sources: Sequence[Path] = (),
    clock: Stopwatch | None = None,
) -> dict[str, Any]:
    """Make the demo workspace, in place of the one an earlier demo made.

    Args:
        path: its directory.
        personas: how many people live in the town.
        days: how long.
        seed: which town.
        sources: what to import besides.
        clock: takes the times.

    Raises:
        RejectedError: something is at the path that no demo made.
        FormatError: a source is in no known format.
    """
    import msgspec

    clock = clock or Stopwatch(is_quiet=True)
    _clear(path)
    with attached(path, create=True) as lab:
        with clock.timing("simulate"):
            lab.simulate(personas=personas, days=days, seed=seed)
        events = lab.position
        imports: list[Any] = []
        for source in sources:
            with clock.timing(f"import {source.name}"):
                imports.append(msgspec.to_builtins(lab.load(source, progress=False)))
        with clock.timing("seal"):
            lab.seal()
    _marker(path).write_text(_BUILT, encoding="utf-8")
    return {"workspace": str(path), "simulated_events": events, "imports": imports}


class Stopwatch:
    """Takes the time of steps, and says which one is under way.

    Args:
        is_quiet: say nothing.
    """

    def __init__(self, *, is_quiet: bool) -> None:
        self.seconds: dict[str, float] = {}
        self._is_quiet = is_quiet

    @contextmanager
    def timing(self, step: str) -> Generator[None]:
        """Time the block, and say so on standard error as it begins and ends."""
        if not self._is_quiet:
            click.echo(f"{step} …", err=True, nl=False)
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[step] = round(time.perf_counter() - started, 3)
            if not self._is_quiet:
                click.echo(f" {self.seconds[step]:.1f} s", err=True)


def is_built(path: Path) -> bool:
    """Whether a workspace is there, and not half of one that a demo was interrupted in making."""
    marker = _marker(path)
    is_whole = not marker.is_file() or marker.read_text(encoding="utf-8") != _UNFINISHED
    return is_whole and (path / "workspace.toml").is_file()


def _marker(path: Path) -> Path:
    """A file beside the workspace that says a demo made it."""
    return path.parent / f"{path.name}.demo"


def _clear(path: Path) -> None:
    if path.exists() and any(path.iterdir()):
        if not (_marker(path).is_file() and (path / "workspace.toml").is_file()):
            msg = f"{str(path)!r} holds something that no demo made, so it is left alone."
            raise RejectedError(msg, hint="Name another directory with --workspace.", path=path)
        shutil.rmtree(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _marker(path).write_text(_UNFINISHED, encoding="utf-8")
