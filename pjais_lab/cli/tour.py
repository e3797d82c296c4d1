"""Run a notebook on a workspace and render it as one HTML file that needs no network."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from pathlib import Path
from typing import Any, Final

__all__ = ["run_tour"]

_TIMEOUT_S: Final = 600
_GLANCE_S: Final = 1.0
_TEMPLATE: Final = "tour.html.j2"
_PAGE: Final = """
{%- extends 'lab/index.html.j2' -%}
{% block html_head_js %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}
{% block input_group %}
{%- if cell.metadata.get('jupyter', {}).get('source_hidden') -%}
<details class="folded"><summary>the code of this</summary>{{ super() }}</details>
{%- else -%}{{ super() }}{%- endif -%}
{% endblock %}
{% block extra_css %}
<style>
body.jp-Notebook {max-width: 60rem; margin: 0 auto; padding: 1rem; box-sizing: border-box}
.jp-Notebook .jp-RenderedHTMLCommon {font-size: 15px; line-height: 1.6; overflow-x: auto}
.highlight pre {overflow-x: auto}
.jp-RenderedSVG img {max-width: 100%; height: auto}
.folded > summary {cursor: pointer; color: #5f7080; font: 12px sans-serif; padding: .2rem 0 .2rem 5rem}
@media (max-width: 40rem) {
  .jp-Notebook .jp-InputPrompt, .jp-Notebook .jp-OutputPrompt {display: none}
  .folded > summary {padding-left: .5rem}
}
</style>
{% endblock %}
"""


def run_tour(notebook: Path, workspace: Path, out: Path) -> tuple[Path, str | None]:
    """Run a notebook headless.

    Args:
        notebook: the notebook; not changed.
        workspace: what it works on, given to it in ``$PJAIS_WORKSPACE``.
        out: the directory for the notebook with its outputs and the HTML.

    Returns:
        The HTML, and what went wrong if a cell failed; it is rendered all the same.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    out.mkdir(parents=True, exist_ok=True)
    book: Any = nbformat.read(notebook, as_version=4)
    client = NotebookClient(
        book,
        timeout=_TIMEOUT_S,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(out)}},
    )
    problem: str | None = None
    try:
        _execute(client, os.environ | {"PJAIS_WORKSPACE": str(workspace.resolve())})
    except CellExecutionError as error:
        problem = f"cell {_failed(book)!r}: {error.ename}: {error.evalue}"
    nbformat.write(book, out / notebook.name)
    page = out / f"{notebook.stem}.html"
    page.write_text(_rendered(book), encoding="utf-8")
    return page.resolve(), problem


def _execute(client: Any, env: dict[str, str]) -> None:
    """Run in a thread of its own: in the main one nbclient would take Ctrl-C, and break on it."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(client.async_execute(env=env))
    thread = threading.Thread(target=_finish, args=(loop, task), name="pjais-tour", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_GLANCE_S)
    except KeyboardInterrupt:
        client.shutdown_kernel = "immediate"
        with contextlib.suppress(RuntimeError):  # it has just ended
            loop.call_soon_threadsafe(task.cancel)
        thread.join()
        raise
    task.result()


def _finish(loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
    with contextlib.suppress(BaseException):  # whoever asks for the result gets it
        loop.run_until_complete(task)
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def _failed(book: Any) -> str:
    outputs = ((cell, output) for cell in book.cells for output in cell.get("outputs", ()))
    return next((str(c.id) for c, output in outputs if output.output_type == "error"), "?")


def _rendered(book: Any) -> str:
    """One page with every picture and style inside; code that only draws is folded."""
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(extra_loaders=[DictLoader({_TEMPLATE: _PAGE})], template_file=_TEMPLATE)
    html, _ = exporter.from_notebook_node(book)
    return str(html)
