from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pjais_lab as pj
from pjais_lab.cli import demo_workspace
from tests.cli.conftest import Run, child

Ask = Callable[..., Any]


def record(workspace: Path, text: str) -> None:
    with pj.open(workspace, background=False) as lab:
        lab.memories.record(lab.personas["Ada"], text)


def test_init_creates_a_workspace_once(ask: Ask, tmp_path: Path) -> None:
    first = ask("init", tmp_path / "new")
    second = ask("init", tmp_path / "new")

    assert (first["created"], second["created"]) == (True, False)
    assert (tmp_path / "new" / "workspace.toml").is_file()


def test_commands_find_the_workspace_in_the_environment(
    ask: Ask, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PJAIS_WORKSPACE", str(workspace))

    assert ask("status")["position"] == 5


@pytest.mark.parametrize("command", ["status", "seal", "rebuild", "verify", "log"])
def test_a_missing_workspace_is_exit_4_and_none_is_made(
    pjais: Run, tmp_path: Path, command: str
) -> None:
    code, _, err = pjais(command, "-w", tmp_path / "none")

    assert code == 4
    assert "no workspace" in err
    assert not (tmp_path / "none").exists()


def test_import_reports_what_it_did(ask: Ask, pjais: Run, workspace: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run" / "Cy"
    folder.mkdir(parents=True)
    (folder / "scratch.json").write_text('{"name": "Cy"}')
    (folder / "nodes.json").write_text('{"node_1": 7}')

    report = ask("import", tmp_path / "run", "-w", workspace)[0]
    code, out, _ = pjais("import", tmp_path / "run", "-w", workspace)

    assert (report["rows_in"], report["rows_out"]) == (2, 1)
    assert report["skipped"][0]["path"] == "Cy/nodes.json:node_1"
    assert code == 0
    assert "0 stored, 1 known, 1 skipped" in out


def test_a_strict_import_of_bad_rows_is_exit_3(pjais: Run, workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "Cy").mkdir()
    (tmp_path / "Cy" / "scratch.json").write_text('{"name": "Cy"}')
    (tmp_path / "Cy" / "nodes.json").write_text('{"node_1": 7}')

    code, _, err = pjais("import", tmp_path / "Cy", "-w", workspace, "--strict")

    assert code == 3
    assert "Cy/nodes.json:node_1" in err


def test_simulate_lets_the_same_town_live_for_the_same_seed(ask: Ask, tmp_path: Path) -> None:
    sql = "SELECT md5(string_agg(args, '' ORDER BY seq)) AS digest FROM events"
    digests: list[str] = []

    for name in ("one", "two"):
        ask("init", tmp_path / name)
        ask("simulate", "--personas", 3, "--days", 1, "--seed", 7, "-w", tmp_path / name)
        digests.append(ask("query", sql, "-w", tmp_path / name)[0]["digest"])

    assert digests[0] == digests[1]


def test_query_answers_as_table_json_and_csv(ask: Ask, pjais: Run, workspace: Path) -> None:
    sql = "SELECT name, $n + 1 AS n FROM personas ORDER BY name LIMIT 1"

    assert ask("query", sql, "-p", "n=1", "-w", workspace) == [{"name": "Ada", "n": 2}]
    assert pjais("query", sql, "-p", "n=1", "-w", workspace, "--csv")[1] == "name,n\r\nAda,2\r\n"
    assert "Ada" in pjais("query", sql, "-p", "n=1", "-w", workspace)[1]


def test_query_asks_the_past(ask: Ask, workspace: Path) -> None:
    count = "SELECT count(*) AS n FROM memories"

    assert ask("query", count, "-w", workspace)[0]["n"] == 3
    assert ask("query", count, "-w", workspace, "--at", 3)[0]["n"] == 1


@pytest.mark.parametrize(
    "args",
    [
        ["DELETE FROM memories"],
        ["SELECT nothing FROM nowhere"],
        ["SELECT 1; SELECT 2"],
        ["SELECT 1", "--at", "99"],
        ["SELECT 1", "--at", "whenever"],
    ],
)
def test_a_bad_question_is_exit_3(pjais: Run, workspace: Path, args: list[str]) -> None:
    code, out, err = pjais("query", *args, "-w", workspace)

    assert (code, out) == (3, "")
    assert err.startswith("Error: ")


@pytest.mark.parametrize(
    "args",
    [
        ["query", "SELECT 1", "--csv", "--json"],
        ["query", "SELECT 1", "-p", "n"],
        ["query"],
        ["log", "--since", "whenever"],
        ["log", "--last", "many"],
        ["rebuild", "--nothing"],
    ],
)
def test_a_wrong_command_line_is_exit_2(pjais: Run, workspace: Path, args: list[str]) -> None:
    assert pjais(*args, "-w", workspace)[0] == 2


def test_log_filters_by_name_persona_entity_and_position(pjais: Run, workspace: Path) -> None:
    def seqs(*args: object) -> list[int]:
        code, out, err = pjais("log", *args, "-w", workspace, "--json")
        assert code == 0, err
        return [json.loads(line)["seq"] for line in out.splitlines()]

    first = json.loads(pjais("log", "--json", "-w", workspace)[1].splitlines()[0])

    assert seqs() == [1, 2, 3, 4, 5]
    assert seqs("-n", 2) == [4, 5]
    assert seqs("--name", "MemoryRecorded") == [3, 4, 5]
    assert seqs("--name", "v1.Persona*") == [1, 2]
    assert seqs("--persona", "Ada") == [1, 3, 4]
    assert seqs("--entity", first["entity_id"]) == [1]
    assert seqs("--since", 3) == [4, 5]
    assert seqs("--since", "1h") == [1, 2, 3, 4, 5]
    assert seqs("--since", "2999-01-01") == []


def test_log_of_an_unknown_persona_is_exit_3_and_names_the_known(
    pjais: Run, workspace: Path
) -> None:
    code, _, err = pjais("log", "--persona", "Eve", "-w", workspace)

    assert code == 3
    assert "Ada" in err


@pytest.mark.parametrize(
    "args",
    [["log"], ["query", "SELECT content FROM memories"], ["query", "SELECT args FROM events"]],
)
def test_hostile_content_is_shown_not_obeyed(pjais: Run, workspace: Path, args: list[str]) -> None:
    code, out, _ = pjais(*args, "-w", workspace)

    assert code == 0
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "[bold]markup[/bold]" in out


def test_seal_then_rebuild_gives_the_same_tables(ask: Ask, workspace: Path) -> None:
    assert ask("seal", "-w", workspace) == {"sealed_through": 5}

    reports = ask("rebuild", "--verify", "-w", workspace)

    assert {r["is_same"] for r in reports} == {True}
    assert [r["table"] for r in ask("rebuild", "personas", "-w", workspace)] == ["personas"]


def test_rebuild_of_an_unknown_table_is_exit_3(pjais: Run, workspace: Path) -> None:
    assert pjais("rebuild", "nothing", "-w", workspace)[0] == 3


def test_verify_finds_nothing_wrong_with_a_sound_workspace(pjais: Run, workspace: Path) -> None:
    pjais("seal", "-w", workspace)

    code, out, _ = pjais("verify", "-w", workspace)

    assert code == 0
    assert out.endswith("No problems.\n")


def test_verify_names_the_altered_file_and_is_exit_1(pjais: Run, workspace: Path) -> None:
    pjais("seal", "-w", workspace)
    victim = max(workspace.glob("lake/data/**/*.parquet"), key=lambda p: p.stat().st_size)
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 0x40
    victim.write_bytes(data)

    code, out, _ = pjais("verify", "-w", workspace)

    assert code == 1
    assert victim.name in out


def test_a_damaged_journal_is_exit_6(pjais: Run, workspace: Path) -> None:
    journal = workspace / "journal.sqlite"
    with sqlite3.connect(journal) as con:
        con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    con.close()
    journal.write_bytes(b"this is not a database" * 500)

    code, _, err = pjais("status", "-w", workspace)

    assert code == 6
    assert "journal" in err


def test_doctor_is_content_with_this_machine(ask: Ask, workspace: Path) -> None:
    checks = {c["check"]: c["verdict"] for c in ask("doctor", "-w", workspace)}

    assert "problem" not in checks.values()
    assert checks["trial workspace"] in {"ok", "warning"}
    assert checks["workspace files"] == "ok"
    assert list(workspace.parent.glob(".pjais-doctor*")) == []


def test_doctor_names_a_damaged_workspace_and_is_exit_1(pjais: Run, workspace: Path) -> None:
    shutil.rmtree(workspace)
    workspace.mkdir()
    (workspace / "workspace.toml").write_text("formt = 1\n")

    code, out, _ = pjais("doctor", "-w", workspace)

    assert code == 1
    assert "problem  workspace" in out


def test_open_prints_the_command_and_the_workspace_it_is_for(ask: Ask, workspace: Path) -> None:
    found = ask("open", workspace, "--no-browser", "--port", 9999)

    assert found["PJAIS_WORKSPACE"] == str(workspace)
    assert (Path(found["JUPYTER_CONFIG_PATH"]) / "labconfig").is_dir()
    assert found["command"][1:3] == ["-m", "jupyterlab"]
    assert {"--no-browser", "--port=9999"} < set(found["command"])


def test_lab_leads_to_the_tour_and_mends_a_demo_that_was_interrupted(
    ask: Ask, tmp_path: Path
) -> None:
    town = tmp_path / "town"
    ask("lab", "-w", town)
    whole = ask("status", "-w", town)["position"]
    (tmp_path / "town.demo").write_text(demo_workspace._UNFINISHED)
    (town / "journal.sqlite").unlink()

    found = ask("lab", "-w", town)

    assert "--LabApp.default_url=/lab/tree/00_tour.ipynb" in found["command"]
    assert ask("status", "-w", town)["position"] == whole


def test_open_of_nothing_is_exit_4(pjais: Run, tmp_path: Path) -> None:
    assert pjais("open", tmp_path)[0] == 4


def test_demo_leaves_a_directory_that_no_demo_made_alone(
    pjais: Run, workspace: Path, tmp_path: Path
) -> None:
    code, _, err = pjais("demo", "-w", workspace, "--out", tmp_path / "out")

    assert code == 3
    assert "no demo made" in err
    assert (workspace / "journal.sqlite").is_file()


def test_follow_shows_what_another_process_commits_and_ends_cleanly_on_ctrl_c(
    workspace: Path,
) -> None:
    with child("log", "--follow", "--json", "-n", 1, "-w", workspace) as process:
        assert process.stdout is not None
        before = json.loads(process.stdout.readline())
        record(workspace, "Somebody knocks.")
        after = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)

    assert (before["seq"], after["seq"]) == (5, 6)
    assert after["args"]["content"] == "Somebody knocks."
    assert process.returncode == 130
    assert err == "Interrupted.\n"


def test_a_reader_that_goes_away_ends_the_log_quietly(workspace: Path) -> None:
    with pj.open(workspace, background=False) as lab:
        ada = lab.personas["Ada"].id
        with lab.batch():
            for n in range(3000):
                lab.memories.record(ada, f"{n} " + "x" * 90)

    with child("log", "-n", 3000, "-w", workspace) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        process.wait(timeout=60)

    assert (process.returncode, err) == (141, "")


@pytest.mark.skipif(os.name != "posix", reason="an execve is what is tested")
def test_open_becomes_jupyterlab(workspace: Path) -> None:
    with child("open", workspace, "--no-browser", "--port", 18973) as process:
        assert process.stderr is not None
        found = any("http://localhost:18973/lab" in line for line in process.stderr)
        process.kill()  # JupyterLab may hang when it is asked to end while it starts
        process.communicate()

    assert found


@pytest.mark.timeout(600)
def test_ctrl_c_ends_a_demo_cleanly_while_the_tour_runs(tmp_path: Path) -> None:
    size = ("--personas", 2, "--days", 1)
    with child("demo", *size, "-w", tmp_path / "town", "--out", tmp_path / "out") as process:
        assert process.stderr is not None
        told = ""
        while not told.endswith("tour …"):
            told += process.stderr.read(1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)

    assert process.returncode == 130
    assert err.endswith("Interrupted.\n")
    assert "Traceback" not in err


@pytest.mark.timeout(600)
def test_the_demo_runs_the_tour_and_tells_what_it_found(ask: Ask, tmp_path: Path) -> None:
    found = ask(
        *("demo", "--personas", 3, "--days", 2),
        *("-w", tmp_path / "town", "--out", tmp_path / "out"),
    )

    assert found["problem"] is None
    assert len(found["personas"]) == 3
    assert sum(t["memories"] for t in found["tiers"]) == sum(
        p["memories"] for p in found["personas"]
    )
    assert found["live"]["after"] == found["live"]["before"] + 5
    page = Path(found["html"]).read_text()
    assert page.count("data:image/svg+xml") >= 5
    assert re.findall(r"""(?:src|href)=["']?(?:https?:|//)|import\(|@import|<script""", page) == []
