"""Panels of a dashboard: a title, and the view that is made when it is first shown."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from ipywidgets import DOMWidget

from pjais_lab import views as public
from pjais_lab.core.markup import card, line, trouble
from pjais_lab.core.predicate import short
from pjais_lab.core.spelling import near
from pjais_lab.errors import ViewError
from pjais_lab.reactive.selection import Selection
from pjais_lab.views._base import View

if TYPE_CHECKING:
    from pjais_lab.lab.lab import Lab

__all__ = ["Panel", "Slot", "panel", "panels", "placed", "shared_selection", "written"]

_EXPECTED = "expected a view, its class, its name in pj.views, or pj.views.panel(title, class)"


class Panel(msgspec.Struct, frozen=True):
    """What a dashboard shows in one place. Made by ``panel``.

    Attributes:
        title: its name on the dashboard.
        view: what makes it, called as ``view(lab, selection=…)``; or the view itself.
        is_shown: whether it is there from the start; another one is made when somebody opens it.
        keywords: given to ``view``.
    """

    title: str
    view: Any
    is_shown: bool = True
    keywords: Mapping[str, Any] = {}

    def make(self, lab: Lab | None, selection: Selection) -> DOMWidget:
        """The view.

        Raises:
            ViewError: it needs a lab and there is none, or what was made is no view.
        """
        if isinstance(self.view, DOMWidget):
            return self.view
        if lab is None:
            msg = f"The panel {self.title!r} cannot be made without a lab."
            raise ViewError(msg, hint="Write lab.dashboard(views=…), or give a view itself.")
        make = getattr(public, self.view) if isinstance(self.view, str) else self.view
        given = dict(self.keywords)
        if _takes_selection(make):
            given.setdefault("selection", selection)
        made = make(lab, **given)
        if not isinstance(made, DOMWidget):
            msg = f"The panel {self.title!r} was made a {type(made).__name__}; expected a view."
            raise ViewError(msg)
        return made


def panel(title: str, view: Any, *, is_shown: bool = True, **keywords: Any) -> Panel:
    """A place on a dashboard; the view is made when it is first shown.

    Args:
        title: its name on the dashboard.
        view: a view's class or its name in ``pj.views``, called as ``view(lab, selection=…)``
            (without ``selection`` when it takes none); or a view.
        is_shown: whether it is there from the start.
        keywords: given to ``view`` too.

    Raises:
        ViewError: the title is no text, or there is no such view.

    >>> panel("Ada", "PersonaCard", persona="Ada").title
    'Ada'
    """
    _check_title(title)
    if isinstance(view, str) and view not in public.__all__:
        msg = f"pj.views has no view {view!r}."
        raise ViewError(msg, hint=near(view, public.__all__) or None)
    if not isinstance(view, (str, DOMWidget)) and not callable(view):
        msg = f"The panel {title!r} cannot show {short(view)}; {_EXPECTED}."
        raise ViewError(msg)
    return Panel(title, view, is_shown, keywords)


def _check_title(title: Any) -> None:
    if not isinstance(title, str) or not title.strip():
        msg = f"{short(title)} is no title of a panel; expected text."
        raise ViewError(msg)


class Slot:
    """A panel in its place.

    Attributes:
        view: what is shown there, once it was made.
        failure: why it could not be made.
    """

    def __init__(self, given: Panel, row: int) -> None:
        self.panel = given
        self.row = row
        self.view: Any = given.view if isinstance(given.view, DOMWidget) else None
        self.failure: str | None = None

    def open(self, lab: Lab | None, selection: Selection) -> None:
        """Make the view, unless it is there and open; what goes wrong is kept."""
        if self.view is not None and (self.view.comm is not None or self.view is self.panel.view):
            return
        try:
            self.view = self.panel.make(lab, selection)
            self.failure = None
        except Exception as error:  # noqa: BLE001 - shown in its place; the other panels go on
            self.view, self.failure = None, f"{type(error).__name__}: {error}"

    def attend(self, *, is_here: bool) -> None:
        """Let the view rest unless its panel can be seen, or a page shows it elsewhere."""
        if not isinstance(self.view, View):
            return
        if is_here:
            self.view.following.resume()
        elif not self.view.is_shown:
            self.view.following.rest()

    def static(self) -> str:
        """The view as inert HTML, or why there is none."""
        if isinstance(self.view, View):
            return self.view.static()
        return card(self.panel.title, "", trouble(self.failure) or line(repr(self.view)))

    def described(self, *, is_shown: bool) -> dict[str, Any]:
        """What the browser is told."""
        model = None if self.view is None else self.view.model_id
        error = self.failure
        if model is None and error is None and self.view is not None:
            error = "This view was closed. Make it again."
        return {"title": self.panel.title, "model": model, "error": error, "is_shown": is_shown}


def placed(views: Any, known: Mapping[str, Panel]) -> dict[str, Slot]:
    """Title -> slot, from rows of panels, titles of known ones, classes and views.

    Raises:
        ViewError: there is nothing, or something that no panel can show.
    """
    if isinstance(views, str) or not isinstance(views, Sequence) or not views:
        msg = f"A dashboard was given {short(views)}; expected rows of views."
        raise ViewError(msg, hint="Write [[one, other], [third]].")
    slots: dict[str, Slot] = {}
    for number, row in enumerate(views):
        for given in row if isinstance(row, (list, tuple)) else [row]:
            found = _panel_of(given, known)
            name, n = found.title, 1
            while name in slots:
                name = f"{found.title} {(n := n + 1)}"
            slots[name] = Slot(msgspec.structs.replace(found, title=name), number)
    if not slots:
        msg = "A dashboard was given no view."
        raise ViewError(msg, hint="Write [[one, other], [third]].")
    return slots


def _panel_of(given: Any, known: Mapping[str, Panel]) -> Panel:
    if isinstance(given, Panel):
        return given
    if isinstance(given, str):
        if given in known:
            return known[given]
        if given in public.__all__:
            return panel(given, given)
        msg = f"There is no panel {given!r}."
        raise ViewError(msg, hint=near(given, [*known, *public.__all__]) or None)
    if isinstance(given, DOMWidget):
        title = str(getattr(given, "_title", "") or type(given).__name__)
        return Panel(title, given)
    if callable(given):
        return panel(getattr(given, "__name__", "view"), given)
    msg = f"A dashboard cannot show {short(given)}; {_EXPECTED}."
    raise ViewError(msg)


def written(slots: Iterable[Slot], known: Mapping[str, Panel]) -> str | None:
    """The rows as they are typed; None when that cannot be done, as with views made elsewhere."""
    rows: dict[int, list[str]] = {}
    for slot in slots:
        title, view = slot.panel.title, slot.panel.view
        is_known = title in known and known[title].view is view
        if not is_known and not (isinstance(view, str) and title == view):
            return None
        rows.setdefault(slot.row, []).append(title)
    return repr(list(rows.values()))


def shared_selection(given: Any, slots: Iterable[Slot]) -> Selection:
    """The one given, or that of the views that are there already, or a new one.

    Raises:
        ViewError: what is given is no selection.
    """
    if given is not None:
        if not isinstance(given, Selection):
            msg = f"{short(given)} is no selection."
            raise ViewError(msg, hint="Write selection=pj.Selection().")
        return given
    found = (getattr(slot.view, "selection", None) for slot in slots)
    return next((s for s in found if isinstance(s, Selection)), None) or Selection()


def _takes_selection(make: Any) -> bool:
    try:
        parameters = inspect.signature(make).parameters.values()
    except (TypeError, ValueError):
        return True
    return any(p.name == "selection" or p.kind is p.VAR_KEYWORD for p in parameters)


panels: list[list[Panel]] = [
    [panel("Timeline", "Timeline")],
    [panel("Events", "EventLog"), panel("Memories", "MemoryTable")],
    [panel("Personas", "PersonaCompare", is_shown=False)],
    [panel("Time machine", "TimeMachine", is_shown=False)],
    [panel("Lab", "LabStatus", is_shown=False)],
]
"""Rows of what ``lab.dashboard()`` shows. A view of one's own joins it in a line:
``pj.views.panels.append([pj.views.panel("Mine", MyView)])``."""
