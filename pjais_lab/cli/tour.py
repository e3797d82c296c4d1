"""Run a notebook on a workspace and render it as one HTML file that needs no network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

__all__ = ["run_tour"]

_TIMEOUT_S: Final = 600


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
    from nbconvert import HTMLExporter

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
        client.execute(env=os.environ | {"PJAIS_WORKSPACE": str(workspace.resolve())})
    except CellExecutionError as error:
        problem = f"{error.ename}: {error.evalue}"
    nbformat.write(book, out / notebook.name)
    exporter = HTMLExporter(mathjax_url="", require_js_url="", jquery_url="")
    html, _ = exporter.from_notebook_node(book)
    page = out / f"{notebook.stem}.html"
    page.write_text(html, encoding="utf-8")
    return page.resolve(), problem
