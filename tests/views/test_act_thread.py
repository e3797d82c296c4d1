"""What becomes of an act when the interpreter ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import pjais_lab as pj

MANY = 1_000
FORGETTING = """
import sys
import pjais_lab as pj
lab = pj.open(sys.argv[1], background=False)
table = pj.views.MemoryTable(lab)
ids = table.frame["entity_id"].to_list()
table.start_act(name="forget", given={"ids": ids}, token="once")
"""
FEELING = """
import atexit, sys, threading
import pjais_lab as pj
from pjais_lab.personas.events import PersonaMoodChanged
from pjais_lab.views import _act_thread
class Moods(pj.views.ActingView):
    sql = "SELECT 1"
    def __init__(self, lab):
        super().__init__("Moods")
        self.lab, self.begun, self.never = lab, threading.Event(), threading.Event()
    @pj.views.act("Feel")
    def feel(self, run: pj.views.Run, *, moods: list[str], seconds: float | None) -> pj.views.Done:
        ada, drafts = self.lab.personas["Ada"], []
        for mood in run.each(moods):
            self.begun.set()
            self.never.wait(seconds)
            drafts.append(PersonaMoodChanged(emotion=mood, intensity=1.0).on(ada))
        run.commit(self.lab, *drafts)
        return pj.views.Done("Felt.")
_act_thread._LAST_S = 0.3
lab = pj.open(sys.argv[1], background=False)
view = Moods(lab)
def feel(many, seconds):
    given = {"moods": ["joy"] * many, "seconds": seconds}
    return view.start_act(name="feel", given=given, token=str(many))
"""
FOR_EVER = """
feel(1, None)
view.begun.wait()
"""
FOR_LONG = """
atexit.register(lambda: print(view._acts_state()["last"]["said"]))
feel(100_000, 0.001)
view.begun.wait()
"""
LATE = """
def late():
    try:
        feel(2, 0)
    except pj.errors.ViewError as error:
        print(error)
atexit.register(late)
"""
CANCELLED = "Feel was cancelled. Nothing was changed.\n"
REFUSED = "The kernel is shutting down. Act again when it runs.\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    path = tmp_path / "town"
    with pj.open(path, background=False) as lab:
        lab.personas.create("Ada")
    return path


def left(code: str, workspace: Path) -> tuple[int, str, str]:
    ran = subprocess.run(
        [sys.executable, "-c", code, workspace],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return ran.returncode, ran.stdout, ran.stderr


def test_the_end_of_the_interpreter_waits_for_an_act_under_way(workspace: Path) -> None:
    with pj.open(workspace, background=False) as lab, lab.batch():
        for n in range(MANY):
            lab.memories.record(lab.personas["Ada"], f"Note {n}.")

    ended = left(FORGETTING, workspace)

    assert ended == (0, "", "")
    with pj.open(workspace, background=False) as lab:
        forgotten = lab.query("SELECT count(*) FROM events WHERE name = 'v1.MemoryForgotten'")
        assert forgotten.item() == MANY
        assert lab.query("SELECT count(*) FROM memories").item() == 0


@pytest.mark.parametrize(("code", "said"), [(FOR_EVER, ""), (FOR_LONG, CANCELLED), (LATE, REFUSED)])
def test_an_act_that_waits_or_comes_late_keeps_nobody_from_leaving(
    workspace: Path, code: str, said: str
) -> None:
    ended = left(FEELING + code, workspace)

    assert ended == (0, said, "")
    with pj.open(workspace, background=False) as lab:
        assert "v1.PersonaMoodChanged" not in lab.query("SELECT name FROM events")["name"]
