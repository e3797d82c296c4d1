"""What objects show of themselves as the last line of a cell, on a page and in a terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

import pjais_lab as pj
from pjais_lab.core.markup import LIMIT
from pjais_lab.formats.report import Report, Skipped
from pjais_lab.lab import _repr
from pjais_lab.simulation import SimulationReport
from pjais_lab.storage.verify import Problem, VerifyReport

HOSTILE = "<script>alert(1)</script>\x1b[2J\u202e<svg/onload=alert(1)>'\"" + "\u2067" * 300
SCREEN = (24, 500)
"""Lines, and characters of the longest one: a terminal wraps."""
TAGS = {"bdi", "div", "i", "strong", "table", "tbody", "td", "th", "thead", "tr"}
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2060-\u206f]")
Show = Callable[[pj.Lab], Any]


def tags(html: str) -> set[str]:
    found: set[str] = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: found.update([tag, *(n for n, _ in attrs)])  # type: ignore[method-assign]
    parser.feed(html)
    return found


def words(html: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", html).split())


def report(_: pj.Lab) -> Report:
    skipped = tuple(Skipped(HOSTILE, HOSTILE) for _ in range(100))
    counts = {HOSTILE: 3}
    return Report(HOSTILE, "csv", 100, 0, 0, counts, counts, skipped, (HOSTILE,) * 100, counts, 0.5)


def damaged(_: pj.Lab) -> VerifyReport:
    return VerifyReport(1, 2, 3, tuple(Problem(HOSTILE, HOSTILE) for _ in range(100)))


def persona(lab: pj.Lab) -> pj.PersonaModel:
    made = lab.personas.create(
        HOSTILE[:200],
        description=HOSTILE,
        custom_traits={f"trait_{n}": n for n in range(40)},
    )
    lab.personas.change_mood(made, "joy", 80, context=HOSTILE)
    return made


def people(lab: pj.Lab) -> Any:
    for n in range(30):
        lab.personas.create(f"{n} {HOSTILE[:150]}")
    return lab.personas


def settings(lab: pj.Lab) -> Any:
    for n in range(30):
        lab.settings[f"key.n{n}"] = HOSTILE
    return lab.settings


def failing(lab: pj.Lab) -> pj.LiveQuery:
    return lab.live("SELECT error($text) AS n", text=HOSTILE)


def asked(lab: pj.Lab) -> pj.LiveQuery:
    persona(lab)
    return lab.live(
        f"SELECT name, $t AS t, repeat($t, 1000) AS long, [$t] AS list, {{'a': $t}} AS struct,"
        f" range AS \"<b onclick='x'>\", '{'x' * 5000}' AS wide FROM personas, range(1000)",
        t=HOSTILE,
    )


PAGES: dict[str, Show] = {
    "lab": lambda lab: lab,
    "status": lambda lab: lab.status,
    "persona": persona,
    "live query": asked,
    "live query that fails": failing,
    "import": report,
    "simulation": lambda _: SimulationReport(3, 4, 5, 6_000, 0.5),
    "damage": damaged,
    "verify": lambda lab: lab.verify(),
    "rebuild": lambda lab: lab.rebuild(verify=True),
}


@pytest.mark.parametrize("show", PAGES.values(), ids=list(PAGES))
def test_a_page_is_inert_and_small(lab: pj.Lab, show: Show) -> None:
    html = show(lab)._repr_html_()

    assert len(html) < LIMIT
    assert {"div", "strong"} <= tags(html) <= {*TAGS, "style", "role"}
    assert not CONTROL.search(html)


@pytest.mark.parametrize(
    "show", [*PAGES.values(), people, settings], ids=[*PAGES, "personas", "settings"]
)
def test_a_text_fits_the_screen_and_does_nothing_to_a_terminal(lab: pj.Lab, show: Show) -> None:
    lines = repr(show(lab)).split("\n")

    assert len(lines) <= SCREEN[0]
    assert max(map(len, lines)) <= SCREEN[1]
    assert not CONTROL.search("\n".join(lines))


def test_a_lab_shows_its_counts_and_where_it_lies(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    lab.memories.record(ada, "one")

    shown = words(lab._repr_html_())

    assert shown.startswith("Lab lab 1 personas 1 memories 0 conversations 2 events")
    assert shown.endswith(str(lab.path))
    assert repr(lab) == "Lab('lab': 1 personas, 1 memories, 4 shards, seq 2)"


def test_a_closed_lab_and_what_came_of_it_still_show_themselves(
    lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    query = lab.live("SELECT name FROM personas")
    assert query.frame.height == 1
    lab.close()

    texts = [repr(x) for x in (lab, lab.personas, lab.memories, lab.conversations, lab.settings)]

    assert texts == [
        "Lab('lab': closed)",
        "Personas(This lab is closed.)",
        "Memories(This lab is closed.)",
        "Conversations(This lab is closed.)",
        "Settings(This lab is closed.)",
    ]
    assert words(lab._repr_html_()) == f"Lab lab closed · {lab.path}"
    assert "Ada" in repr(ada)
    assert "closed" in words(ada._repr_html_())
    assert words(query._repr_html_()).startswith("Live query name Ada closed · 1 row")


def test_a_lab_that_cannot_be_read_says_so_in_place_of_its_counts(
    lab: pj.Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_repr, "_COUNTS", "SELECT error('the disk burns')")

    assert repr(lab) == "Lab('lab': The query failed: the disk burns.)"
    assert "The query failed: the disk burns." in words(lab._repr_html_())


def test_what_goes_wrong_in_the_background_is_on_the_lab_and_its_status(lab: pj.Lab) -> None:
    lab._parts.tailer.error = pj.errors.StorageError("The disk burns.")

    assert "Other processes cannot be followed: The disk burns." in words(lab._repr_html_())
    assert "following other processes: The disk burns." in words(lab.status._repr_html_())


def test_a_live_query_says_how_much_it_shows(lab: pj.Lab) -> None:
    query = lab.live("SELECT range AS n FROM range(1000)")

    shown = words(query._repr_html_())

    assert shown.startswith("Live query n 0 1 2 3 4 5 6 7 8 9 first 10 of 1,000 rows")
    assert "SELECT range AS n FROM range(1000)" in shown


def test_a_live_query_that_failed_shows_its_error_and_calls_the_answer_old(
    lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    query = lab.live(
        "SELECT CASE WHEN count(*) > 1 THEN error('two') ELSE 1 END AS n FROM personas"
    )
    assert query.frame.item() == 1
    lab.personas.create("Bob")

    shown = words(query._repr_html_())

    assert shown.startswith("Live query QueryError: The query failed: two. n 1 the last answer")


def test_a_persona_shows_who_it_is_and_how_it_feels(lab: pj.Lab) -> None:
    ada = lab.personas.create("Ada", traits=pj.BigFive(openness=80), custom_traits={"wit": 93})
    lab.personas.change_mood(ada, "joy", 70, context="the engine hums")

    shown = words(ada._repr_html_())

    assert shown.startswith("Persona Ada openness 80 conscientiousness 50")
    assert "wit 93" in shown
    assert "feels joy, 70 of 100 · the engine hums · since" in shown


def test_an_erased_persona_shows_nothing_of_what_it_was(lab: pj.Lab) -> None:
    ada = lab.personas.create("Ada", description="a secret")
    assert ada.description == "a secret"
    lab.personas.erase(ada)

    shown = words(ada._repr_html_())

    assert shown.startswith("Persona Ada Gone: erased, or never there.")
    assert "secret" not in shown
    assert "openness" not in shown


def test_a_rebuild_gives_a_list_that_shows_itself(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    reports = lab.rebuild("personas", verify=True)

    assert [r.table for r in reports] == ["personas"]
    assert re.fullmatch(
        r"Rebuilt 1 table\n  personas: 1 row, \d+\.\d\d s, the same as before", repr(reports)
    )
    assert "personas 1 0.0" in words(reports._repr_html_())
    assert "the same" in words(reports._repr_html_())


def test_brackets_offer_names_and_keys(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    lab.settings["ui.theme"] = "dark"

    assert lab.personas._ipython_key_completions_() == ["Ada"]
    assert lab.settings._ipython_key_completions_() == ["ui.theme"]
