"""Every command and option says what it is for."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import click
import pytest

from pjais_lab.cli.main import COMMANDS, cli


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_its_options_have_help(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None

    options: list[Any] = [p for p in command.params if isinstance(p, click.Option)]
    silent = [p.opts[-1] for p in options if not p.help]

    assert command.help
    assert silent == []


def test_help_is_there_without_loading_a_database() -> None:
    code = (
        "import sys\nfrom pjais_lab.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print({'duckdb', 'polars', 'sqlite3', 'traitlets'} & set(sys.modules) or 'light')"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "light"
