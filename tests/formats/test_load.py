from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import pjais_lab as pj
from pjais_lab.core.event import Draft
from pjais_lab.core.ids import natural_id
from pjais_lab.errors import FormatError, RejectedError
from pjais_lab.formats import Format, Report, Row
from pjais_lab.formats import load as load_into
from pjais_lab.lab.lab import Lab
from pjais_lab.memories.events import MemoryRecorded
from pjais_lab.personas.commands import erase_persona
from tests.formats.conftest import MakeRun, node


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with pj.open(tmp_path / "lab", background=False) as opened:
        yield opened


class Terminal(io.StringIO):
    """Text that thinks it is a screen."""

    def isatty(self) -> bool:
        return True


def balance(report: Report) -> bool:
    return report.rows_in == report.rows_out + report.rows_known + report.rows_skipped


def counts(lab: Lab) -> tuple[int, ...]:
    names = ("personas", "memories", "links", "conversations", "messages")
    return tuple(lab.query(f"SELECT count(*) FROM {name}").item() for name in names)


def test_the_shared_run_is_imported_whole(lab: Lab, smallville: Path) -> None:
    report = lab.load(smallville)

    assert counts(lab) == (3, 2105, 1224, 16, 174)
    assert (report.rows_in, report.rows_out, report.rows_skipped) == (3522, 3522, 0)
    assert report.kinds == report.stored
    assert len(report.warnings) == 1


def test_a_second_import_stores_nothing_and_adds_no_event(lab: Lab, smallville: Path) -> None:
    lab.load(smallville)
    head = lab.position

    again = lab.load(smallville)

    assert (again.rows_out, again.rows_known, lab.position) == (0, 3522, head)
    assert balance(again)


def test_state_as_of_noon_is_what_was_counted_by_hand(lab: Lab, smallville: Path) -> None:
    lab.load(smallville)

    noon = lab.at("2023-02-13 12:00:00").query("""
        SELECT p.name, count(*) AS n FROM memories m JOIN personas p ON p.id = m.persona_id
        GROUP BY p.name ORDER BY p.name
    """)

    assert dict(noon.rows()) == {
        "Isabella Rodriguez": 355,
        "Klaus Mueller": 225,
        "Maria Lopez": 124,
    }


def test_events_are_signed_by_the_importer(lab: Lab, make_run: MakeRun) -> None:
    lab.load(make_run(Ada={"node_1": node()}))

    actors = lab.query("SELECT DISTINCT actor FROM events")["actor"].to_list()

    assert actors == ["import:generative_agents"]


def test_a_memory_forgotten_here_does_not_come_back(lab: Lab, make_run: MakeRun) -> None:
    run = make_run(Ada={"node_1": node(), "node_2": node("tea")})
    lab.load(run)
    tea = lab.query("SELECT id::VARCHAR FROM memories WHERE content = 'tea'").item()
    lab.memories.forget(tea)

    again = lab.load(run)

    assert (again.rows_out, again.rows_known) == (0, 3)
    assert counts(lab)[1] == 1


def test_an_erased_persona_does_not_come_back(lab: Lab, make_run: MakeRun) -> None:
    run = make_run(Ada={"node_1": node(), "node_2": node("tea")}, Bo={"node_1": node()})
    lab.load(run)
    ada = lab.query("SELECT id::VARCHAR FROM personas WHERE name = 'Ada Byron'").item()
    lab.commit(erase_persona(ada))

    again = lab.load(run)

    assert again.rows_out == 0
    assert "deleted here" in again.skipped[0].reason
    assert [(s.path, s.rows) for s in again.skipped] == [
        ("Ada/scratch.json", 1),
        ("Ada/scratch.json", 2),
    ]
    assert balance(again)


def test_a_name_taken_by_another_persona_costs_that_persona_only(
    lab: Lab, make_run: MakeRun
) -> None:
    chat = node("a chat", type="chat", filling=[["Ada Byron", "Tea?"], ["Bo Byron", "Please."]])
    run = make_run(Ada={"node_1": chat}, Bo={"node_1": chat})
    lab.personas.create("Ada Byron")

    report = lab.load(run)

    assert counts(lab) == (2, 1, 0, 1, 2)
    assert "already has the name" in report.skipped[0].reason
    assert balance(report)


def test_a_grown_run_adds_only_what_is_new(lab: Lab, make_run: MakeRun) -> None:
    run = make_run(Ada={"node_1": node()})
    lab.load(run)
    grown = {"node_1": node(), "node_2": node("tea", filling=["node_1"])}
    (run / "Ada" / "nodes.json").write_text(json.dumps(grown))

    report = lab.load(run)

    assert report.stored == {"memory": 1, "link": 1}
    assert report.rows_known == 2


def test_what_the_store_refuses_is_found_among_thousands(tmp_path: Path, make_run: MakeRun) -> None:
    nodes = {f"node_{n}": node(f"text {n}") for n in range(600)}
    nodes["node_300"] = node("x" * 20_000)
    nodes["node_301"] = node("z" * 20_000)
    settings = tmp_path / "lab" / "workspace.toml"
    with pj.open(tmp_path / "lab", background=False):
        pass
    text = settings.read_text()
    assert "event_bytes = 1_048_576" in text
    settings.write_text(text.replace("event_bytes = 1_048_576", "event_bytes = 10_000"))

    with pj.open(tmp_path / "lab", background=False) as lab:
        report = lab.load(make_run(Ada=nodes))

    assert report.rows_out == 599
    assert {s.path for s in report.skipped} == {
        "Ada/nodes.json:node_300",
        "Ada/nodes.json:node_301",
    }
    assert balance(report)


@pytest.mark.parametrize(
    "odd",
    [
        {"description": "a NUL \0 in it"},
        {"subject": "a NUL \0 in it"},
        {"object": "half \ud800 a pair"},
        {"keywords": ["tea", "\0"]},
        {"description": "x" * 2_000_000},
        {"predicate": float("inf")},
    ],
    ids=lambda odd: next(iter(odd)),
)
def test_a_row_the_log_cannot_hold_costs_that_row_only(
    lab: Lab, make_run: MakeRun, odd: dict[str, object]
) -> None:
    report = lab.load(make_run(Ada={"node_2": node(**odd), "node_1": node()}))

    assert counts(lab)[:2] == (1, 2 - len(report.skipped))
    assert [s.path for s in report.skipped] in ([], ["Ada/nodes.json:node_2"])
    assert report.skipped or odd == {"predicate": float("inf")}  # JSON's Infinity is read as text
    assert balance(report)


def test_a_terminal_sees_how_many_rows_are_done(
    lab: Lab, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)

    lab.load(make_run(Ada={"node_1": node(), "node_2": node("tea")}))

    assert "Importing" in screen.getvalue()
    assert "3 rows" in screen.getvalue()


def test_nobody_watching_sees_nothing(
    lab: Lab, make_run: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.load(make_run(Ada={"node_1": node()}))

    assert capsys.readouterr() == ("", "")


def test_a_strict_import_is_all_or_nothing(lab: Lab, make_run: MakeRun) -> None:
    run = make_run(Ada={"node_1": node(poignancy=0), "node_2": node()})

    with pytest.raises(FormatError, match="outside its scale"):
        lab.load(run, strict=True)

    assert lab.position == 0


def test_a_strict_import_refused_by_the_store_stores_nothing(lab: Lab, make_run: MakeRun) -> None:
    lab.personas.create("Ada Byron")
    head = lab.position

    with pytest.raises(FormatError, match="already has the name"):
        lab.load(make_run(Ada={"node_1": node()}), strict=True)

    assert lab.position == head


def test_an_import_inside_a_batch_is_refused_at_once(lab: Lab, make_run: MakeRun) -> None:
    run = make_run(Ada={"node_1": node()})

    with pytest.raises(RejectedError, match="batch"), lab.batch():
        lab.load(run)

    assert lab.position == 0


def test_a_path_that_is_not_there_says_so(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"nothing at .*absent"):
        lab.load(tmp_path / "absent")


def test_an_unknown_format_names_the_known_ones(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")

    with pytest.raises(FormatError, match=r"no format known here; expected one of: .*Generative"):
        lab.load(tmp_path / "notes.txt")


def test_a_format_of_ones_own_can_be_given(lab: Lab, tmp_path: Path, make_run: MakeRun) -> None:
    lab.load(make_run(Ada={}))
    ada = lab.query("SELECT id::VARCHAR FROM personas").item()

    def read(path: Path, _: object) -> Iterator[Row]:
        for n, line in enumerate(path.read_text().splitlines()):
            draft: Draft = MemoryRecorded(line).on(ada, natural_id("lines", str(n)))
            yield Row("memory", f"{path.name}:{n}", draft)

    lines = Format("lines", "a line for each memory", lambda p: p.suffix == ".lines", read)
    (tmp_path / "x.lines").write_text("one\ntwo\n")

    report = load_into(lab._parts.store, tmp_path / "x.lines", formats=[lines])

    assert (report.format, report.stored) == ("lines", {"memory": 2})


def test_a_report_shows_hostile_names_as_text(lab: Lab, make_run: MakeRun) -> None:
    run = make_run(Ada={"<script>alert(1)</script>": node(poignancy=0)})

    report = lab.load(run)

    assert "<script>" in repr(report)
    assert "<script>" not in report._repr_html_()
    assert "&lt;script&gt;" in report._repr_html_()
