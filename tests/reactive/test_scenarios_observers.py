"""Observers: called after everything is evaluated, each by itself, never in a circle for ever."""

from __future__ import annotations

import threading
import warnings
from typing import Any

import pytest
from traitlets import TraitError

import pjais_lab as pj
from pjais_lab.errors import FeedbackLoopError
from pjais_lab.reactive._errors import ObserverWarning
from pjais_lab.reactive.hub import Hub
from pjais_lab.reactive.model import EntityModel
from pjais_lab.reactive.node import Fed

COUNT = "SELECT count(*) AS n FROM memories"


def counting(lab: pj.Lab, where: str = "true") -> pj.LiveQuery:
    """A live count that has had its first value."""
    query = lab.live(f"{COUNT} WHERE {where}")
    assert query.frame.height == 1
    return query


def test_an_observer_that_raises_stops_no_other(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    query = counting(lab)
    told: list[str] = []

    def broken(change: Any) -> None:
        told.append("broken")
        raise ZeroDivisionError(str(change.new.item()))

    query.observe(broken, "frame")
    query.observe(lambda _: told.append("second"), "frame")
    query.observe(lambda _: told.append("third"), "frame")

    with pytest.warns(ObserverWarning, match="ZeroDivisionError"):
        lab.memories.record(ada, "one")
        assert hub.settle(10)

    assert told == ["broken", "second", "third"]
    assert counting(lab).frame.item() == 1


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, AssertionError])
def test_no_exception_ends_the_hub(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel, error: type[BaseException]
) -> None:
    query = counting(lab)

    def broken(_: Any) -> None:
        raise error

    query.observe(broken, "frame")
    with pytest.warns(ObserverWarning, match=error.__name__):
        lab.memories.record(ada, "one")
        assert hub.settle(10)

    lab.memories.record(ada, "two")

    assert query.frame.item() == 2


@pytest.mark.parametrize("error", [ValueError, SystemExit])
def test_a_computed_value_that_raises_anything_leaves_the_others_alone(
    lab: pj.Lab, ada: pj.PersonaModel, error: type[BaseException]
) -> None:
    query = counting(lab)

    def broken(frame: Any) -> int:
        if frame.item():
            raise error
        return 0

    bad, good = pj.computed(broken, query), pj.computed(lambda frame: frame.item(), query)
    assert (bad.value, good.value) == (0, 0)

    lab.memories.record(ada, "one")

    assert good.value == 1
    assert error.__name__ in (bad.error or "")


def test_a_model_that_cannot_read_its_row_leaves_the_others_alone(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    class Broken(EntityModel):
        table = "personas"
        name = Fed[str]("", help="A name.")

        def read(self, row: dict[str, Any]) -> dict[str, Any]:
            raise LookupError(str(row["name"]))

    broken = Broken(hub, ada.id)

    lab.memories.record(ada, "one")

    assert counting(lab).frame.item() == 1
    assert "LookupError" in (broken.error or "")


def test_what_cannot_be_compared_counts_as_new(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    class Prickly:
        def __eq__(self, other: object) -> bool:
            raise TypeError("not with me")

        __hash__ = None  # type: ignore[assignment]

    query = counting(lab)
    prickly = pj.computed(lambda _: Prickly(), query)
    first = prickly.value

    lab.memories.record(ada, "one")

    assert isinstance(prickly.value, Prickly)
    assert prickly.value is not first


def test_observers_run_when_everything_is_evaluated(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    first, second = counting(lab), counting(lab, "importance > 0.1")
    total = pj.computed(lambda a, b: a.item() + b.item(), first, second)
    assert total.value == 0
    seen: list[tuple[int, int, int]] = []
    for node in (first, second, total):
        node.observe(
            lambda _: seen.append((first.frame.item(), second.frame.item(), total.value)),
            "value" if node is total else "frame",
        )

    lab.memories.record(ada, "one", importance=0.5)
    assert hub.settle(10)

    assert seen == [(1, 1, 2)] * 3


def test_inputs_are_told_before_what_is_computed_from_them(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    query = counting(lab)
    derived = pj.computed(lambda frame: frame.item(), query)
    later = counting(lab, "importance > 0.1")
    assert derived.value == 0
    told: list[str] = []
    derived.observe(lambda _: told.append("computed"), "value")
    later.observe(lambda _: told.append("later query"), "frame")
    query.observe(lambda _: told.append("query"), "frame")

    lab.memories.record(ada, "one", importance=0.5)
    assert hub.settle(10)

    assert told == ["query", "later query", "computed"]


def test_observers_run_in_one_thread_whoever_commits(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    query = counting(lab)
    threads: set[str] = set()
    query.observe(lambda _: threads.add(threading.current_thread().name), "frame")

    lab.memories.record(ada, "from here")
    assert hub.settle(10)
    other = threading.Thread(target=lab.memories.record, args=(ada, "from another thread"))
    other.start()
    other.join()
    with pj.open(lab.path, background=False) as elsewhere:
        elsewhere.memories.record(ada.id, "from another lab")
    lab._parts.store.catch_up()
    assert hub.settle(10)

    assert query.frame.item() == 3
    assert threads == {"pjais-hub"}


def test_the_first_value_is_no_change(lab: pj.Lab, hub: Hub, ada: pj.PersonaModel) -> None:
    told: list[Any] = []
    for i in range(20):
        query = lab.live(f"{COUNT} WHERE importance > {i / 100}")
        query.observe(told.append, "frame")
        assert query.frame.item() == 0
    assert hub.settle(10)

    assert told == []


def test_commits_of_observers_wait_for_the_next_round(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    query = counting(lab)
    seen: list[tuple[str, int]] = []

    def answer(change: Any) -> None:
        seen.append(("first", change.new.item()))
        if change.new.item() == 1:
            lab.memories.record(ada, "an answer")

    query.observe(answer, "frame")
    query.observe(lambda change: seen.append(("second", change.new.item())), "frame")

    lab.memories.record(ada, "a question")
    while lab.query(COUNT).item() < 2 or not hub.settle(10):
        pass
    assert hub.settle(10)

    assert seen == [("first", 1), ("second", 1), ("first", 2), ("second", 2)]


def test_an_observer_can_read_what_it_has_just_made(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    query = counting(lab)
    read: list[Any] = []

    def look(_: Any) -> None:
        read.append(lab.live("SELECT name FROM personas").frame.item())
        read.append(lab.personas["Ada"].name)
        read.append(pj.computed(lambda frame: frame.item(), query).value)

    query.observe(look, "frame")

    lab.memories.record(ada, "one")
    assert hub.settle(10)

    assert read == ["Ada", "Ada", 1]


def test_observing_a_trait_that_does_not_exist_names_the_nearest_one(
    lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    with pytest.raises(AttributeError, match="no trait 'fram' to observe. Did you mean 'frame'"):
        counting(lab).observe(print, "fram")
    with pytest.raises(TraitError, match="no trait 'x' to observe. It has big_five, "):
        ada.observe(print, ["name", "x"])


def test_the_warning_about_an_observer_points_at_its_line(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    query = counting(lab)

    def broken(_: Any) -> None:
        raise ValueError("oops.")

    query.observe(broken, "frame")
    with pytest.warns(ObserverWarning, match=r"raised ValueError: oops\. The other") as caught:
        lab.memories.record(ada, "one")
        assert hub.settle(10)

    where = broken.__code__
    assert [(w.filename, w.lineno) for w in caught] == [
        (where.co_filename, where.co_firstlineno + 1)
    ]


# ---------------------------------------------------------------- circles


@pytest.fixture
def loop(lab: pj.Lab, ada: pj.PersonaModel) -> tuple[pj.LiveQuery, pj.LiveQuery]:
    """Two observers that answer each other for ever."""
    ping, pong = counting(lab, "content = 'ping'"), counting(lab, "content = 'pong'")
    ping.observe(lambda _: lab.memories.record(ada, "pong"), "frame")
    pong.observe(lambda _: lab.memories.record(ada, "ping"), "frame")
    return ping, pong


def run_into_the_loop(lab: pj.Lab, ada: pj.PersonaModel, nodes: tuple[pj.LiveQuery, ...]) -> None:
    """Start it and wait until it has been noticed."""
    noticed = threading.Event()
    for node in nodes:
        node.observe(lambda _: noticed.set(), "error")
    lab.memories.record(ada, "ping")
    assert noticed.wait(30)


def test_observers_that_answer_each_other_for_ever_are_stopped_and_named(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel, loop: tuple[pj.LiveQuery, pj.LiveQuery]
) -> None:
    run_into_the_loop(lab, ada, loop)
    assert hub.settle(10)
    stored = lab.query(COUNT).item()

    lab.personas.revise(ada, description="something else goes on")
    assert hub.settle(10)

    found = [n.exception for n in loop if n.exception is not None]
    assert found
    assert all(isinstance(e, FeedbackLoopError) for e in found)
    ping, pong = (n.label for n in loop)
    assert any(f"{a} -> {b} -> {a}" in str(found[0]) for a, b in ((ping, pong), (pong, ping)))
    assert lab.query(COUNT).item() == stored
    assert 100 <= stored <= 110


def test_a_loop_takes_no_news_from_anybody_else(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel, loop: tuple[pj.LiveQuery, pj.LiveQuery]
) -> None:
    total = counting(lab)
    told: list[int] = []
    total.observe(lambda change: told.append(change.new.item()), "frame")

    run_into_the_loop(lab, ada, loop)
    assert hub.settle(10)

    assert told[-1] == total.frame.item() == lab.query(COUNT).item()


def test_a_loop_through_models_looked_up_again_and_again_is_noticed(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    query = counting(lab)
    noticed = threading.Event()
    query.observe(lambda _: noticed.set(), "error")
    query.observe(lambda _: lab.memories.record(lab.personas["Ada"], "again"), "frame")

    lab.memories.record(ada, "once")

    assert noticed.wait(30)
    assert isinstance(query.exception, FeedbackLoopError)


def test_a_computed_value_that_commits_for_ever_is_stopped(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    query = counting(lab)
    calls: list[int] = []

    def restless(frame: Any) -> int:
        calls.append(frame.item())
        if frame.item() and len(calls) < 300:  # an end, so that a failure is not endless either
            lab.memories.record(ada, "more")
        return int(frame.item())

    node = pj.computed(restless, query)
    noticed = threading.Event()
    node.observe(lambda change: change.new and noticed.set(), "error")

    lab.memories.record(ada, "once")

    assert noticed.wait(30)
    assert isinstance(node.exception, FeedbackLoopError)


# ---------------------------------------------------------------- closing


def test_no_observer_is_called_after_close(lab: pj.Lab, hub: Hub, ada: pj.PersonaModel) -> None:
    query = counting(lab)
    told: list[Any] = []
    query.observe(told.append, ["frame", "error", "stale", "version"])

    query.close()
    query.close()
    lab.memories.record(ada, "one")
    assert hub.settle(10)

    assert told == []
    assert (query.frame.item(), query.stale) == (0, True)


def test_close_waits_for_the_observer_that_is_running(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    query = counting(lab)
    entered, leave, done = threading.Event(), threading.Event(), threading.Event()
    order: list[str] = []

    def slow(_: Any) -> None:
        entered.set()
        leave.wait(10)
        order.append("observer")

    query.observe(slow, "frame")
    lab.memories.record(ada, "one")
    assert entered.wait(10)

    def close() -> None:
        query.close()
        order.append("closed")
        done.set()

    threading.Thread(target=close).start()
    leave.set()

    assert done.wait(10)
    assert order == ["observer", "closed"]


def test_an_observer_may_close_its_own_query(lab: pj.Lab, hub: Hub, ada: pj.PersonaModel) -> None:
    query = counting(lab)
    told: list[int] = []

    def once(change: Any) -> None:
        told.append(change.new.item())
        query.close()

    query.observe(once, "frame")
    for n in range(3):
        lab.memories.record(ada, f"thought {n}")
        assert hub.settle(10)

    assert told == [1]


def test_closing_the_lab_in_an_observer_does_not_hang(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    query = counting(lab)
    closed = threading.Event()

    def shut(_: Any) -> None:
        lab.close()
        closed.set()

    query.observe(shut, "frame")

    lab.memories.record(ada, "one")

    assert closed.wait(20)


def test_what_is_live_keeps_its_value_when_the_lab_closes(
    lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    query = counting(lab)
    lab.memories.record(ada, "one")
    assert query.frame.item() == 1

    lab.close()

    assert (query.frame.item(), query.stale) == (1, True)
    with pytest.raises(pj.errors.ClosedError):
        lab.live(COUNT)


def test_a_warning_filter_that_raises_does_not_end_the_hub(
    lab: pj.Lab, hub: Hub, ada: pj.PersonaModel
) -> None:
    query = counting(lab)
    query.observe(lambda _: 1 / 0, "frame")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lab.memories.record(ada, "one")
        assert hub.settle(10)
        lab.memories.record(ada, "two")

        assert query.frame.item() == 2


def test_news_do_not_wait_for_the_look_at_a_model_before_them(
    lab: pj.Lab, ada: pj.PersonaModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pjais_lab.reactive.hub._GAP_S", 60)  # waiting cuts it short
    query, told = lab.live(COUNT), threading.Event()
    assert query.frame.item() == 0
    query.observe(lambda _change: told.set(), "frame")

    assert lab.personas["Ada"].name == ada.name
    lab.memories.record(ada, "one")

    assert told.wait(10)
