from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

import pjais_lab as pj

Make = Callable[..., object]
COMMIT = """
import sys, pjais_lab as pj
with pj.open(sys.argv[1], background=False) as lab:
    lab.memories.record(lab.personas["Ada"], "From another process.", kind="fact")
    lab.personas.change_mood("{ada}", "surprise", 88.0)
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A lab with one persona that has a life."""
    path = tmp_path / "town"
    with pj.open(path, background=False) as lab:
        traits = pj.BigFive(openness=92, neuroticism=24, extraversion=61)
        ada = lab.personas.create(
            "Ada", traits=traits, description="Writes programs for an engine."
        )
        for i in range(12):
            lab.memories.record(ada, f"Note {i} on the engine.", kind="fact" if i % 3 else "event")
        for i, emotion in enumerate(["joy", "surprise", "sadness", "joy", "anger", "joy"]):
            lab.personas.change_mood(ada, emotion, [60, 85, 30, 70, 90, 55][i])
    return path


def cells(workspace: Path, *more: str) -> list[str]:
    head = f"import pjais_lab as pj\nlab = pj.open({str(workspace)!r}, background=False)"
    return [head, *more]


CARD = "card = pj.views.PersonaCard(lab, 'Ada')\ncard"
STATUS = "status = pj.views.LabStatus(lab)\nstatus"


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_both_views_render(notebook, workspace: Path, theme: str) -> None:
    book = notebook(*cells(workspace, STATUS, CARD))
    book.theme(theme)

    book.run_all()

    card = book.page.locator(".pj-view[data-kind=persona_card]")
    status = book.page.locator(".pj-view[data-kind=lab_status]")
    expect(card.get_by_role("meter", name="openness")).to_have_attribute("aria-valuenow", "92")
    expect(card.get_by_text("6 changes")).to_be_visible()
    expect(status.get_by_role("table", name="Rows of each table")).to_contain_text("memories12")
    expect(card.get_by_text("live", exact=False).last).to_be_visible()
    name = theme.split()[1].lower()
    book.shot(f"persona_card_{name}", ".pj-view[data-kind=persona_card]")
    book.shot(f"lab_status_{name}", ".pj-view[data-kind=lab_status]")
