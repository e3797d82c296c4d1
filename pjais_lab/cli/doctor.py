"""``pjais doctor``: what this machine and workspace are like, and what is wrong with them."""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Literal

import click

from pjais_lab.cli import options
from pjais_lab.cli.attach import attached, rows_of
from pjais_lab.cli.exits import Exit
from pjais_lab.cli.terminal import say, write_json
from pjais_lab.errors import ExtensionError, LabError

__all__ = ["COMMANDS"]

Verdict = Literal["ok", "warning", "problem", "info"]
Check = tuple[str, Verdict, str]
"""What was looked at, how it is, what was seen."""

_OLDEST: Final = (3, 11)
_TOO_NEW: Final = (3, 15)
_WHEELS: Final = ("duckdb-extension-ducklake", "duckdb-extension-sqlite-scanner")
_OTHERS: Final = ("polars", "pyarrow", "msgspec", "traitlets", "jupyterlab")
_ROOM_BYTES: Final = 1 << 30
_SKEW_S: Final = 300
_SLOW_MS: Final = 100
_TRIALS: Final = 9
_RELEASED: Final = datetime(2026, 1, 1, tzinfo=UTC)


@click.command()
@options.workspace
@options.as_json
def doctor(path: Path, is_json: bool) -> Exit:
    """Check this machine and the workspace.

    Exit 1 on problems. A throwaway workspace is made beside the real one, to see that locks, commits
    and the lake work on that disk.
    """
    checks = list(_checks(path))
    if is_json:
        write_json([dict(zip(("check", "verdict", "text"), c, strict=True)) for c in checks])
    else:
        width = max(len(name) for name, _, _ in checks)
        for name, verdict, text in checks:
            say(f"{verdict:<8} {name:<{width}}  {text}")
    return Exit.PROBLEMS if any(verdict == "problem" for _, verdict, _ in checks) else Exit.OK


def _checks(path: Path) -> Iterator[Check]:
    yield _python()
    yield from _packages()
    yield from _extensions()
    yield _clock()
    home = next(p for p in path.resolve().parents if p.is_dir())
    yield _room(home)
    yield from _trial(home)
    yield from _workspace(path)


def _python() -> Check:
    fits = _OLDEST <= sys.version_info[:2] < _TOO_NEW
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return "python", "ok" if fits else "problem", text


def _packages() -> Iterator[Check]:
    duckdb = _version("duckdb")
    yield "duckdb", "ok" if duckdb else "problem", duckdb or "not installed"
    for name in _WHEELS:
        found = _version(name)
        if found is None:
            yield name, "warning", "no wheel; DuckDB will want to download the extension"
        elif found != duckdb:
            yield name, "problem", f"{found}, but DuckDB is {duckdb}; they must be equal"
        else:
            yield name, "ok", found
    for name in _OTHERS:
        found = _version(name)
        yield name, "ok" if found else "problem", found or "not installed"


def _extensions() -> Iterator[Check]:
    from pjais_lab.storage.duck import connect, load_extension

    con = connect()
    for name in ("sqlite_scanner", "ducklake"):
        try:
            load_extension(con, name)
        except ExtensionError as error:
            yield f"extension {name}", "problem", str(error)
        else:
            yield f"extension {name}", "ok", "loads"
    con.close()


def _clock() -> Check:
    now = datetime.now(UTC)
    text = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if now < _RELEASED:
        return "clock", "problem", f"{text}, which is before this program was written"
    return "clock", "ok", text


def _room(home: Path) -> Check:
    free = shutil.disk_usage(home).free
    text = f"{free / 1e9:,.1f} GB free in {home}"
    return "disk space", "ok" if free >= _ROOM_BYTES else "warning", text


def _trial(home: Path) -> Iterator[Check]:
    """Make a workspace, commit, seal, close: locks, fsync and both databases on this disk."""
    try:
        with (
            tempfile.TemporaryDirectory(prefix=".pjais-doctor-", dir=home) as folder,
            attached(Path(folder) / "trial", create=True) as lab,
        ):
            persona = lab.personas.create("Doctor")
            times = [_timed(lab, persona, n) for n in range(_TRIALS)]
            lab.seal()
    except LabError as error:
        yield "trial workspace", "problem", str(error)
        return
    except OSError as error:
        yield "trial workspace", "problem", f"{home}: {error.strerror}"
        return
    middle = sorted(times)[_TRIALS // 2]
    text = f"commits in {middle:.1f} ms here, and seals"
    yield "trial workspace", "ok" if middle < _SLOW_MS else "warning", text


def _timed(lab: Any, persona: Any, n: int) -> float:
    started = time.perf_counter()
    lab.memories.record(persona, f"Trial {n}.")
    return (time.perf_counter() - started) * 1000


def _workspace(path: Path) -> Iterator[Check]:
    if not (path / "workspace.toml").exists():
        yield "workspace", "info", f"none at {path}"
        return
    try:
        with attached(path) as lab:
            newest = rows_of(lab, "SELECT epoch_ms(max(committed_at)) FROM events")[0][0]
            text = f"{path} at position {lab.position:,}"
            problems = [str(p) for p in lab.verify().problems]
    except LabError as error:
        yield "workspace", "problem", str(error)
        return
    ahead_s = 0.0 if newest is None else newest / 1000 - time.time()
    if ahead_s > _SKEW_S:
        text += f"; its newest event is {ahead_s:,.0f} s in the future of this clock"
    yield "workspace", "problem" if ahead_s > _SKEW_S else "ok", text
    for problem in problems:
        yield "workspace files", "problem", problem
    if not problems:
        yield "workspace files", "ok", "all readable"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


COMMANDS: Final = {"doctor": doctor}
