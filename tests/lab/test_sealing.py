from __future__ import annotations

from pathlib import Path

import pjais_lab as pj


def test_sealing_by_hand_waits_for_the_lab_that_is_sealing_by_itself(tmp_path: Path) -> None:
    with pj.open(tmp_path / "lab", background=True) as lab:
        for n in range(2):
            guest = lab.personas.create(f"Guest {n}")
            lab.memories.record(guest, "Only passing through.")
            lab.seal()
            lab.personas.erase(guest)
            lab._parts.keeper.nudge()  # the erasure is due in the lake at once

            assert lab.seal() == lab.position
