"""What a user gets: wheel and sdist, built and installed where nothing else is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Run = Callable[..., str]


@pytest.fixture(scope="session")
def run() -> Run:
    """Run a command that must succeed; gives what it printed."""

    def call(*args: object, cwd: Path, **env: str) -> str:
        kept = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PJAIS_WORKSPACE"}}
        command_line = [str(a) for a in args]
        done = subprocess.run(
            command_line, cwd=cwd, env=kept | env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command_line}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    return call


@pytest.fixture(scope="session")
def uv() -> str:
    own = ROOT / ".tools" / "bin" / "uv"
    found = str(own) if own.is_file() else shutil.which("uv")
    assert found, "make puts uv into .tools; run the tests with 'make test'"
    return found


@pytest.fixture(scope="session")
def built(uv: str, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist."""
    out = tmp_path_factory.mktemp("dist")
    run(uv, "build", "--quiet", "--python", sys.executable, "--out-dir", out, cwd=ROOT)
    return out


@pytest.fixture(scope="session")
def environment(uv: str, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make a virtual environment with some packages and nothing else; gives its ``bin``."""

    def make(*packages: object) -> Path:
        folder = tmp_path_factory.mktemp("environment")
        bin_ = folder / ".venv" / ("Scripts" if os.name == "nt" else "bin")
        run(uv, "venv", "--quiet", "--python", sys.executable, folder / ".venv", cwd=folder)
        pinned = ["--constraint", ROOT / "constraints.txt"]
        run(
            uv,
            "pip",
            "install",
            "--quiet",
            "--python",
            bin_ / "python",
            *pinned,
            *packages,
            cwd=folder,
        )
        return bin_

    return make
