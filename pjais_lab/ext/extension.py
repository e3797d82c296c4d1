"""Loading and unloading: what is registered with IPython, and taken back."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Final

import polars as pl
from IPython.core.interactiveshell import InteractiveShell

from pjais_lab.ext._answers import Answers
from pjais_lab.ext._completion import matcher
from pjais_lab.ext._frames import Frames
from pjais_lab.ext._moving import Stage, cell_of
from pjais_lab.ext.magic import LabMagic
from pjais_lab.reactive.live_query import LiveQuery

__all__ = ["load_ipython_extension", "unload_ipython_extension"]

Undo = Callable[[], None]
_KINDS: Final = ("line", "cell")
_LOADED: Final[weakref.WeakKeyDictionary[InteractiveShell, list[Undo]]] = (
    weakref.WeakKeyDictionary()
)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """``%load_ext pjais_lab``: ``%lab`` and ``%%lab`` with completion; live queries move."""
    unload_ipython_extension(shell)
    stage, answers = Stage(), Answers()
    frames = Frames(shell, stage)
    magic = LabMagic(shell, stage, answers, frames)
    undo = [_magic(shell, magic), _completion(shell), stage.clear, magic.close, frames.close]
    undo += [
        _printer(shell, "text/html", pl.DataFrame, answers.html),
        _printer(shell, "text/plain", pl.DataFrame, answers.text),
    ]
    if getattr(shell, "kernel", None) is not None:  # a terminal cannot redraw what it has printed
        undo += [_moving(shell, stage), _cells(shell, stage)]
    _LOADED[shell] = undo


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """``%unload_ext pjais_lab``: everything as it was."""
    for step in reversed(_LOADED.pop(shell, [])):
        step()


def _magic(shell: InteractiveShell, magic: LabMagic) -> Undo:
    manager: Any = shell.magics_manager
    registered = manager.magics
    before = {kind: registered[kind].get("lab") for kind in _KINDS}
    manager.register_function(magic.function, "line_cell", "lab")

    def undo() -> None:
        for kind, function in before.items():
            if function is None:
                registered[kind].pop("lab", None)
            else:
                registered[kind]["lab"] = function

    return undo


def _completion(shell: InteractiveShell) -> Undo:
    matchers: Any = shell.Completer.custom_matchers
    ours = matcher(shell)
    matchers.append(ours)
    return lambda: matchers.remove(ours)


def _printer(
    shell: InteractiveShell, mime: str | None, kind: type, show: Callable[..., Any]
) -> Undo:
    """Show objects of a kind in our way, unless the user has one already."""
    formatter: Any = shell.display_formatter
    of = formatter.ipython_display_formatter if mime is None else formatter.formatters[mime]
    printers: dict[type, Any] = of.type_printers
    printers.setdefault(kind, show)

    def undo() -> None:
        if printers.get(kind) is show:
            del printers[kind]

    return undo


def _moving(shell: InteractiveShell, stage: Stage) -> Undo:
    def show(live: LiveQuery) -> None:
        stage.show(live, cell_of(shell))

    return _printer(shell, None, LiveQuery, show)


def _cells(shell: InteractiveShell, stage: Stage) -> Undo:
    def begin(_info: object) -> None:
        stage.begin(cell_of(shell))

    shell.events.register("pre_run_cell", begin)
    return lambda: shell.events.unregister("pre_run_cell", begin)
