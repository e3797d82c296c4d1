"""What every notebook of the manual keeps to. That the tour runs is in tests/package."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from pjais_lab.cli.tour import run_tour

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


def shown_by(path: Path) -> dict[str, str]:
    """What each cell of a notebook shows, by its id."""
    book: Any = nbformat.read(path, as_version=4)
    return {
        c.id: "".join(o.get("text", "") + str(o.get("data", "")) for o in c.outputs)
        for c in book.cells
        if c.cell_type == "code"
    }


def cells_of(shown: str) -> list[str]:
    """The cells of the tables in it."""
    return re.findall(r"<td[^>]*>(.*?)</td>", shown)


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
    python = TransformerManager().transform_cell  # magics become calls
    texts = [text for folded in (True, False) for _, text in code(cells, is_folded=folded)]
    trees = [ast.parse(python(text)) for text in texts]
    attributes = [n.attr for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Attribute)]

    assert [a for a in attributes if a.startswith("_") and not a.endswith("__")] == []


def test_the_manual_begins_with_the_tour() -> None:
    assert NOTEBOOKS[0].name == "00_tour.ipynb"


def test_the_notebook_on_events_shows_what_it_tells(tmp_path: Path) -> None:
    _, problem = run_tour(FOLDER / "01_events.ipynb", tmp_path / "unused", tmp_path)

    shown = shown_by(tmp_path / "01_events.ipynb")
    rows = {name: cells_of(text) for name, text in shown.items()}
    assert problem is None
    assert rows["state"] == ["Ada", "80.0", "joy", "70.0", "2"]
    assert rows["rebuild"].count("the same") == 6
    assert "feels fear, 40 of 100" in shown["changes"]
    assert rows["at-four"] == ["Ada", "joy", "70.0", "2"]
    assert re.findall("joy|fear", shown["course"]) == ["joy", "fear", "fear"] * 2
    assert rows["in-the-world"][:2] == ["Mary", "A comet over the harbour."]
    assert rows["on-the-machine"] == ["0"]
    assert rows["asked"] == ["The engine hums.", "0.8"]
    assert "The importance 7 lies outside its scale 0-1." in shown["refusals"]
    assert "True" in shown["refusals"]
    assert "at event 11" in shown["tail"]
    assert "sound" in shown["verify"]
    assert not (tmp_path / "unused").exists()


def test_the_notebook_on_extending_shows_what_it_tells(tmp_path: Path) -> None:
    _, problem = run_tour(FOLDER / "09_extending.ipynb", tmp_path / "unused", tmp_path)

    shown = shown_by(tmp_path / "09_extending.ipynb")
    assert problem is None
    assert cells_of(shown["ask"])[:4] == ["Ada", "Emma", "125", "474"]
    assert "field 'pages': expected `int`, got `str`" in shown["refused"]
    assert "does not say which book it is about" in shown["refused"]
    assert cells_of(shown["tuesday"]) == ["Emma", "65", "2"]
    assert "140 of 754 pages" in shown["value"]
    assert re.findall(r"\d+", " ".join(cells_of(shown["upcast"])[3:])) == ["182", "20", "0", "0"]
    assert "{'v2.PagesRead': 1}" in shown["unknown"]


def test_the_notebook_on_live_queries_shows_what_it_tells(tmp_path: Path) -> None:
    _, problem = run_tour(FOLDER / "02_live.ipynb", tmp_path / "unused", tmp_path)

    shown = shown_by(tmp_path / "02_live.ipynb")
    assert problem is None
    assert "True" in shown["observe"]
    assert "(1," in shown["wait"]
    assert "'fear': 2" in shown["wait"]
    assert "Waits for letters." in shown["link-moves"]
    assert '"importance" >= 0.7' in shown["filtered"]
    for cell in ("filtered", "brushed"):
        (pair,) = re.findall(r"\((\d+), (\d+)\)", shown[cell])
        assert pair[0] == pair[1] != "0"
    for view in ("timeline", "event-log", "memories", "board"):
        assert "as of" in shown[view]
        assert "application/vnd.jupyter.widget-view+json" in shown[view]
    assert "(False, False)" in shown["page"]
