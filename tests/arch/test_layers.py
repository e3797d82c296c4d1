"""What the import contracts in pyproject.toml cannot say."""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import Any

import pytest

HEAVY = ("anywidget", "duckdb", "IPython", "msgspec", "polars", "pyarrow", "sqlite3", "traitlets")
IMPORT_BUDGET_S = 0.05


def test_the_core_imports_the_standard_library_and_msgspec_only(package: list[Any]) -> None:
    allowed = sys.stdlib_module_names | {"msgspec", "pjais_lab"}

    foreign = {
        f"{s.path}: {name}"
        for s in package
        if s.path.startswith(("pjais_lab/core/", "pjais_lab/errors"))
        for name in _imported(s.tree)
        if name.split(".")[0] not in allowed
    }

    assert foreign == set()


@pytest.mark.parametrize("name", HEAVY)
def test_importing_the_package_leaves_heavy_modules_alone(name: str) -> None:
    assert _child(f"import pjais_lab, sys; print({name!r} in sys.modules)") == "False"


def test_importing_the_package_cold_takes_less_than_50_ms() -> None:
    code = "from time import perf_counter as t; a = t(); import pjais_lab; print(t() - a)"

    best = min(float(_child(code)) for _ in range(5))

    assert best < IMPORT_BUDGET_S


def _imported(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def _child(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()
