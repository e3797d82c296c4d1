"""Random logs for any registry, and what its tables must hold by the reference algebra."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from pjais_lab.core.codec import encode, from_fields
from pjais_lab.core.event import Chunk, Event, Record, moment
from pjais_lab.core.ids import IdClock, mint, natural_id, replica_of
from pjais_lab.core.merge import fold
from pjais_lab.core.registry import Registry
from pjais_lab.core.shard import HashRouter
from pjais_lab.core.table import Table
from pjais_lab.storage.duck import connect
from pjais_lab.storage.state import State

REPLICA: Final = "0000000000a"
REPLICAS: Final = (REPLICA, "0000000000b", "fffffffffff")
START_US: Final = 1_700_000_000_000_000
ERASED_EPOCH: Final = 2_000_000_000
PERSONAS: Final = [natural_id("persona", str(n)) for n in range(3)]

Rows = dict[str, dict[str, Any]]

# ---------------------------------------------------------------- content

_TEXT: Final = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6
)
_JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | _TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_TEXT, inner, max_size=2),
    max_leaves=4,
)
_MOMENTS: Final = st.builds(
    lambda at, offset: at.isoformat() + offset,
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)),
    st.sampled_from(["Z", "", "+02:00", "-05:30"]),
)


def _number(kind: Any, *, whole: bool) -> st.SearchStrategy[Any]:
    low = kind.ge if kind.ge is not None else -1000
    high = kind.le if kind.le is not None else 1000
    if whole:
        return st.integers(int(low), int(high))
    return st.floats(low, high, allow_nan=False).map(lambda x: x + 0.0)


def _text(kind: inspect.StrType) -> st.SearchStrategy[str]:
    if kind.pattern is None:
        least, most = kind.min_length or 0, min(kind.max_length or 6, 6)
        return st.text(_TEXT.wrapped_strategy.element_strategy, min_size=least, max_size=most)  # type: ignore[attr-defined]
    if kind.pattern.startswith("^[0-9a-f]{8}-"):
        return st.sampled_from(PERSONAS)
    ascii_only = st.characters(codec="ascii", exclude_characters="\0\n")
    found = st.from_regex(kind.pattern, alphabet=ascii_only)
    return found.map(str.strip).filter(lambda t: 0 < len(t) <= (kind.max_length or 60))


def values_of(kind: inspect.Type) -> st.SearchStrategy[Any]:  # noqa: C901 - one arm for each type
    """JSON values that a type accepts."""
    match kind:
        case inspect.NoneType():
            return st.none()
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType():
            return _number(kind, whole=True)
        case inspect.FloatType():
            return _number(kind, whole=False)
        case inspect.StrType():
            return _text(kind)
        case inspect.DecimalType():
            return st.integers(-(10**9), 10**9).map(lambda n: str(Decimal(n) / 100))
        case inspect.DateTimeType():
            return _MOMENTS
        case inspect.LiteralType(values=choices):
            return st.sampled_from(choices)
        case inspect.EnumType(cls=cls):
            return st.sampled_from([e.value for e in cls])
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            return st.lists(_often_the_same(item), max_size=3)
        case inspect.DictType(key_type=key, value_type=value):
            return st.dictionaries(_often_the_same(key), values_of(value), max_size=2)
        case inspect.UnionType(types=types):
            return st.one_of([values_of(t) for t in types if not _is_unset(t)])
        case inspect.Metadata(type=inner):
            return values_of(inner)
        case inspect.StructType(fields=fields):
            return _struct(fields)
        case inspect.AnyType():
            return _JSON
        case _:
            msg = f"no strategy for {kind}"
            raise TypeError(msg)


def _often_the_same(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """Elements and keys that meet each other, since that is where merges can go wrong."""
    if isinstance(kind, inspect.StrType) and kind.pattern is None:
        return st.sampled_from(["a", "b"]) | _text(kind)
    if isinstance(kind, inspect.IntType):
        return st.integers(0, 2) | values_of(kind)
    return values_of(kind)


def _is_unset(kind: inspect.Type) -> bool:
    return type(kind).__name__ == "UnsetType"


def _struct(fields: Sequence[inspect.Field]) -> st.SearchStrategy[dict[str, Any]]:
    needed = {f.name: values_of(f.type) for f in fields if f.required}
    optional = {f.name: values_of(f.type) for f in fields if not f.required}
    return st.fixed_dictionaries(needed, optional=optional)


def contents(cls: type[Event]) -> st.SearchStrategy[str]:
    """Stored forms of an event: absent and null fields among them."""
    return fields_of(cls).map(lambda fields: encode(from_fields(cls, fields)))


def fields_of(cls: type[Event]) -> st.SearchStrategy[dict[str, Any]]:
    """The fields of an event as JSON values, within their ranges."""
    info = inspect.type_info(cls)
    assert isinstance(info, inspect.StructType)
    return _struct(info.fields)


# ---------------------------------------------------------------- logs


@st.composite
def logs(draw: st.DrawFn, registry: Registry, table: Table, *, most: int = 14) -> list[Record]:
    """Events of several replicas that move a table, in an arbitrary order, epochs small.

    Replicas write in the same millisecond too, so that ids tie but for their last digits. Epochs
    need not follow from effects: the algebra holds for every set of events, and after a
    synchronisation a replica meets epochs in any order.
    """
    names = set(registry.names_for(table))
    classes = [e for n, e in registry.events.items() if n in names or e.__event__.effect == "erase"]
    chosen = draw(st.lists(st.sampled_from(classes), min_size=1, max_size=most))
    ids = draw(_ids(len(chosen)))
    made = [draw(_records(cls, i)) for cls, i in zip(chosen, ids, strict=True)]
    return renumbered(draw(st.permutations(made)))


@st.composite
def _ids(draw: st.DrawFn, count: int) -> list[str]:
    """Ids as several clocks give them that hardly differ."""
    clocks = {replica: IdClock(0, 0, replica) for replica in REPLICAS}
    ids: list[str] = []
    for _ in range(count):
        replica, later_ms = draw(st.sampled_from(REPLICAS)), draw(st.integers(0, 2))
        clocks[replica], (made,) = mint(clocks[replica], START_US // 1000 + later_ms)
        ids.append(made)
    return ids


def renumbered(records: Iterable[Record]) -> list[Record]:
    """The same events as a journal that met them in this order numbers them."""
    return [msgspec.structs.replace(r, seq=n, origin_seq=n) for n, r in enumerate(records, 1)]


@st.composite
def _records(draw: st.DrawFn, cls: type[Event], event_id: str) -> Record:
    spec = cls.__event__
    number = draw(st.sampled_from([0, 0, 0, 1]))
    persona = PERSONAS[number]
    entity = persona if spec.persona == "self" else natural_id(spec.entity or "", str(number))
    epoch = ERASED_EPOCH if spec.effect == "erase" else draw(st.sampled_from([1, 1, 1, 1, 1, 2, 3]))
    args = None if draw(st.integers(0, 15)) == 0 else draw(contents(cls))
    at = START_US + draw(st.integers(-5, 5)) * 1_000_001
    owner = None if spec.persona == "none" else persona
    actor = draw(st.sampled_from(["user:test", "import:it's"]))
    origin = replica_of(event_id)
    return Record(0, event_id, spec.name, entity, owner, epoch, at, origin, 0, actor, None, args)


def cuts(records: Sequence[Record]) -> st.SearchStrategy[list[list[Record]]]:
    """The same records in batches of any sizes."""
    places = st.lists(st.integers(1, max(1, len(records) - 1)), max_size=4, unique=True)
    return places.map(lambda found: _cut(records, sorted(found)))


def _cut(records: Sequence[Record], places: Sequence[int]) -> list[list[Record]]:
    edges = [0, *places, len(records)]
    pieces = [list(records[a:b]) for a, b in zip(edges, edges[1:], strict=False)]
    return [p for p in pieces if p]


def chunk(records: Sequence[Record]) -> Chunk:
    """One commit."""
    last = records[-1]
    return Chunk(records[0].seq, last.seq, last.origin, last.origin_seq, tuple(records))


class Log:
    """Records made by hand, one after the other."""

    def __init__(self) -> None:
        self._clock = IdClock(0, 0, REPLICA)
        self._seq = 0

    def record(
        self,
        event: Event,
        entity: str = "one",
        *,
        epoch: int = 1,
        persona: str = PERSONAS[0],
        name: str | None = None,
        args: str | None = None,
    ) -> Record:
        """The next one; ``name`` and ``args`` stand for what another version of the code wrote."""
        self._clock, (event_id,) = mint(self._clock, START_US // 1000)
        self._seq += 1
        spec = event.__event__
        about = persona if spec.persona == "self" else natural_id(spec.entity or "", entity)
        return Record(
            self._seq,
            event_id,
            name or spec.name,
            about,
            persona,
            epoch,
            START_US + self._seq,
            REPLICA,
            self._seq,
            "user:test",
            None,
            encode(event) if args is None else args,
        )


class Bench:
    """One state for many examples, since making its tables takes longer than an example.

    Args:
        registry: the declarations.
    """

    def __init__(self, registry: Registry) -> None:
        self._state = State(connect(threads=1), registry, HashRouter())

    def after(self, batches: Iterable[Sequence[Record]]) -> State:
        """An empty state that has then applied the batches."""
        state, cursor = self._state, self._state.cursor()
        logs = ("log.tail", "log.upcasted", "log.quarantine", "state._erased")
        for name in (*logs, *(f"state.{t}" for t in state.registry.tables)):
            cursor.execute(f"DELETE FROM {name}")
        state.position, state._has_erased = 0, False
        state._lives.forget()
        for batch in batches:
            state.ingest([chunk(batch)])
        return state


# ---------------------------------------------------------------- the oracle


def expected_rows(table: Table, registry: Registry, records: Iterable[Record]) -> Rows:
    """The public rows of a table, by ``core.merge`` alone."""
    records = list(records)
    erased = {r.persona_id for r in records if _effect(registry, r) == "erase"}
    names = set(registry.names_for(table))
    lives: dict[str, list[Record]] = {}
    for r in records:
        if r.name in names and r.args is not None and r.persona_id not in erased - {None}:
            lives.setdefault(r.entity_id or "", []).append(r)
    rows: Rows = {}
    for entity, events in lives.items():
        newest = max(r.epoch for r in events)
        if newest % 2 == 1:
            final = [r for r in events if r.epoch == newest]
            rows[entity] = {
                name: plain(merge.value(fold(merge, final)), merge.type)
                for name, merge in table.columns.items()
            }
    return rows


def _effect(registry: Registry, record: Record) -> str | None:
    definition = registry.events.get(record.name)
    return definition.__event__.effect if definition else None


def rows_of(table: Table, reader: Any) -> Rows:
    """The public rows of a table, as a query gives them."""
    columns = ", ".join(
        f'"{c}"::VARCHAR AS "{c}"' if m.type in {"UUID", "JSON"} else f'"{c}"'
        for c, m in table.columns.items()
    )
    frame = reader.query(f"SELECT id::VARCHAR AS _id, {columns} FROM {table.name}")
    return {
        row.pop("_id"): {n: plain(v, table.columns[n].type, is_shown=True) for n, v in row.items()}
        for row in frame.to_dicts()
    }


def plain(value: Any, kind: str, *, is_shown: bool = False) -> Any:
    """A value of a column in one form, whether it comes from JSON or from a query."""
    kind = kind.strip()
    if value is None:
        return None
    if kind.endswith("[]"):
        return [plain(v, kind[:-2], is_shown=is_shown) for v in value]
    if kind.startswith("MAP("):
        item = kind[len("MAP(VARCHAR,") : -1]
        pairs = (
            value.items() if isinstance(value, dict) else [(p["key"], p["value"]) for p in value]
        )
        return {k: plain(v, item, is_shown=is_shown) for k, v in pairs}
    if kind == "JSON":
        return json.loads(value) if is_shown else value
    if kind == "TIMESTAMP":
        return _time(value)
    if kind == "DOUBLE":
        return float(value)
    if kind.startswith("DECIMAL"):
        return Decimal(str(value)).quantize(Decimal("0.01"))
    return str(value) if kind == "UUID" else value


def _time(value: Any) -> datetime:
    if isinstance(value, int):
        return moment(value)
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    assert isinstance(value, datetime)
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
