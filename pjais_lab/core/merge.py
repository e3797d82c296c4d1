"""The algebra: column rules that commute, so that any order of the same events gives one state.

Each merge has a partial state, ``lift`` (one event to a partial), ``combine`` (two partials to
one; associative and commutative over distinct events) and ``value`` (a partial to the column).
This is the reference semantics; ``storage.fold`` compiles the same rules to SQL. The order key is
the event's id, which is unique and sorts by causality (Shapiro et al., "A comprehensive study of
convergent and commutative replicated data types", 2011).
"""

from __future__ import annotations

import json
import typing
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

import msgspec

from pjais_lab.core.event import ENVELOPE_FIELDS, Event, Record, micros
from pjais_lab.errors import DeclarationError

__all__ = [
    "ABSENT",
    "Any_",
    "Count",
    "First",
    "Last",
    "LastMap",
    "LastSet",
    "Max",
    "Merge",
    "Min",
    "Source",
    "Sum",
    "Union",
    "src",
]


class _Absent:
    """The field is not there; unlike an explicit null it contributes nothing."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()
_LISTS: Final = (list, tuple, set, frozenset)
Scalar = str | int | float | bool | None


class Source(msgspec.Struct, frozen=True):
    """Where a column's contribution comes from.

    Attributes:
        event: wire name of the event.
        field: a field of it, an envelope value such as ``$occurred_at``, or None for ``const``.
        const: the value every such event contributes when ``field`` is None.
        is_list: the field holds a list of elements.
    """

    event: str
    field: str | None = None
    const: Scalar = None
    is_list: bool = False

    def read(self, record: Record, args: dict[str, Any]) -> Any:
        """The contribution of a record, or ABSENT."""
        if record.name != self.event:
            return ABSENT
        if self.field is None:
            return self.const
        if self.field.startswith("$"):
            return getattr(record, self.field[1:])
        return args.get(self.field, ABSENT)


def src(event: type[Event], field: str | None = None, *, const: Scalar = None) -> Source:
    """Name a source of a column.

    Args:
        event: the event's class.
        field: one of its fields, or ``$id``, ``$occurred_at``, ``$persona_id``, ``$entity_id``,
            ``$actor``, ``$cause``; None to contribute ``const``.
        const: what every such event contributes.

    Raises:
        DeclarationError: the event has no such field.
    """
    known = (*event.__struct_fields__, *ENVELOPE_FIELDS)
    if field is not None and field not in known:
        msg = f"{event.__event__.name} has no field {field!r}; it has {', '.join(known)}."
        raise DeclarationError(msg, field=field)
    hint = typing.get_type_hints(event).get(field or "")
    kinds = (hint, *typing.get_args(hint))
    is_list = any((typing.get_origin(k) or k) in _LISTS for k in kinds)
    return Source(event.__event__.name, field, const, is_list)


class Merge(msgspec.Struct, frozen=True, tag=True, tag_field="merge"):
    """Base of all merges.

    Attributes:
        type: DuckDB type of the public column.
        sources: where contributions come from.
    """

    type: str
    sources: tuple[Source, ...]

    def all_sources(self) -> tuple[Source, ...]:
        """Every source, whatever its role."""
        return self.sources

    def lift(self, record: Record, args: dict[str, Any]) -> Any:
        """The partial of one event, or ABSENT."""
        for source in self.sources:
            value = source.read(record, args)
            if value is not ABSENT:
                return self.lift_value(record.id, value)
        return ABSENT

    def lift_value(self, order: str, value: Any) -> Any:
        """The partial of one contribution; ``order`` is the event's id."""
        raise NotImplementedError

    def combine(self, a: Any, b: Any) -> Any:
        """The partial of both; neither is ABSENT."""
        raise NotImplementedError

    def value(self, partial: Any) -> Any:
        """The public value; ``partial`` may be ABSENT."""
        return None if partial is ABSENT else partial


class _Ordered(Merge, frozen=True):
    def lift_value(self, order: str, value: Any) -> Any:
        return (order, value)

    def value(self, partial: Any) -> Any:
        return None if partial is ABSENT else partial[1]


class Last(_Ordered, frozen=True):
    """The value written last; an explicit null is a value. Partial: (event id, value)."""

    def combine(self, a: Any, b: Any) -> Any:
        """The later one."""
        return a if a[0] >= b[0] else b


class First(_Ordered, frozen=True):
    """The value written first; an older event that arrives late takes over."""

    def combine(self, a: Any, b: Any) -> Any:
        """The earlier one."""
        return a if a[0] <= b[0] else b


class _Extreme(Merge, frozen=True):
    def lift_value(self, order: str, value: Any) -> Any:
        del order
        if self.type == "TIMESTAMP" and isinstance(value, str):
            return micros(datetime.fromisoformat(value))  # as the envelope's times are
        return ABSENT if value is None else value


class Min(_Extreme, frozen=True):
    """The smallest value; nulls are ignored, text compares by code point."""

    def combine(self, a: Any, b: Any) -> Any:
        """The smaller one."""
        return min(a, b)


class Max(_Extreme, frozen=True):
    """The greatest value; nulls are ignored, text compares by code point."""

    def combine(self, a: Any, b: Any) -> Any:
        """The greater one."""
        return max(a, b)


class Sum(Merge, frozen=True):
    """The exact sum of integers or decimals; floats are refused, since their sum has an order."""

    def __post_init__(self) -> None:
        """Refuse inexact types."""
        if self.type.upper().split("(")[0] in {"DOUBLE", "FLOAT", "REAL"}:
            msg = f"Sum of {self.type} would depend on the order of events; expected an exact type."
            raise DeclarationError(msg, hint="Use BIGINT, or DECIMAL(18, 6).", type=self.type)

    def lift_value(self, order: str, value: Any) -> Any:
        """The contribution itself."""
        del order
        if isinstance(value, str):  # decimals are text in JSON, which has no exact number for them
            value = Decimal(value)
        return ABSENT if value is None else value

    def combine(self, a: Any, b: Any) -> Any:
        """The sum."""
        return a + b

    def value(self, partial: Any) -> Any:
        """Zero when nothing contributed."""
        return 0 if partial is ABSENT else partial


class Count(Merge, frozen=True):
    """How many events there were."""

    def lift_value(self, order: str, value: Any) -> Any:
        """One."""
        del order, value
        return 1

    def combine(self, a: Any, b: Any) -> Any:
        """The sum."""
        return a + b

    def value(self, partial: Any) -> Any:
        """Zero when nothing contributed."""
        return 0 if partial is ABSENT else partial


class Union(Merge, frozen=True):
    """Every element ever seen, sorted; ``type`` is the list's, for example ``VARCHAR[]``."""

    def lift_value(self, order: str, value: Any) -> Any:
        """The elements of a list, or one scalar."""
        del order
        items = value if isinstance(value, list) else [value]
        return tuple(sorted({i for i in items if i is not None}))

    def combine(self, a: Any, b: Any) -> Any:
        """The sorted union."""
        return tuple(sorted({*a, *b}))

    def value(self, partial: Any) -> Any:
        """A list, empty when nothing contributed."""
        return [] if partial is ABSENT else list(partial)


class Any_(Merge, frozen=True, tag="Any"):  # noqa: N801 - `Any` is typing's; exported as Any
    """Whether any contribution was true; never goes back."""

    def lift_value(self, order: str, value: Any) -> Any:
        """The contribution as a bool."""
        del order
        return bool(value)

    def combine(self, a: Any, b: Any) -> Any:
        """Or."""
        return a or b

    def value(self, partial: Any) -> Any:
        """False when nothing contributed."""
        return False if partial is ABSENT else partial


class LastMap(Merge, frozen=True):
    """Per key the value written last; a null value removes the key.

    Sources are fields that hold objects. ``type`` is the map's, ``MAP(VARCHAR, DOUBLE)``.
    Partial: key -> (event id, value); removed keys stay, lest an older event revive them.
    """

    def lift_value(self, order: str, value: Any) -> Any:
        """One entry for each key."""
        return {k: (order, v) for k, v in (value or {}).items()}

    def combine(self, a: Any, b: Any) -> Any:
        """Per key the later one."""
        out = dict(a)
        for key, entry in b.items():
            if key not in out or out[key][0] < entry[0]:
                out[key] = entry
        return out

    def value(self, partial: Any) -> Any:
        """The present keys, sorted."""
        entries = {} if partial is ABSENT else partial
        return {k: v for k, (_, v) in sorted(entries.items()) if v is not None}


class LastSet(Merge, frozen=True):
    """Per element whether it was last added or removed; within one event an addition wins.

    Attributes:
        type: the list's type, ``VARCHAR[]``.
        sources: fields (lists or scalars) whose elements are added.
        removals: fields whose elements are removed.
    """

    removals: tuple[Source, ...] = ()
    OPERATIONS: ClassVar[tuple[str, str]] = ("remove", "add")

    def all_sources(self) -> tuple[Source, ...]:
        """Additions and removals."""
        return (*self.sources, *self.removals)

    def lift(self, record: Record, args: dict[str, Any]) -> Any:
        """Element -> (event id, is present); ABSENT when the event names no elements."""
        out: dict[Any, tuple[str, bool]] = {}
        seen = False
        for sources, present in ((self.removals, False), (self.sources, True)):
            for source in sources:
                value = source.read(record, args)
                if value is ABSENT or value is None:
                    continue
                seen = True
                items = value if isinstance(value, list) else [value]
                out.update({i: (record.id, present) for i in items if i is not None})
        return out if seen else ABSENT

    def combine(self, a: Any, b: Any) -> Any:
        """Per element the later one."""
        out = dict(a)
        for key, entry in b.items():
            if key not in out or out[key] < entry:
                out[key] = entry
        return out

    def value(self, partial: Any) -> Any:
        """The present elements, sorted."""
        entries = {} if partial is ABSENT else partial
        return sorted(k for k, (_, present) in entries.items() if present)


def fold(merge: Merge, records: list[Record]) -> Any:
    """The partial of a set of records: the oracle that compiled SQL is held against."""
    out: Any = ABSENT
    for record in records:
        if record.args is None:
            continue
        part = merge.lift(record, json.loads(record.args))
        if part is not ABSENT:
            out = part if out is ABSENT else merge.combine(out, part)
    return out
