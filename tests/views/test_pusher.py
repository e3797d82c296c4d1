from __future__ import annotations

import subprocess
import sys

ENDING = """
import threading
import duckdb
from pjais_lab.views._transport import Channel

begun, base = threading.Event(), duckdb.connect()
base.execute("SET enable_progress_bar = false")
def counted():
    begun.set()
    return base.execute("SELECT count(*) FROM range(200_000_000) t(i) WHERE i % 7 = 3").fetchone()
channel = Channel(lambda said, buffers: print(said["parts"]["n"]))
channel.put_later("n", counted)
channel.attach("page", -1)
begun.wait()
"""


def test_the_end_of_the_interpreter_waits_for_what_is_being_sent() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", ENDING], check=False, capture_output=True, text=True, timeout=60
    )

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "{'json': (28571429,)}\n", "")
