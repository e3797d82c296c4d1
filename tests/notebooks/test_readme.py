"""What the README shows works as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
LONGEST_EXAMPLE = 30


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_the_examples_run_one_after_the_other(tmp_path: Path) -> None:
    folder = tmp_path / "smallville" / "Cy"
    folder.mkdir(parents=True)
    (folder / "scratch.json").write_text('{"name": "Cy"}')
    (folder / "nodes.json").write_text("{}")
    first, *others = blocks("python")
    program = "\n".join(
        [first.replace("lab.close()", ""), *others, "print(lab.query('FROM books'))"]
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "Emma" in done.stdout


def test_the_api_is_shown_in_about_twenty_lines() -> None:
    lines = [line for line in blocks("python")[0].splitlines() if line.strip()]

    assert len(lines) <= LONGEST_EXAMPLE


def test_pictures_and_links_lead_to_files() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)

    assert targets
    assert [t for t in targets if not (ROOT / t).exists()] == []


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()

    named = set(
        re.findall(r"\bmake ([a-z]+)\b", " ".join([*blocks("sh"), *re.findall("`[^`]+`", README)]))
    )

    assert named
    assert [n for n in named if not re.search(rf"^{n}:", makefile, re.MULTILINE)] == []
