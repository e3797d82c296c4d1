"""Our extension of JupyterLab: launcher, palette, file browser, commands by their ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

import pjais_lab as pj
from tests.browser.conftest import HERE, Notebook, _delete_kernels
from tests.browser.helpers import faults

STATUS = ".pj-view[data-kind=lab_status]"


class LabPage(Notebook):
    """JupyterLab, at first without a notebook."""

    def visit(self, address: str) -> None:
        self.page.goto(f"{self.base}/{address}")
        self.page.wait_for_function("window.jupyterapp && window.jupyterapp.restored")
        self.evaluate("async () => { await jupyterapp.restored; }")

    def lab_command(self, name: str, seconds: float = 60, **args: Any) -> Any:
        script = "async ([name, args]) => await jupyterapp.commands.execute(name, args)"
        return self.evaluate(script, [name, args], seconds)

    def sources(self) -> list[str]:
        cells = f"{HERE}.content.model.sharedModel.cells"
        return list(self.evaluate(f"async () => {cells}.map(c => c.getSource())"))


@pytest.fixture
def folder(server: tuple[str, Path], request: pytest.FixtureRequest) -> Path:
    """A folder of the server's, with a workspace, a folder that is none, and a file."""
    found = server[1] / request.node.name[:40]
    (found / "plain").mkdir(parents=True)
    with pj.open(found / "town", background=False) as lab:
        lab.personas.create("Ada")
    return found


@pytest.fixture
def lab_page(
    server: tuple[str, Path], browser: Browser, folder: Path
) -> Iterator[Callable[[str], LabPage]]:
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    def visit(address: str) -> LabPage:
        page: Page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        made = LabPage(page, server[0], folder / "none.ipynb")
        made.visit(address)
        return made

    yield visit
    context.close()
    _delete_kernels(server[0])
    assert complaints == []


def test_the_launcher_opens_a_lab_in_a_new_notebook(lab_page, folder: Path) -> None:
    found = lab_page(f"lab/tree/{folder.name}?reset")
    page = found.page
    section = page.locator(".jp-Launcher-section").filter(has_text="PJAIS Lab")
    expect(section.locator(".jp-LauncherCard")).to_have_count(3)
    found.shot("launcher", ".jp-Launcher-body")

    section.get_by_text("Dashboard").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("option[value=town]")).to_be_attached()
    found.shot("open_a_lab", ".jp-Dialog-content")
    dialog.get_by_role("button", name="Open").click()

    expect(page.locator(STATUS)).to_contain_text("live")
    assert found.sources()[0].endswith('lab = pj.open("town")')
    assert (folder / "town.ipynb").is_file()
    assert faults(found) == []
