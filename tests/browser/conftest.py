"""A real JupyterLab once a session, a real Chromium once a file; a notebook page a test."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Page, Request, Route, sync_playwright

import pjais_lab as pj

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "out" / "browser"
HERE = "jupyterapp.shell.currentWidget"
AROUND_PX = 300
"""So much of a window is JupyterLab's own."""
LOCAL = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "about:")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --disable-dev-shm-usage"
).split()
OVERRIDES = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/docmanager-extension:plugin": {
        "autosave": False,
        "renameUntitledFileOnSave": False,
    },
}


def chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("PJAIS_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    assert found, "no Chromium here: run 'make chromium'"
    return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker("browser")


class Notebook:
    """One notebook, open in one page."""

    def __init__(self, page: Page, base: str, path: Path) -> None:
        self.page, self.base, self.path = page, base, path
        self.strangers: list[str] = []

    def evaluate(self, function: str, arg: object = None, seconds: float = 30) -> Any:
        """What an async function of the page gives; Playwright itself would wait for ever."""
        race = f"""async ([arg, ms, what]) => {{
            const late = new Promise((_, no) => setTimeout(() => no(new Error(`late: ${{what}}`)), ms));
            return await Promise.race([({function})(arg), late]);
        }}"""
        return self.page.evaluate(race, [arg, seconds * 1000, function])

    def open(self) -> None:
        self.page.goto(f"{self.base}/lab/tree/{self.path.name}?reset")
        self.page.wait_for_function("window.jupyterapp && window.jupyterapp.restored")
        self.evaluate("async () => { await jupyterapp.restored; }")
        self.page.wait_for_function("jupyterapp.shell.currentWidget?.context?.isReady")

    def start_kernel(self) -> None:
        self.evaluate(f"async () => {{ await {HERE}.sessionContext.ready; }}")
        self.page.wait_for_function(f"{HERE}.sessionContext.session?.kernel?.status === 'idle'")

    def command(self, name: str, seconds: float = 30) -> None:
        self.evaluate("async (name) => { await jupyterapp.commands.execute(name); }", name, seconds)

    def run_all(self) -> None:
        self.command("notebook:run-all-cells")

    def start_running(self) -> None:
        """Run all cells without waiting for them."""
        self.evaluate("async () => { void jupyterapp.commands.execute('notebook:run-all-cells'); }")

    def execute(self, code: str) -> None:
        """Run code in the kernel beside the notebook, and wait for it."""
        self.evaluate(
            f"""async (code) => {{
                const reply = await {HERE}.sessionContext.session.kernel.requestExecute({{code}}).done;
                if (reply.content.status !== 'ok') throw new Error(reply.content.evalue);
            }}""",
            code,
        )

    def restart_kernel(self) -> None:
        self.evaluate(f"async () => {{ await {HERE}.sessionContext.restartKernel(); }}")

    def save(self) -> None:
        self.command("docmanager:save")

    def saved(self) -> dict[str, Any]:
        return dict(json.loads(self.path.read_text()))

    def shutdown_kernel(self) -> None:
        self.evaluate(f"async () => {{ await {HERE}.sessionContext.shutdown(); }}")

    def kinds(self) -> list[str]:
        return list(self.evaluate(f"async () => {HERE}.content.widgets.map(w => w.model.type)"))

    def theme(self, name: str) -> None:
        script = "async (t) => { void jupyterapp.commands.execute('apputils:change-theme', {theme: t}); }"
        self.evaluate(script, name)
        is_light = "true" if "Light" in name else "false"
        self.page.wait_for_selector(f"body[data-jp-theme-light='{is_light}']", state="attached")

    def shot(self, name: str, selector: str = ".pj-view") -> Path:
        SHOTS.mkdir(parents=True, exist_ok=True)
        path = SHOTS / f"{name}.png"
        found, size = self.page.locator(selector).first, self.page.viewport_size
        box = found.bounding_box()
        high = int(box["height"]) + AROUND_PX if box else 0
        if size and high > size["height"]:  # the notebook's window would cut it
            self.page.set_viewport_size({"width": size["width"], "height": high})
            self.page.wait_for_timeout(300)
        found.screenshot(path=path, animations="disabled")
        if size:
            self.page.set_viewport_size(size)
        return path


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A JupyterLab of its own: address and notebook folder."""
    home = tmp_path_factory.mktemp("jupyter")
    notebooks = home / "notebooks"
    settings = home / "JUPYTER_CONFIG_DIR" / "labconfig"
    for folder in (notebooks, settings):
        folder.mkdir(parents=True)
    (settings / "default_setting_overrides.json").write_text(json.dumps(OVERRIDES))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    lab_places = ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR", "HOME")
    env = os.environ | {name: str(home / name) for name in (*places, *lab_places)}
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
        *(f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token=''"),
        *("--ServerApp.password=''", "--ServerApp.disable_check_xsrf=True"),
        *(f"--ServerApp.root_dir={notebooks}", "--LabApp.news_url="),
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        *("--LabApp.extension_manager=readonly", "--LabApp.expose_app_in_browser=True"),
    ]
    log = home / "server.log"
    base = f"http://127.0.0.1:{port}"
    with log.open("w") as out, subprocess.Popen(command, env=env, stdout=out, stderr=out) as child:
        _wait_until_up(f"{base}/api/status", child, log)
        yield base, notebooks
        _delete_kernels(base)
        child.send_signal(signal.SIGTERM)
        child.wait(20)


def _wait_until_up(address: str, child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert child.poll() is None, log.read_text()[-3000:]
        try:
            urllib.request.urlopen(address, timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"JupyterLab did not start: {log.read_text()[-3000:]}")


def _delete_kernels(base: str) -> None:
    with urllib.request.urlopen(f"{base}/api/kernels") as answer:
        kernels = json.load(answer)
    for kernel in kernels:
        address = f"{base}/api/kernels/{kernel['id']}"
        urllib.request.urlopen(urllib.request.Request(address, method="DELETE")).close()


# For a file, not the session: while it is open an event loop runs, which other tests must not meet.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def notebook(
    server: tuple[str, Path], browser: Browser, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Notebook]]:
    """Write a notebook of some cells, open it, start its kernel."""
    base, folder = server
    opened: list[Notebook] = []
    context = browser.new_context(viewport={"width": 1280, "height": 1400})

    def make(*cells: str) -> Notebook:
        book = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(c) for c in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},  # asks nobody
        )
        path = folder / f"{request.node.name.split('[')[0][:60]}_{len(opened)}.ipynb"
        nbformat.write(book, path)
        page = context.new_page()
        page.set_default_timeout(15_000)
        found = Notebook(page, base, path)
        opened.append(found)

        def guard(route: Route, asked: Request) -> None:
            if asked.url.startswith(LOCAL):
                route.continue_()
            else:
                found.strangers.append(asked.url)
                route.abort()

        page.route("**/*", guard)
        found.open()
        found.start_kernel()
        return found

    yield make
    strangers = [url for book in opened for url in book.strangers]
    context.close()
    _delete_kernels(base)
    assert strangers == [], "a view asked the network for something"


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


@pytest.fixture
def book(notebook: Callable[..., Notebook], workspace: Path) -> Callable[..., Notebook]:
    """Open a notebook whose first cell opens the lab."""
    head = f"import pjais_lab as pj\nlab = pj.open({str(workspace)!r}, background=False)"
    return lambda *cells: notebook(head, *cells)
