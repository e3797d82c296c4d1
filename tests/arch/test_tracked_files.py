"""What must not get into the repository: traces of the machine it was written on."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

PATHS = re.compile(r"(?<![\w.~-])/(?:work|root|Users/\w+)/")
INDEXES = re.compile(
    r"https?://[\w.:@-]*(?:pypi|pythonhosted|npmjs|artifactory|nexus|/simple\b)"
    r"|(?:index-url|find-links)\s*[= ]\s*\S*[/:]",
    re.IGNORECASE,
)


@pytest.mark.parametrize("pattern", [PATHS, INDEXES], ids=["absolute path", "package index"])
def test_no_tracked_file_names_an(pattern: re.Pattern[str], root: Path) -> None:
    found = [
        f"{path}:{number}: {line.strip()[:100]}"
        for path in _tracked(root)
        for number, line in enumerate(_text(root / path).splitlines(), 1)
        if pattern.search(line)
    ]

    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "see /" + "work/main/README.md",
        "--extra-index-url " + "file:///srv/simple",
        "https://files." + "pythonhosted.org/x.whl",
    ],
)
def test_the_patterns_find_what_they_are_for(line: str) -> None:
    assert PATHS.search(line) or INDEXES.search(line)


def _tracked(root: Path) -> list[str]:
    if not (root / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return [p for p in listed.split("\0") if p and (root / p).is_file()]


def _text(path: Path) -> str:
    data = path.read_bytes()
    return "" if b"\0" in data[:8000] else data.decode(errors="replace")
