from __future__ import annotations

import sys
import threading
from typing import Any

import pytest
import traitlets

import pjais_lab as pj
from pjais_lab.core.predicate import Predicate
from pjais_lab.errors import NotFoundError, QueryError, ReactiveError
from pjais_lab.reactive._errors import ObserverWarning

AGE = pj.Interval("age", 18, 30)
ADA = pj.OneOf("name", ["Ada"])


def test_a_selection_is_all_of_its_predicates() -> None:
    brush = pj.Selection({"age": AGE})
    brush["name"] = ADA

    assert brush.where() == AGE & ADA
    assert brush.sql == """"age" >= 18 AND "age" <= 30 AND "name" IN ('Ada')"""
    assert list(brush) == ["age", "name"]
    assert brush["age"] == AGE


def test_each_view_is_filtered_by_all_the_others() -> None:
    brush = pj.Selection({"age": AGE, "name": ADA})

    assert brush.where(excluding="age") == ADA
    assert brush.where(excluding="name") == AGE
    assert brush.where(excluding="neither") == AGE & ADA
    assert pj.Selection({"age": AGE}).where(excluding="age") is None


def test_nothing_selected_is_every_row() -> None:
    brush = pj.Selection()

    assert (brush.where(), brush.sql, repr(brush)) == (None, "true", "Selection(nothing)")


def test_its_sql_filters_a_query(lab: pj.Lab) -> None:
    for name in ("Ada", "Bea", "it's"):
        lab.personas.create(name)
    brush = pj.Selection({"who": pj.OneOf("name", ["Ada", "it's"])})

    found = lab.query(f"SELECT name FROM personas WHERE {brush.sql} ORDER BY name")

    assert found["name"].to_list() == ["Ada", "it's"]


def test_none_or_del_or_clear_takes_predicates_away() -> None:
    brush = pj.Selection({"age": AGE, "name": ADA, "third": pj.IsNull("x")})

    brush["age"] = None
    del brush["name"]
    assert list(brush) == ["third"]
    brush.clear()

    assert brush.predicates == {}


def test_observers_hear_of_each_change_once() -> None:
    brush, heard = pj.Selection(), []
    brush.observe(lambda change: heard.append((change.name, change.new)), ["predicates", "sql"])

    brush["age"] = AGE
    brush["age"] = pj.Interval("age", 18, 30)
    brush.update({"age": None, "name": ADA})

    assert [name for name, _ in heard] == ["predicates", "sql", "predicates", "sql"]
    assert heard[-1][1] == "\"name\" IN ('Ada')"


def test_assigning_all_of_them_and_linking_two_selections_works() -> None:
    one, other = pj.Selection({"age": AGE}), pj.Selection()
    traitlets.link((one, "predicates"), (other, "predicates"))

    other.predicates = {"name": ADA}

    assert one.predicates == {"name": ADA}
    assert one.sql == other.sql


def test_what_is_read_may_be_changed_without_harm() -> None:
    brush = pj.Selection({"age": AGE})

    brush.predicates.clear()  # type: ignore[attr-defined]

    assert "age" in brush


def test_an_observer_that_fails_stops_nobody() -> None:
    brush, heard = pj.Selection(), []

    def fails(_change: object) -> None:
        raise ZeroDivisionError("oh")

    brush.observe(fails, "sql")
    brush.observe(heard.append, "sql")
    with pytest.warns(ObserverWarning, match="ZeroDivisionError: oh"):
        brush["age"] = AGE

    assert len(heard) == 1


def test_a_change_made_by_an_observer_is_told_after_the_one_it_answers() -> None:
    brush, heard = pj.Selection(), []

    def answers(_change: object) -> None:
        brush["name"] = ADA

    brush.observe(answers, "predicates")
    brush.observe(lambda change: heard.append(sorted(change.new)), "predicates")
    brush["age"] = AGE

    assert heard == [["age"], ["age", "name"]]


def test_threads_lose_no_change_and_the_last_news_is_the_last_state() -> None:
    brush, heard = pj.Selection(), []
    brush.observe(lambda change: heard.append(change.new), "predicates")
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)

    def work(k: int) -> None:
        for n in range(100):
            brush[f"{k}-{n}"] = pj.Interval("x", n)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(before)

    assert len(brush.predicates) == len(heard) == 400
    assert heard[-1] == brush.predicates
    assert all(
        len(later) == len(earlier) + 1 for earlier, later in zip(heard, heard[1:], strict=False)
    )


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"age": 7}, "7, under 'age', is no predicate"),
        ({"age": "age > 7"}, "'age > 7', under 'age', is no predicate"),
        ({7: AGE}, "7 is no name"),
        ({"": AGE}, "'' is no name"),
        (AGE, "is no mapping of names to predicates"),
    ],
)
def test_what_is_no_predicate_is_refused_and_changes_nothing(given: Any, sentence: str) -> None:
    brush = pj.Selection({"name": ADA})

    for act in (brush.update, brush.replace):
        with pytest.raises(QueryError, match=sentence):
            act(given)

    assert brush.predicates == {"name": ADA}


def test_mistakes_get_a_sentence() -> None:
    brush = pj.Selection({"name": ADA})

    with pytest.raises(
        NotFoundError, match="Nothing is selected under 'nam'. Did you mean 'name'?"
    ):
        brush["nam"]
    with pytest.raises(NotFoundError, match="Nothing is selected under 'age'"):
        del brush["age"]
    with pytest.raises(ReactiveError, match="no trait 'predicate' to observe"):
        brush.observe(print, "predicate")
    with pytest.raises(ReactiveError, match="follows the predicates"):
        brush.sql = "1 = 1"


def test_hostile_names_and_values_are_inert_where_they_are_shown() -> None:
    hostile = "<img src=x onerror=alert(1)>\u202e\x1b[31m"
    where: Predicate = pj.Contains(hostile, [hostile])
    brush = pj.Selection({hostile: where})

    html = brush._repr_html_()

    assert "<img" not in html
    assert "\x1b" not in html + repr(brush)
    assert "\u202e" not in html + repr(brush)
