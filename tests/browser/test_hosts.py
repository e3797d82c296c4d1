"""The views and the extension in hosts other than JupyterLab: Notebook 7 and marimo."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.browser.conftest import SHOTS, _delete_kernels, _wait_until_up
from tests.browser.helpers import from_elsewhere

NOT_OURS = ("undefined (reading 'schema')", "null (reading 'updateRenderOption')")
"""Notebook 7.6 says so by itself, also without our extension: on its pages, and when its file list
opens a notebook."""
KERNEL_MS = 45_000  # for a kernel to start and to import us
PLACES = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "HOME")
SETUP = """
import pjais_lab as pj, polars as pl
lab = pj.open({path!r}, background=False)
rows = pl.DataFrame({{"n": range(20_000), "who": ["Ada", "Bea"] * 10_000}})
"""
CARD = "card = pj.views.PersonaCard(lab, 'Ada')\ncard"
TABLE = "table = pj.views.Table(rows)\ntable"
APP = """
import marimo

app = marimo.App()


@app.cell
def _():
    import pjais_lab as pj, polars as pl
    lab = pj.open({path!r}, background=False)
    rows = pl.DataFrame({{"n": range(20_000), "who": ["Ada", "Bea"] * 10_000}})
    return lab, pj, rows


@app.cell
def _(lab, pj):
    card = pj.views.PersonaCard(lab, "Ada")
    card
    return


@app.cell
def _(pj, rows):
    table = pj.views.Table(rows)
    table
    return


if __name__ == "__main__":
    app.run()
"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that must not complain."""
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 1300})

    def watch(page: Page) -> None:
        def hear(message: ConsoleMessage) -> None:
            if message.type == "error":
                complaints.append(message.text)

        page.set_default_timeout(15_000)
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(f"{error}\n{error.stack}"))

    context.on("page", watch)
    yield context.new_page()
    context.close()
    assert [c for c in complaints if not any(own in c for own in NOT_OURS)] == []


@contextmanager
def serving(home: Path, status: str, command: list[str]) -> Iterator[str]:
    """A server that runs until the end of the block; gives its address."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    base, log = f"http://127.0.0.1:{port}", home / "server.log"
    env = os.environ | {name: str(home / name) for name in PLACES}
    whole = [sys.executable, "-m", *command, f"--port={port}"]
    with log.open("w") as out, subprocess.Popen(whole, env=env, stdout=out, stderr=out) as child:
        _wait_until_up(f"{base}/{status}", child, log)
        try:
            yield base
            if status.startswith("api"):
                _delete_kernels(base)
        finally:
            child.kill()  # marimo would wait for its pages


@pytest.fixture(scope="module")
def notebook7(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    home = tmp_path_factory.mktemp("notebook7")
    root = home / "root"
    root.mkdir()
    command = [
        *("notebook", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
        *("--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.password="),
        *("--ServerApp.disable_check_xsrf=True", f"--ServerApp.root_dir={root}"),
        "--JupyterNotebookApp.expose_app_in_browser=True",
    ]
    with serving(home, "api/status", command) as base:
        yield base, root


def use(page: Page, bare_workspace: Path, name: str) -> None:
    """The card moves with another process, the table answers, and both say that they are live."""
    card = page.locator(".pj-view[data-kind=persona_card]")
    table = page.locator(".pj-view[data-kind=table]")
    expect(card.get_by_text("The mood has not changed yet.")).to_be_visible(timeout=KERNEL_MS)
    expect(table.get_by_text("20,000 rows")).to_be_visible()

    from_elsewhere(bare_workspace)
    expect(card.get_by_text("surprise 88", exact=True)).to_be_visible()
    table.get_by_role("option", name="Bea: 10,000 of 10,000").click()
    expect(table.get_by_text("10,000 of 20,000 rows")).to_be_visible()
    table.get_by_role("grid").focus()
    page.keyboard.press("Control+End")
    expect(table.locator("[aria-rowindex='10002'] [aria-colindex='1']")).to_have_text("19999")

    for view, kind in ((card, "card"), (table, "table")):
        expect(view.get_by_role("status")).to_contain_text("live")
        expect(view.get_by_role("alert")).to_have_count(0)
        view.screenshot(path=SHOTS / f"{name}_{kind}.png", animations="disabled")


def test_the_views_live_in_notebook_7(
    notebook7: tuple[str, Path], page: Page, bare_workspace: Path
) -> None:
    base, root = notebook7
    cells = [SETUP.format(path=str(bare_workspace)), CARD, TABLE]
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(c) for c in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(book, root / "views.ipynb")

    page.goto(f"{base}/notebooks/views.ipynb")
    page.wait_for_function(
        "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel"
    )
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")

    use(page, bare_workspace, "notebook7")


def test_in_notebook_7_the_palette_opens_a_lab_in_a_tab_where_it_runs(
    notebook7: tuple[str, Path], page: Page, bare_workspace: Path
) -> None:
    base, root = notebook7
    page.goto(f"{base}/tree")
    page.wait_for_function("window.jupyterapp?.commands?.hasCommand('pjais-lab:dashboard')")
    expect(page.locator(".jp-DirListing-content")).to_be_visible()
    page.keyboard.press("Control+Shift+c")
    palette = page.locator(".lm-CommandPalette-input")
    palette.fill("Dashboard…")
    expect(page.locator(".lm-CommandPalette-item.lm-mod-active")).to_contain_text("Dashboard…")
    palette.press("Enter")
    page.get_by_role("dialog").locator("input").fill(str(bare_workspace))

    with page.context.expect_page() as opened:
        page.get_by_role("dialog").get_by_role("button", name="Open").click()

    tab = opened.value
    expect(tab.locator(".pj-view[data-kind=dashboard]")).to_contain_text("live", timeout=KERNEL_MS)
    assert (root / "town.ipynb").is_file()


BOARD = """
import marimo

app = marimo.App()


@app.cell
def _():
    import pjais_lab as pj
    lab = pj.open({path!r}, background=False)
    return lab, pj


@app.cell
def _(lab):
    board = lab.dashboard()
    board
    return


if __name__ == "__main__":
    app.run()
"""


def test_a_dashboard_lives_in_marimo(page: Page, bare_workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(BOARD.format(path=str(bare_workspace)))
    command = ["marimo", "-q", "run", str(tmp_path / "app.py"), "--headless", "--no-token"]

    with serving(tmp_path, "health", [*command, "--host=127.0.0.1"]) as base:
        page.goto(base)
        board = page.locator(".pj-view[data-kind=dashboard]")
        log = board.locator(".pj-view[data-kind=event_log]")
        expect(board.get_by_text("3 of 6 panels")).to_be_visible(timeout=KERNEL_MS)
        expect(log.locator(".pj-grid-body [role=row]")).to_have_count(1)
        from_elsewhere(bare_workspace)
        expect(log.locator(".pj-grid-body [role=row]")).to_have_count(2)
        board.get_by_role("toolbar", name="Panels").get_by_role("button", name="Lab").click()
        expect(board.get_by_role("table", name="Rows of each table")).to_be_visible()
        expect(board.get_by_role("alert")).to_have_count(0)
        page.goto("about:blank")


@pytest.mark.parametrize("mode", ["run", "edit"])
def test_the_views_live_in_marimo(
    page: Page, bare_workspace: Path, tmp_path: Path, mode: str
) -> None:
    (tmp_path / "app.py").write_text(APP.format(path=str(bare_workspace)))
    (tmp_path / "pyproject.toml").write_text("[tool.marimo.runtime]\nauto_instantiate = true\n")
    command = ["marimo", "-q", mode, str(tmp_path / "app.py"), "--headless", "--no-token"]

    with serving(tmp_path, "health", [*command, "--host=127.0.0.1"]) as base:
        page.goto(base)
        use(page, bare_workspace, f"marimo_{mode}")
        page.goto("about:blank")
