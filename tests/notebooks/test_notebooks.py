"""What every notebook of the manual keeps to; that they run is in tests/package."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
WIDEST = 100


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def cells(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(request.param.read_text())["cells"]
    return found


def code(cells: list[dict[str, Any]], *, is_folded: bool) -> list[tuple[str, str]]:
    """Id and text of the cells whose code is folded, or of the others."""
    return [
        (cell["id"], "".join(cell["source"]))
        for cell in cells
        if cell["cell_type"] == "code"
        and bool(cell["metadata"].get("jupyter", {}).get("source_hidden")) == is_folded
    ]


def test_no_output_is_kept(cells: list[dict[str, Any]]) -> None:
    kept = [c["id"] for c in cells if c.get("outputs") or c.get("execution_count")]

    assert kept == []


def test_cells_have_names(cells: list[dict[str, Any]]) -> None:
    names = [c["id"] for c in cells]

    assert len(set(names)) == len(names)
    assert [n for n in names if n[0].isdigit()] == []


def test_code_that_is_read_fits_the_page(cells: list[dict[str, Any]]) -> None:
    shown = code(cells, is_folded=False)

    wide = [f"{n}: {line}" for n, text in shown for line in text.splitlines() if len(line) > WIDEST]

    assert wide == []


def test_what_is_told_is_told_before_it_is_shown(cells: list[dict[str, Any]]) -> None:
    assert cells[0]["cell_type"] == "markdown"
    assert cells[-1]["cell_type"] == "markdown"


def test_nothing_private_is_used(cells: list[dict[str, Any]]) -> None:
    trees = [
        ast.parse(text) for folded in (True, False) for _, text in code(cells, is_folded=folded)
    ]
    attributes = [n.attr for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Attribute)]

    assert [a for a in attributes if a.startswith("_") and not a.endswith("__")] == []


def test_the_manual_begins_with_the_tour() -> None:
    assert NOTEBOOKS[0].name == "00_tour.ipynb"
