"""Options that commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

__all__ = ["as_json", "demo_workspace", "workspace"]

_F = TypeVar("_F", bound=Callable[..., Any])


def workspace(function: _F) -> _F:
    """``-w/--workspace``: the workspace the command works on."""
    return click.option(
        "-w",
        "--workspace",
        "path",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="PJAIS_WORKSPACE",
        default=".",
        show_default="$PJAIS_WORKSPACE, else the current directory",
        help="The workspace's directory.",
    )(function)


def as_json(function: _F) -> _F:
    """``--json``: print JSON, for programs."""
    return click.option(
        "--json", "is_json", is_flag=True, help="Print JSON, also for errors (on standard error)."
    )(function)


def demo_workspace(function: _F) -> _F:
    """``-w/--workspace`` of the commands that work on the demo's own."""
    return click.option(
        "-w",
        "--workspace",
        "path",
        type=click.Path(file_okay=False, path_type=Path),
        default="workspaces/demo",
        show_default=True,
        help="The demo's own workspace.",
    )(function)
