"""A process that appends to a journal as fast as it can and reports each acknowledged commit.

Usage: python journal_writer.py JOURNAL NAME. Started by the break tests, which kill it.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from pjais_lab.storage._sqlite import SqliteJournal
from pjais_lab.testing.chunks import next_chunk


def main(path: Path, name: str) -> None:
    """Append commits of 1 to 300 events under keys; every acknowledged one goes to stdout."""
    journal = SqliteJournal(path)
    dice = random.Random()
    n = 0
    while True:
        key = f"{name}-{n}"
        size = dice.choice((1, 1, 1, 7, 300))
        with journal.lock():
            chunk = next_chunk(journal, [f'{{"mark":"{key}.{i}"}}' for i in range(size)])
            journal.append(chunk, key=key)
        print(key, chunk.seq_first, chunk.seq_last, flush=True)
        n += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
