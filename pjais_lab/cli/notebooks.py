"""``pjais open | lab``: JupyterLab on a workspace."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final, NoReturn

import click

import pjais_lab
from pjais_lab.cli import options
from pjais_lab.cli.terminal import say, write_json
from pjais_lab.errors import NotFoundError, WorkspaceNotFoundError

__all__ = ["COMMANDS", "TOUR", "notebook_folder"]

TOUR: Final = "00_tour.ipynb"
_OFFLINE: Final = (
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.news_url=None",
)
_SETTINGS: Final = Path(__file__).with_name("jupyter")
"""Defaults for JupyterLab that a user's own settings override: it does not ask to fetch news."""


@click.command("open")
@click.argument("path", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--port", type=click.IntRange(1, 65535), help="Where JupyterLab listens.")
@click.option("--no-browser", is_flag=True, help="Start the server only.")
@options.as_json
def open_(path: Path | None, port: int | None, no_browser: bool, is_json: bool) -> None:
    """Open a workspace in JupyterLab.

    Notebooks find it in $PJAIS_WORKSPACE. Without PATH: the one in $PJAIS_WORKSPACE, else the
    current directory. With --json the command is printed, not run.
    """
    found = path or Path(os.environ.get("PJAIS_WORKSPACE") or ".")
    if not (found / "workspace.toml").is_file():
        msg = f"There is no workspace at {str(found)!r}."
        raise WorkspaceNotFoundError(msg, hint=f"Create it with: pjais init {found}")
    if not is_json:
        say(f"In a notebook: import pjais_lab as pj; lab = pj.open({str(found.resolve())!r})")
    _start(found.resolve().parent, found, port, no_browser=no_browser, is_json=is_json)


@click.command()
@options.demo_workspace
@click.option("--port", type=click.IntRange(1, 65535), help="Where JupyterLab listens.")
@click.option("--no-browser", is_flag=True, help="Start the server only.")
@options.as_json
def lab(path: Path, port: int | None, no_browser: bool, is_json: bool) -> None:
    """Open the notebooks in JupyterLab, on the demo workspace.

    It is built if need be. With --json the command is printed, not run.
    """
    from pjais_lab.cli.demo_workspace import build, is_built

    tour = notebook_folder() / TOUR
    if not is_built(path):
        if not is_json:
            say(f"Building the demo workspace {path} …")
        build(path)
    _start(tour, path, port, no_browser=no_browser, is_json=is_json)


def notebook_folder() -> Path:
    """Where the notebooks lie: beside the package in a checkout, else in the current directory.

    Raises:
        NotFoundError: in neither.
    """
    homes = (Path(pjais_lab.__file__).parents[1], Path.cwd())
    for home in homes:
        if (home / "notebooks" / TOUR).is_file():
            return home / "notebooks"
    msg = f"There is no notebooks/{TOUR} in {homes[0]} or {homes[1]}."
    raise NotFoundError(msg, hint="The notebooks come with the source; run this in a checkout.")


def _start(
    target: Path, workspace: Path, port: int | None, *, no_browser: bool, is_json: bool
) -> None:
    root = target if target.is_dir() else target.parent
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={root}", *_OFFLINE]
    if root != target:  # the address that is printed leads to it as well, not only the browser
        command.append(f"--LabApp.default_url=/lab/tree/{target.name}")
    if port is not None:
        command.append(f"--port={port}")
    if no_browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    env = {"PJAIS_WORKSPACE": str(workspace.resolve()), "JUPYTER_CONFIG_PATH": _config_path()}
    if is_json:
        write_json({"command": command, **env})
    else:
        _become(command, os.environ | env)


def _config_path() -> str:
    """Where Jupyter looks for settings besides its own places: what was there, then ours."""
    before = os.environ.get("JUPYTER_CONFIG_PATH")
    return os.pathsep.join([*([before] if before else []), str(_SETTINGS)])


def _become(command: list[str], env: dict[str, str]) -> NoReturn:
    """Run the command in place of this process, so that signals and its exit code are its own."""
    sys.stdout.flush()
    if os.name == "posix":
        os.execve(command[0], command, env)  # noqa: S606 - our own interpreter
    sys.exit(subprocess.call(command, env=env))  # noqa: S603 - the same


COMMANDS: Final = {"lab": lab, "open": open_}
