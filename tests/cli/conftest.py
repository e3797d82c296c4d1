from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import pjais_lab as pj
from pjais_lab.cli.main import run

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def pjais(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process: exit code, standard output, standard error."""
    monkeypatch.delenv("PJAIS_WORKSPACE", raising=False)

    def call(*args: object) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run([str(a) for a in args])
        out, err = capfd.readouterr()
        return code, out, err

    return call


@pytest.fixture
def ask(pjais: Run) -> Callable[..., Any]:
    """Run a command with --json and read what it prints."""

    def call(*args: object) -> Any:
        code, out, err = pjais(*args, "--json")
        assert code in {0, 1}, err
        return json.loads(out)

    return call


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with two people and three memories, one of them hostile."""
    path = tmp_path / "lab"
    with pj.open(path, background=False) as lab:
        ada = lab.personas.create("Ada")
        bo = lab.personas.create("Bo [red]")
        lab.memories.record(ada, "The engine hums.", importance=0.9)
        lab.memories.record(ada, "\x1b[2Jclear \u202egnp.exe [bold]markup[/bold]")
        lab.memories.record(bo, "Tea at four.")
    return path


@contextmanager
def child(*args: object, **env: str) -> Generator[subprocess.Popen[str]]:
    """``pjais`` in a process of its own, which does not outlive the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "pjais_lab.cli", *map(str, args)],
        cwd=Path(__file__).parents[2],
        env=os.environ | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()
