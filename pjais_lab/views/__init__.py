"""Live views for JupyterLab. Names load when first used: a widget needs anywidget."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pjais_lab.views._acting import ActingView
    from pjais_lab.views._acts import Done, Question, Run, act
    from pjais_lab.views._base import View
    from pjais_lab.views._requests import answer
    from pjais_lab.views.dashboard import Dashboard, panels
    from pjais_lab.views.dashboard.slots import panel
    from pjais_lab.views.event_log import EventLog
    from pjais_lab.views.lab_status import LabStatus
    from pjais_lab.views.memory_table import MemoryTable
    from pjais_lab.views.persona_card import PersonaCard
    from pjais_lab.views.persona_compare import PersonaCompare
    from pjais_lab.views.table import Table
    from pjais_lab.views.time_machine import TimeMachine
    from pjais_lab.views.timeline import Timeline

__all__ = [
    "ActingView",
    "Dashboard",
    "Done",
    "EventLog",
    "LabStatus",
    "MemoryTable",
    "PersonaCard",
    "PersonaCompare",
    "Question",
    "Run",
    "Table",
    "TimeMachine",
    "Timeline",
    "View",
    "act",
    "answer",
    "panel",
    "panels",
]

_HOMES = {
    "ActingView": "_acting",
    "Dashboard": "dashboard",
    "Done": "_acts",
    "EventLog": "event_log",
    "LabStatus": "lab_status",
    "MemoryTable": "memory_table",
    "PersonaCard": "persona_card",
    "PersonaCompare": "persona_compare",
    "Question": "_acts",
    "Run": "_acts",
    "Table": "table",
    "TimeMachine": "time_machine",
    "Timeline": "timeline",
    "View": "_base",
    "act": "_acts",
    "answer": "_requests",
    "panel": "dashboard.slots",
    "panels": "dashboard",
}

if not TYPE_CHECKING:  # lest a type checker believe in every name

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            msg = f"module 'pjais_lab.views' has no attribute {name!r}"
            raise AttributeError(msg, name=name)
        value = getattr(import_module(f"pjais_lab.views.{_HOMES[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return __all__
