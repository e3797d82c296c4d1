"""PJAIS Lab: a laboratory bench for AI personas.

Names load when first used, so importing this package imports neither DuckDB nor a widget.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # type checkers take it for typing's, whose import would be most of ours
if TYPE_CHECKING:
    from pjais_lab import errors, views
    from pjais_lab.core.event import Draft, Event, Record, event
    from pjais_lab.core.merge import Any_ as Any
    from pjais_lab.core.merge import Count, First, Last, LastMap, LastSet, Max, Min, Sum, Union, src
    from pjais_lab.core.predicate import Contains, Interval, IsNull, Matches, OneOf
    from pjais_lab.core.registry import Registry
    from pjais_lab.core.table import Table
    from pjais_lab.core.upcast import Upcaster
    from pjais_lab.errors import LabError
    from pjais_lab.lab.lab import Lab
    from pjais_lab.lab.opening import open_lab as open
    from pjais_lab.lab.past import PastLab
    from pjais_lab.personas import BigFive, PersonaModel
    from pjais_lab.reactive.computed import computed
    from pjais_lab.reactive.live_query import LiveQuery
    from pjais_lab.reactive.selection import Selection

# fmt: off
__all__ = [
    "Any", "BigFive", "Contains", "Count", "Draft", "Event", "First", "Interval", "IsNull", "Lab",
    "LabError", "Last", "LastMap", "LastSet", "LiveQuery", "Matches", "Max", "Min", "OneOf",
    "PastLab", "PersonaModel", "Record", "Registry", "Selection", "Sum", "Table", "Union",
    "Upcaster", "computed", "errors", "event", "open", "src", "views",
]
# fmt: on
__version__ = "0.1.0"

_MODULES = {
    "lab.opening": "open",
    "lab.lab": "Lab",
    "lab.past": "PastLab",
    "personas": "BigFive PersonaModel",
    "reactive.computed": "computed",
    "reactive.live_query": "LiveQuery",
    "reactive.selection": "Selection",
    "core.predicate": "Contains Interval IsNull Matches OneOf",
    "core.event": "Draft Event Record event",
    "core.merge": "Any Count First Last LastMap LastSet Max Min Sum Union src",
    "core.registry": "Registry",
    "core.table": "Table",
    "core.upcast": "Upcaster",
    "errors": "LabError",
    "ext.extension": "load_ipython_extension unload_ipython_extension",
    "": "errors views",
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names.split()}
_RENAMED = {"Any": "Any_", "open": "open_lab"}

if not TYPE_CHECKING:  # lest a type checker believe in every name

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            msg = f"module 'pjais_lab' has no attribute {name!r}"
            raise AttributeError(msg, name=name)
        home = _HOMES[name]
        if home:
            value = getattr(import_module(f"pjais_lab.{home}"), _RENAMED.get(name, name))
        else:
            value = import_module(f"pjais_lab.{name}")
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return [*__all__, "__version__"]
