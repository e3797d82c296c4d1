"""A process that commits as fast as it can and reports each acknowledged commit on stdout.

Usage: python writer.py WORKSPACE NAME [SECONDS]. Started by the break tests, which kill it.
"""

from __future__ import annotations

import random
import sys
import time

import pjais_lab as pj
from pjais_lab.memories.events import MemoryRecorded


def main(path: str, name: str, seconds: float = 1e9) -> None:
    """Record memories one by one and in batches; every acknowledged id goes to stdout."""
    lab = pj.open(path)
    persona = lab.personas.get(name) or lab.personas.create(name)
    dice = random.Random()
    end = time.monotonic() + seconds
    n = 0
    print("ready", flush=True)
    while time.monotonic() < end:
        size = dice.choice((1, 1, 1, 5, 50))
        drafts = [MemoryRecorded(f"{name} {n + i}").on(persona) for i in range(size)]
        n += size
        done = lab.commit(*drafts)
        print("ack", *done.entity_ids, flush=True)
        if dice.random() < 0.05:
            lab.seal()
            print("sealed", flush=True)
    lab.close()
    print("done", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *(float(a) for a in sys.argv[3:]))
