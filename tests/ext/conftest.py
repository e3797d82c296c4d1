"""A real IPython, without history and without a home of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import pjais_lab as pj


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lab: pj.Lab
) -> Iterator[InteractiveShell]:
    """A shell in which ``lab`` is an open lab and ``%load_ext pjais_lab`` has run."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    quiet = Config(
        {"HistoryManager": {"enabled": False}, "InteractiveShell": {"colors": "nocolor"}}
    )
    made = InteractiveShell.instance(config=quiet, user_ns={"pj": pj, "lab": lab})
    made.run_line_magic("load_ext", "pjais_lab")
    yield made
    made.run_line_magic("unload_ext", "pjais_lab")
    made.restore_sys_module_state()
    InteractiveShell.clear_instance()


@pytest.fixture
def run(shell: InteractiveShell) -> Callable[[str], Any]:
    """Run a cell as a user does; gives its result or raises its error."""

    def call(cell: str) -> Any:
        done = shell.run_cell(cell)
        done.raise_error()
        return done.result

    return call
