from __future__ import annotations

import datetime as dt
import io
import subprocess
import sys
import threading
import time
from decimal import Decimal
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

import pjais_lab as pj
from pjais_lab.views._transport import encode
from tests.views.conftest import Wire
from tests.views.counter import Counter

MOMENT = dt.datetime(2026, 11, 26, 1, 2, 3, 456)
INTEGERS = [
    getattr(pl, f"{sign}{bits}") for sign in ("Int", "UInt") for bits in (8, 16, 32, 64, 128)
]
NEW: dict[str, Any] = {  # in newer versions of polars
    "Float16": lambda kind: pl.Series([1.5, None]).cast(kind),
    "Map": lambda kind: pl.Series([{"a": 1}, None], dtype=kind(pl.String, pl.Int64)),
}
COLUMNS: dict[str, pl.Series] = {
    **{str(t): pl.Series([1, None, 3], dtype=t) for t in INTEGERS},
    **{t: make(getattr(pl, t)) for t, make in NEW.items() if hasattr(pl, t)},
    "f32": pl.Series([1.5, None, float("nan")], dtype=pl.Float32),
    "f64": pl.Series([1.5, float("inf"), -0.0]),
    "decimal": pl.Series([Decimal("1.10"), None], dtype=pl.Decimal(38, 2)),
    "bool": pl.Series([True, None]),
    "text": pl.Series(["a", None, "\u202e"]),
    "binary": pl.Series([b"\x00\xff", None]),
    "date": pl.Series([MOMENT.date(), None]),
    **{f"moment {u}": pl.Series([MOMENT, None], dtype=pl.Datetime(u)) for u in ("ms", "us", "ns")},
    "moment utc": pl.Series([MOMENT, None], dtype=pl.Datetime("us", "UTC")),
    "duration": pl.Series([dt.timedelta(hours=1), None]),
    "time": pl.Series([dt.time(1, 2), None]),
    "category": pl.Series(["a", None, "a"], dtype=pl.Categorical),
    "enum": pl.Series(["a", None], dtype=pl.Enum(["a", "b"])),
    "null": pl.Series([None, None]),
    "list": pl.Series([[1, 2], None, []]),
    "list of days": pl.Series([[MOMENT.date()], None]),
    "array": pl.Series([[1, 2], None], dtype=pl.Array(pl.Int8, 2)),
    "struct": pl.Series([{"a": 1, "b": "x"}, None]),
    "struct of decimals": pl.Series([{"a": Decimal(1)}, None]),
    "object": pl.Series([object(), None], dtype=pl.Object),
}
READABLE = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_null)
READABLE += (pa.types.is_string, pa.types.is_large_string, pa.types.is_timestamp)


def readable(kind: pa.DataType) -> bool:
    if pa.types.is_large_list(kind) or pa.types.is_list(kind):
        return readable(kind.value_type)
    if pa.types.is_struct(kind):
        return all(readable(field.type) for field in kind)
    return any(check(kind) for check in READABLE)


@pytest.mark.parametrize("name", COLUMNS)
def test_every_type_of_column_reaches_the_browser_as_something_it_reads(name: str) -> None:
    said, buffers = encode({"frame": COLUMNS[name].to_frame("x")})

    found = pa.ipc.open_stream(buffers[said["frame"]["arrow"]]).read_all()

    assert readable(found.schema.field("x").type)
    is_null = [v is None for v in found["x"].to_pylist()]
    assert is_null == COLUMNS[name].is_null().to_list()


def test_the_list_of_types_is_whole() -> None:
    abstract = "BaseExtension DataType Extension FloatType IntegerType TemporalType Unknown".split()
    named = {n: t for n, t in vars(pl.datatypes).items() if isinstance(t, type)}
    made = {t for n, t in named.items() if issubclass(t, pl.DataType) and n not in abstract}

    tried = {column.dtype.base_type() for column in COLUMNS.values()}

    assert made - tried == set()


def test_what_json_cannot_say_goes_as_text() -> None:
    said, _ = encode({"x": {"at": MOMENT, "cost": Decimal("1.10"), 3: {1}, "odd": Ellipsis}})

    value = said["x"]["json"]
    assert value == {
        "at": "2026-11-26T01:02:03.000456",
        "cost": "1.10",
        "3": [1],
        "odd": "Ellipsis",
    }


# ---------------------------------------------------------------- pushes
def last(wire: Wire, view: Counter) -> Any:
    """The newest value of ``n`` that was pushed."""
    values = [m.parts["n"] for m in wire.of(view, "push") if "n" in m.content["parts"]]
    return values[-1] if values else None


def test_the_opening_message_carries_what_is_shown(wire: Wire, lab: pj.Lab) -> None:
    view = Counter(lab)

    state = wire.of(view, "comm_open")[0].data["state"]

    assert state["_first"]["seq"] == 0
    assert state["_first"]["parts"]["n"] == {"json": 0}
    assert state["_kind"] == "lab_status"
    assert len(state["_esm"]) < 400


def test_what_a_view_opened_with_is_forgotten_when_newer_parts_are_sent(
    wire: Wire, lab: pj.Lab
) -> None:
    view = Counter(lab)
    wire.show(view)
    view.put("n", 1)
    wire.until(lambda: last(wire, view) == 1)

    assert view.get_state("_first") == {"_first": {"seq": -1, "parts": {}}}


def test_the_bundle_goes_once_for_many_views(wire: Wire, lab: pj.Lab) -> None:
    for _ in range(5):
        Counter(lab)

    sizes = [
        len(text)
        for message in wire.messages
        for text in message.data.get("state", {}).values()
        if isinstance(text, str)
    ]
    assert sum(size > 10_000 for size in sizes) == 1


def test_nothing_is_sent_while_nobody_looks(wire: Wire, lab: pj.Lab) -> None:
    view, other = Counter(lab), Counter(lab)
    wire.show(other)

    view.put("n", 1)
    other.put("n", 1)

    wire.until(lambda: wire.of(other, "push"))
    assert wire.of(view, "push") == []


def test_a_burst_is_a_few_pushes_and_the_last_state_is_shown(wire: Wire, lab: pj.Lab) -> None:
    view = Counter(lab)
    wire.show(view)
    began = time.monotonic()

    for i in range(5_000):
        view.put("n", i)
        for message in wire.of(view, "push")[-1:]:
            wire.paint(view, message.content["seq"])
    while last(wire, view) != 4_999:
        wire.paint(view, len(wire.of(view, "push")))
        wire.until(lambda: wire.of(view, "push"))

    elapsed = time.monotonic() - began
    assert len(wire.of(view, "push")) <= elapsed * 20 + 2


def test_threads_that_put_at_once_end_in_the_last_state(wire: Wire, lab: pj.Lab) -> None:
    view = Counter(lab)
    wire.show(view)
    threads = [
        threading.Thread(target=lambda k=k: [view.put(f"p{k}", i) for i in range(500)])
        for k in range(8)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    def state() -> dict[str, Any]:
        pushes = wire.of(view, "push")
        return {n: v for m in pushes for n, v in m.parts.items() if n.startswith("p")}

    wire.until(lambda: state() == {f"p{k}": 499 for k in range(8)})


def test_only_one_push_is_on_its_way_and_the_next_says_everything(wire: Wire, lab: pj.Lab) -> None:
    view = Counter(lab)
    wire.show(view)
    view.put("n", 1)
    first = wire.until(lambda: wire.of(view, "push"))[0]

    view.put("other", 2)
    second = wire.until(lambda: wire.of(view, "push")[1:])[0]

    assert second.at - first.at > 0.9  # nobody acknowledged the first
    assert second.content["full"]
    assert second.parts["n"] == 1
    assert second.parts["other"] == 2


def test_an_acknowledged_push_is_followed_at_once_by_what_changed(wire: Wire, lab: pj.Lab) -> None:
    view = Counter(lab)
    wire.show(view)
    view.put("n", 1)
    first = wire.until(lambda: wire.of(view, "push"))[0]

    wire.paint(view, first.content["seq"])
    view.put("other", 2)
    second = wire.until(lambda: wire.of(view, "push")[1:])[0]

    assert not second.content["full"]
    assert second.parts == {"other": 2}
    assert second.content["seq"] == first.content["seq"] + 1
    assert second.at - first.at < 0.9


@pytest.mark.parametrize("seq", [-1, 7])
def test_a_page_that_missed_something_gets_everything(wire: Wire, lab: pj.Lab, seq: int) -> None:
    view = Counter(lab)

    wire.show(view, seq=seq)

    message = wire.until(lambda: wire.of(view, "push"))[0]
    assert message.content["full"]
    assert {"n", "$query"} <= set(message.parts)


def test_a_large_frame_is_not_in_the_opening_message(wire: Wire, lab: pj.Lab) -> None:
    lab.personas.create("Ada", description="x" * 3)
    view = pj.views.PersonaCard(lab, "Ada")
    view.put("big", pl.DataFrame({"text": ["x" * 40_000]}))
    view.close()

    class Big(Counter):
        def __init__(self, lab: pj.Lab) -> None:
            super().__init__(lab)
            self.put("big", pl.DataFrame({"text": ["x" * 40_000]}))

    big = Big(lab)
    assert wire.of(big, "comm_open")[0].data["state"]["_first"] == {"seq": -1, "parts": {}}
    wire.show(big, seq=-1)
    assert wire.until(lambda: wire.of(big, "push"))[0].parts["big"].height == 1


def test_a_commit_is_pushed_to_the_page(wire: Wire, lab: pj.Lab, ada: pj.PersonaModel) -> None:
    view = Counter(lab)
    wire.show(view)

    lab.memories.record(ada, "The engine hums.")

    wire.until(lambda: last(wire, view) == 1)


def test_frames_arrive_as_they_were(wire: Wire, lab: pj.Lab) -> None:
    view = Counter(lab)
    wire.show(view)
    frame = pl.DataFrame({"a": [1, 2], "b": ["x", None]})

    view.put("frame", frame)

    message = wire.until(lambda: wire.of(view, "push"))[0]
    assert message.parts["frame"].equals(frame)
    assert pl.read_ipc_stream(io.BytesIO(message.buffers[0])).equals(frame)


BESIDE = """
import threading, time
import polars as pl
from pjais_lab.views._transport import encode
frame = pl.DataFrame({"a": range(100), "b": ["x"] * 100})
done = threading.Event()
def look():
    while not done.is_set():
        frame.height
        time.sleep(0)
thread = threading.Thread(target=look)
thread.start()
for _ in range(300):
    encode({"frame": frame})
done.set()
thread.join()
print("both went on")
"""


def test_a_frame_is_sent_while_another_thread_looks_at_it() -> None:
    # In a process of its own: without a copy the two wait for each other, holding the GIL.
    ran = subprocess.run(
        [sys.executable, "-c", BESIDE], capture_output=True, text=True, timeout=60, check=True
    )

    assert ran.stdout == "both went on\n"
