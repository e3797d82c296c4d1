"""A small disk of one's own: a tmpfs in a mount namespace, gone with the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_ALONE = ["unshare", "--mount", "--map-root-user"]
_MOUNT = """
import subprocess, sys
from pathlib import Path
disk = Path(sys.argv[1])
def mount(*options):
    subprocess.run(["mount", "-t", "tmpfs", *options, "none", str(disk)], check=True)
mount("-o", "size=" + sys.argv[2])
"""


def on_small_disk(folder: Path, size: str, code: str) -> str:
    """Run code in a process that has a disk ``disk`` of that size at the folder; what it printed."""
    try:
        probe = [*_ALONE, "mount", "-t", "tmpfs", "none", str(folder)]
        subprocess.run(probe, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this system lets nobody mount a small disk")
    command = [*_ALONE, sys.executable, "-c", _MOUNT + code, str(folder), size]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return done.stdout
