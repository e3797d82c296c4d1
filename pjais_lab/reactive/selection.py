"""Selection: what views have picked, each under a name, so that each can follow all the others."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from traitlets import All as AnyTrait
from traitlets import Bunch, HasTraits, TraitType

from pjais_lab.core.markup import card, facts, line, visible
from pjais_lab.core.predicate import Predicate, all_of, short
from pjais_lab.core.spelling import near
from pjais_lab.errors import NotFoundError, QueryError
from pjais_lab.reactive._errors import ReadOnlyTraitError, check_traits, report
from pjais_lab.storage.relation import literal_sql

__all__ = ["Selection"]

Named = Mapping[str, Predicate]


class _Predicates(TraitType[Named, Named]):
    def set(self, obj: HasTraits, value: Named) -> None:
        """Replace all of them."""
        assert isinstance(obj, Selection)
        obj.replace(value)

    def get(self, obj: HasTraits, cls: type[Any] | None = None) -> Any:
        """A copy, which may be changed without harm."""
        return dict(super().get(obj, cls) or {})


class _Sql(TraitType[str, str]):
    def set(self, obj: HasTraits, value: str) -> None:
        """Refuse, unless it is an echo of what is there.

        Raises:
            ReadOnlyTraitError: it is something else.
        """
        if value != self.get(obj):
            msg = "Selection.sql is read-only: it follows the predicates."
            raise ReadOnlyTraitError(msg, hint="Write selection['name'] = pj.Interval(…).")


class Selection(HasTraits):
    """Named predicates that views and code share; a row is selected when all of them hold.

    Each view writes its own name and is filtered by ``where(excluding=…)`` that name. Observers run
    in the thread that made the change, in the order of the changes, and cannot hurt each other.

    Args:
        predicates: the first ones, by name.

    Raises:
        QueryError: a name is no text, or a value no predicate.

    >>> from pjais_lab.core.predicate import Interval, OneOf
    >>> brush = Selection()
    >>> brush["age"] = Interval("age", 18, 30)
    >>> brush["name"] = OneOf("name", ["Ada"])
    >>> print(brush.sql)
    "age" >= 18 AND "age" <= 30 AND "name" IN ('Ada')
    >>> brush.where(excluding="age")
    OneOf(column='name', values=('Ada',))
    """

    predicates = _Predicates({}, help="The predicates by their names; assign to replace them all.")
    sql = _Sql("true", help="The condition for a WHERE clause; ``true`` when nothing is selected.")

    def __init__(self, predicates: Named | None = None) -> None:
        self._lock = threading.RLock()
        self._news: deque[Bunch] = deque()
        self._is_telling = False
        super().__init__()
        if predicates:
            self.replace(predicates)

    # ------------------------------------------------------------ reading
    def where(self, *, excluding: str | None = None) -> Predicate | None:
        """The predicate for all of them; None when nothing is selected.

        Args:
            excluding: a name to leave out, so that a view is not filtered by itself.
        """
        return all_of([p for name, p in self.predicates.items() if name != excluding])

    def __getitem__(self, name: str) -> Predicate:
        """The predicate of a name."""
        found = self.predicates
        if name not in found:
            raise _unknown(name, found)
        return found[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is a predicate of that name."""
        return name in self.predicates

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self.predicates)

    # ------------------------------------------------------------ changing
    def __setitem__(self, name: str, predicate: Predicate | None) -> None:
        """Set one; None takes it away."""
        self.update({name: predicate})

    def __delitem__(self, name: str) -> None:
        """Take one away."""
        self[name]
        self.update({name: None})

    def update(self, predicates: Mapping[str, Predicate | None]) -> None:
        """Set several at once; None takes one away.

        Args:
            predicates: by name.

        Raises:
            QueryError: a name is no text, or a value no predicate; nothing was changed.
        """
        checked = {name: _checked(name, p) for name, p in _items(predicates)}
        with self._lock:
            merged = {**self.predicates, **checked}
            self._put({name: p for name, p in merged.items() if p is not None})
        self._tell()

    def replace(self, predicates: Named) -> None:
        """Have these and no others.

        Args:
            predicates: by name.

        Raises:
            QueryError: a name is no text, or a value no predicate; nothing was changed.
        """
        checked = {name: _checked(name, p) for name, p in _items(predicates)}
        with self._lock:
            self._put({name: p for name, p in checked.items() if p is not None})
        self._tell()

    def clear(self) -> None:
        """Take all of them away."""
        self.replace({})

    # ------------------------------------------------------------ telling
    def observe(
        self,
        handler: Callable[..., Any],
        names: Any = AnyTrait,
        type: Any = "change",  # noqa: A002 - traitlets' own word
    ) -> None:
        """Call ``handler(change)`` when ``predicates`` or ``sql`` changes.

        Args:
            handler: gets ``change.new``, ``change.old`` and ``change.name``.
            names: a trait or several; both if left out.
            type: ``change``; other kinds never happen here.

        Raises:
            ReactiveError: there is no such trait.
        """
        check_traits(self, names)
        super().observe(handler, names, type)

    def _put(self, new: dict[str, Predicate]) -> None:
        values = {"predicates": new, "sql": literal_sql(all_of([*new.values()]))}
        for name, value in values.items():
            old = getattr(self, name)
            if old != value:
                self._trait_values[name] = value
                self._news.append(Bunch(name=name, old=old, new=value, owner=self, type="change"))

    def _tell(self) -> None:
        """Tell the news one by one; a change made by an observer is told after this one."""
        while True:
            with self._lock:
                if self._is_telling or not self._news:
                    return
                self._is_telling, event = True, self._news.popleft()
            try:
                self.notify_change(event)
            finally:
                self._is_telling = False

    def _notify_observers(self, event: Bunch) -> None:
        if event["type"] != "change":
            super()._notify_observers(event)
            return
        for name in (event["name"], AnyTrait):
            by_type = self._trait_notifiers.get(name, {})
            for callback in [*by_type.get("change", []), *by_type.get(AnyTrait, [])]:
                try:
                    callback(event)
                except Exception as error:  # noqa: BLE001 - the other observers are to hear of it too
                    report(error, "a selection", "the selection has changed")

    def __repr__(self) -> str:
        """The names and the condition."""
        names = ", ".join(self) or "nothing"
        return visible(
            f"Selection({names}: {self.sql})" if self.predicates else "Selection(nothing)"
        )

    def _repr_html_(self) -> str:
        """The predicates, one a row; every text in it is inert."""
        rows = [(name, literal_sql(p)) for name, p in self.predicates.items()]
        return card("Selection", "", facts(rows) if rows else line("nothing is selected"))


def _items(given: Any) -> list[tuple[Any, Any]]:
    if not isinstance(given, Mapping):
        msg = f"{short(given)} is no mapping of names to predicates."
        raise QueryError(msg)
    return list(given.items())


def _checked(name: Any, predicate: Any) -> Predicate | None:
    if not isinstance(name, str) or not name:
        msg = f"{short(name)} is no name for a predicate; expected text."
        raise QueryError(msg)
    if predicate is not None and not isinstance(predicate, Predicate):
        msg = f"{short(predicate)}, under {name!r}, is no predicate."
        raise QueryError(msg, hint="Write pj.Interval(…), pj.OneOf(…), pj.Contains(…).")
    return predicate


def _unknown(name: object, known: Named) -> NotFoundError:
    msg = f"Nothing is selected under {short(name)}."
    return NotFoundError(msg, hint=near(str(name), known) or None, name=name)
