"""Our extension of JupyterLab: launcher, palette, file browser, commands by their ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

import pjais_lab as pj
from tests.browser.conftest import HERE, Notebook, _delete_kernels
from tests.browser.helpers import HOSTILE, from_elsewhere

DASHBOARD = ".pj-view[data-kind=dashboard]"
KERNEL_MS = 30_000  # for a kernel to start and to import us


class LabPage(Notebook):
    """JupyterLab, at first without a notebook; what the page complains of."""

    complaints: list[str]

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
        made.complaints = complaints
        made.visit(address)
        expect(page.locator(".jp-DirListing-item").filter(has_text="town")).to_be_visible()
        return made

    yield visit
    context.close()
    _delete_kernels(server[0])
    assert complaints == []


def test_the_launcher_opens_a_dashboard_in_a_new_notebook(lab_page, folder: Path) -> None:
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

    expect(page.locator(DASHBOARD)).to_contain_text("live", timeout=KERNEL_MS)
    assert found.sources()[0].endswith('lab = pj.open("town")')
    assert (folder / "town.ipynb").is_file()


def test_the_palette_opens_a_lab_with_the_keyboard_alone_and_escape_changes_nothing(
    lab_page, folder: Path
) -> None:
    found = lab_page(f"lab/tree/{folder.name}?reset")
    page, before = found.page, set(folder.iterdir())

    def choose(command: str) -> None:
        page.keyboard.press("Control+Shift+c")
        palette = page.locator(".lm-CommandPalette-input")
        palette.fill(command)
        expect(page.locator(".lm-CommandPalette-item.lm-mod-active")).to_contain_text(command)
        palette.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()

    choose("Follow the Log…")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert set(folder.iterdir()) == before
    choose("Open a Lab…")
    page.keyboard.press("Control+a")
    page.keyboard.type("new place")
    page.keyboard.press("Enter")

    expect(page.locator(".jp-OutputArea-output").last).to_contain_text(
        "new place", timeout=KERNEL_MS
    )
    assert (folder / "new place" / "workspace.toml").is_file()
    assert (folder / "new place.ipynb").is_file()


def test_the_file_browser_offers_it_on_a_folder_with_a_workspace_and_on_no_other(
    lab_page, folder: Path
) -> None:
    found = lab_page(f"lab/tree/{folder.name}?reset")
    page = found.page
    items, menu = page.locator(".jp-DirListing-item"), page.locator(".lm-Menu")
    offer = menu.get_by_text("Open the Lab's Dashboard")

    items.filter(has_text="plain").click(button="right")
    expect(menu.get_by_text("Rename")).to_be_visible()
    expect(offer).to_be_hidden()
    page.keyboard.press("Escape")
    with pj.open(folder / "plain", background=False):
        pass
    page.get_by_role("button", name="Refresh the file browser").first.click()
    items.filter(has_text="town").click(button="right")
    expect(offer).to_be_visible()
    found.shot("context_menu", ".lm-Menu")
    menu.get_by_text("Open as a Lab").click()

    expect(page.locator(".jp-OutputArea-output").last).to_contain_text(
        "1personas", timeout=KERNEL_MS
    )
    assert found.sources()[1] == "lab"
    items.filter(has_text="plain").first.click(button="right")
    expect(offer).to_be_visible()


def test_commands_run_by_their_ids_and_insert_into_the_active_notebook(
    lab_page, folder: Path
) -> None:
    found = lab_page(f"lab/tree/{folder.name}?reset")
    page = found.page

    made = found.lab_command("pjais-lab:open", workspace="town", cwd=folder.name)
    again = found.lab_command("pjais-lab:open", workspace="town", cwd=folder.name)
    found.lab_command("pjais-lab:dashboard", insert=True)

    assert [made, again] == [f"{folder.name}/town.ipynb", f"{folder.name}/town 2.ipynb"]
    expect(page.locator(DASHBOARD)).to_contain_text("live", timeout=KERNEL_MS)
    assert found.sources() == [
        '%load_ext pjais_lab\nimport pjais_lab as pj\n\nlab = pj.open("town")',
        "lab",
        "lab.dashboard()",
    ]
    described = "async (id) => (await jupyterapp.commands.describedBy(id)).args.properties"
    for command in ("pjais-lab:open", "pjais-lab:dashboard", "pjais-lab:log"):
        assert {"workspace", "cwd", "insert", "selected"} == set(found.evaluate(described, command))


def test_frames_that_end_a_cell_are_live_tables_once_that_is_switched_on(
    notebook: Callable[..., Any],
) -> None:
    found = notebook(
        "%load_ext pjais_lab\n%lab frames on\nimport pandas as pd, polars as pl\n"
        f"data = {{'who': ['Ada', 'Bea', {HOSTILE!r}] * 2_000, 'n': range(6_000)}}",
        "pd.DataFrame(data).set_index('who')",
        "pl.DataFrame(data)",
    )
    page = found.page
    found.run_all()

    for kind in ("pandas", "polars"):
        table = page.get_by_role("region", name=f"{kind} frame")
        expect(table.get_by_text("6,000 rows")).to_be_visible()
        expect(table.locator("[aria-rowindex='5']")).to_contain_text("\\u202egpj.exe")
        table.get_by_role("option", name="Bea: 2,000 of 2,000").click()
        expect(table.get_by_text("2,000 of 6,000 rows")).to_be_visible()
        table.get_by_role("grid").focus()
        page.keyboard.press("Control+End")
        cells = table.locator("[aria-rowindex='2002'] [role=gridcell]")
        expect(cells).to_have_text(["Bea", "5998"])
        expect(table.get_by_role("status")).to_contain_text("live")
        expect(table.get_by_role("alert")).to_have_count(0)
        found.shot(f"frame_{kind}", f".pj-view[aria-label='{kind} frame']")
    assert found.evaluate("async () => window.pwned ?? null") is None
    found.execute("%lab frames off")
    found.evaluate(f"async () => {{ {HERE}.content.activeCellIndex = 1; }}")
    found.command("notebook:run-cell")
    expect(page.locator("table.dataframe")).to_have_count(1)
    expect(page.get_by_role("region", name="pandas frame")).to_have_count(0)


def test_the_palette_inserts_the_log_of_the_lab_that_is_open_and_it_follows(
    lab_page, folder: Path
) -> None:
    found = lab_page(f"lab/tree/{folder.name}?reset")
    page = found.page
    found.lab_command("pjais-lab:open", workspace="town", cwd=folder.name)
    expect(page.locator(".jp-OutputArea-output").last).to_contain_text(
        "1personas", timeout=KERNEL_MS
    )

    page.keyboard.press("Control+Shift+c")
    palette = page.locator(".lm-CommandPalette-input")
    palette.fill("Insert the Event Log")
    expect(page.locator(".lm-CommandPalette-item.lm-mod-active")).to_contain_text("Event Log")
    palette.press("Enter")

    log = page.locator(".pj-view[data-kind=event_log]")
    rows = log.locator(".pj-grid-body [role=row]")
    expect(rows).to_have_count(1, timeout=KERNEL_MS)
    assert found.sources()[1:] == ["lab", "pj.views.EventLog(lab)"]
    from_elsewhere(folder / "town")
    expect(rows).to_have_count(2)
    expect(rows.last).to_contain_text("PersonaMoodChanged")
    found.command("notebook:run-cell")  # the cell that was inserted, once more by hand
    expect(log).to_have_count(1)
    expect(rows).to_have_count(2)
    found.execute("lab.memories.record(lab.personas['Ada'], 'The engine hums.')")
    expect(rows.last).to_contain_text("MemoryRecorded")


def test_what_cannot_be_done_is_said_in_one_sentence(lab_page, folder: Path) -> None:
    found = lab_page(f"lab/tree/{folder.name}?reset")

    found.evaluate(
        "async () => { void jupyterapp.commands.execute('pjais-lab:open',"
        " {workspace: 'x', cwd: 'nowhere at all'}); }"
    )

    dialog = found.page.get_by_role("dialog")
    expect(dialog).to_contain_text("PJAIS Lab")
    expect(dialog).to_contain_text('The folder "nowhere at all" cannot be read')
    assert len(found.complaints) == 1
    assert "404" in found.complaints.pop()  # the browser's own
