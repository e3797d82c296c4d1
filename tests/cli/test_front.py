from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from pjais_lab import errors
from pjais_lab.cli.exits import Exit, exit_of
from pjais_lab.cli.main import COMMANDS, cli
from tests.cli.conftest import Run, child

FRONT = sys.modules["pjais_lab.cli.main"]


def command(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_in_the_list_what_it_says_itself(name: str) -> None:
    own = command(name).get_short_help_str(limit=200)

    assert own == COMMANDS[name][1]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_every_command_has_help_and_json_is_among_them(name: str) -> None:
    options = [p for p in command(name).params if isinstance(p, click.Option)]

    assert [o.name for o in options if not o.help] == []
    assert "--json" in {flag for o in options for flag in o.opts}


def test_the_exit_codes_in_the_docstring_are_the_ones_in_use() -> None:
    table = re.findall(r"^(\d+) +[\w`]", FRONT.__doc__ or "", re.MULTILINE)

    assert [int(code) for code in table] == [int(code) for code in Exit]


def test_the_help_says_what_each_exit_code_means(pjais: Run) -> None:
    told = pjais("--help")[1].partition("Exit codes:")[2]

    assert [int(code) for code in re.findall(r"^ +(\d+)  +\w", told, re.MULTILINE)] == list(Exit)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.RejectedError, 3),
        (errors.NotFoundError, 3),
        (errors.FormatError, 3),
        (errors.QueryError, 3),
        (errors.SnapshotNotFoundError, 3),
        (errors.UnknownEventError, 3),
        (errors.WorkspaceNotFoundError, 4),
        (errors.BusyError, 5),
        (errors.ConcurrencyError, 5),
        (errors.LeaseLostError, 5),
        (errors.CorruptJournalError, 6),
        (errors.CorruptSegmentError, 6),
        (errors.DiskFullError, 6),
        (errors.ReadOnlyError, 6),
        (errors.FormatVersionError, 6),
        (errors.NetworkFilesystemError, 6),
        (errors.InternalError, 70),
    ],
)
def test_each_error_ends_with_its_own_code(error: type[errors.LabError], code: int) -> None:
    assert exit_of(error("x")) == code


def test_nothing_to_do_prints_the_help(pjais: Run) -> None:
    code, out, _ = pjais()

    assert code == 0
    assert "simulate" in out


def test_a_misspelt_command_is_answered_with_the_near_one(pjais: Run) -> None:
    code, out, err = pjais("simulte")

    assert (code, out) == (2, "")
    assert "Did you mean 'simulate'?" in err


def test_errors_are_json_when_json_is_asked_for(pjais: Run, tmp_path: Path) -> None:
    code, out, err = pjais("status", "-w", tmp_path / "none", "--json")

    assert (code, out) == (4, "")
    assert json.loads(err)["error"]["type"] == "WorkspaceNotFoundError"
    assert json.loads(err)["error"]["exit_code"] == 4


def test_completion_offers_commands(tmp_path: Path) -> None:
    env = {"_PJAIS_COMPLETE": "bash_complete", "COMP_WORDS": "pjais s", "COMP_CWORD": "1"}

    with child(**env) as process:
        out, _ = process.communicate(timeout=60)

    assert {line.split(",")[-1] for line in out.split()} == {"seal", "simulate", "status"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_is_for_pjais(pjais: Run, shell: str) -> None:
    code, out, _ = pjais("completion", shell)

    assert code == 0
    assert "_PJAIS_COMPLETE" in out


SLOW = "duckdb polars pyarrow rich traitlets msgspec jupyterlab".split()


@pytest.mark.parametrize("args", [["--help"], ["query", "--help"], ["demo", "--help"]])
def test_help_loads_nothing_slow(args: list[str]) -> None:
    code = f"""
import sys
from pjais_lab.cli.main import run
run({args!r})
print("loaded:", [m for m in {SLOW!r} if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_help_takes_less_than_150_ms_of_processor_time(tmp_path: Path) -> None:
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = str(tmp_path)
    command_line = [sys.executable, "-m", "pjais_lab.cli", "--help"]
    times: list[float] = []

    for _ in range(12):
        before = os.times()
        subprocess.run(command_line, env=env, capture_output=True, check=True)
        after = os.times()
        times.append(after.children_user - before.children_user)
        times[-1] += after.children_system - before.children_system

    assert min(times) < 0.150
