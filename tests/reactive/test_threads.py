"""What becomes of acts, of views and of what moves when the interpreter ends."""

from __future__ import annotations

import os
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
from pjais_lab.reactive import threads
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
threads._LAST_S = 0.3
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
TOLD = """
import threading, time
from pjais_lab.reactive import threads
ended = threading.Event()
def work():
    ended.wait()
    time.sleep(0.2)
    print("ended", threads.is_over(), threads.begin(work, "late"))
threads.begin(work, "told", tell=ended.set, cancel=lambda: print("cancelled"))
"""
FORKED = """
import os, threading
from pjais_lab.reactive import threads
told = threading.Event()
threads.begin(told.wait, "parent's", tell=lambda: (print("told", flush=True), told.set()))
child = os.fork()
if child:
    assert os.waitpid(child, 0)[1] == 0
else:
    threads.begin(lambda: print("child's", flush=True), "child's")
"""
MOVING = """
import sys
import pjais_lab as pj
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.kernel = "of a notebook"
shown = []
shell.display_pub.publish = lambda *given, **more: shown.append(more)
shell.run_line_magic("load_ext", "pjais_lab")
lab = pj.open(sys.argv[1], background=False)
live = lab.live("FROM memories")
timeline = pj.views.Timeline(lab)
shell.display_formatter.ipython_display_formatter(live)
for n in range(50):
    lab.memories.record(lab.personas["Ada"], f"Note {n}.")
print(len(shown) > 1)
"""
CANCELLED = "Feel was cancelled. Nothing was changed.\n"
REFUSED = "The kernel is shutting down. Act again when it runs.\n"


def left(code: str, workspace: Path) -> tuple[int, str, str]:
    ran = subprocess.run(
        [sys.executable, "-c", code, workspace],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return ran.returncode, ran.stdout, ran.stderr


def test_the_end_of_the_interpreter_waits_for_an_act_under_way(bare_workspace: Path) -> None:
    with pj.open(bare_workspace, background=False) as lab, lab.batch():
        for n in range(MANY):
            lab.memories.record(lab.personas["Ada"], f"Note {n}.")

    ended = left(FORGETTING, bare_workspace)

    assert ended == (0, "", "")
    with pj.open(bare_workspace, background=False) as lab:
        forgotten = lab.query("SELECT count(*) FROM events WHERE name = 'v1.MemoryForgotten'")
        assert forgotten.item() == MANY
        assert lab.query("SELECT count(*) FROM memories").item() == 0


@pytest.mark.parametrize(("code", "said"), [(FOR_EVER, ""), (FOR_LONG, CANCELLED), (LATE, REFUSED)])
def test_an_act_that_waits_or_comes_late_keeps_nobody_from_leaving(
    bare_workspace: Path, code: str, said: str
) -> None:
    ended = left(FEELING + code, bare_workspace)

    assert ended == (0, said, "")
    with pj.open(bare_workspace, background=False) as lab:
        assert "v1.PersonaMoodChanged" not in lab.query("SELECT name FROM events")["name"]


def test_what_was_told_of_the_end_is_waited_for_and_nothing_begins_after(
    bare_workspace: Path,
) -> None:
    assert left(TOLD, bare_workspace) == (0, "ended True False\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_child_that_was_forked_ends_its_own_threads_only(bare_workspace: Path) -> None:
    assert left(FORKED, bare_workspace) == (0, "child's\ntold\n", "")


def test_what_moves_and_what_counts_again_let_the_interpreter_end(bare_workspace: Path) -> None:
    for _ in range(3):
        assert left(MOVING, bare_workspace) == (0, "True\n", "")
