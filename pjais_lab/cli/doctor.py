"""``pjais doctor``: what this machine and workspace are like, and what is wrong with them."""

from __future__ import annotations

import importlib.metadata as metadata
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Literal

import click
import msgspec

from pjais_lab.cli import options
from pjais_lab.cli.exits import Exit
from pjais_lab.cli.terminal import say, write_json
from pjais_lab.errors import LabError

__all__ = ["COMMANDS", "Check"]

Verdict = Literal["ok", "warning", "problem"]
_OLDEST: Final = (3, 11)
_NEWEST: Final = (3, 15)
_ROOM_BYTES: Final = 1 << 30
_SKEW_S: Final = 300


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at.

    Attributes:
        name: what.
        verdict: how it is.
        text: what was seen.
    """

    name: str
    verdict: Verdict
    text: str


@click.command()
@options.workspace
@options.as_json
def doctor(path: Path, is_json: bool) -> Exit:
    """Check this machine and, if there is one, the workspace; exit 1 on problems."""
    checks = list(_checks(path))
    if is_json:
        write_json([msgspec.to_builtins(check) for check in checks])
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            say(f"{check.verdict:<8} {check.name:<{width}}  {check.text}")
    return Exit.PROBLEMS if any(c.verdict == "problem" for c in checks) else Exit.OK


def _checks(path: Path) -> Iterator[Check]:
    yield _python()
    yield from _packages()
    yield from map(_guarded, (_extensions, _journals))
    yield _room(path)
    yield _writable(path)
    yield from _workspace(path)


def _guarded(look: Callable[[], Check]) -> Check:
    try:
        return look()
    except LabError as error:
        return Check(look.__name__.strip("_"), "problem", str(error))


def _python() -> Check:
    fits = _OLDEST <= sys.version_info[:2] < _NEWEST
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return Check("python", "ok" if fits else "problem", text)
