from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import pjais_lab as pj

Run = Callable[..., str]

SERVER = "data/etc/jupyter/jupyter_server_config.d/pjais_lab.json"
EXTENSION = "data/share/jupyter/labextensions/pjais-lab"
STATIC = {"pjais_lab/views/static/runtime.js", "pjais_lab/ext/jupyter/labextension/package.json"}

PLAIN = """
import importlib.util, json, pathlib, sys
import duckdb

con = duckdb.connect()
for name in ("sqlite_scanner", "ducklake"):
    wheel = pathlib.Path(importlib.util.find_spec(f"duckdb_extension_{name}").origin).parent
    con.load_extension(str(next(wheel.rglob("*.duckdb_extension"))))
con.execute(f"ATTACH 'ducklake:sqlite:{sys.argv[1]}' AS lake (READ_ONLY)")
rows = con.execute("SELECT seq, name, args->>'content' FROM lake.events ORDER BY seq").fetchall()
print(json.dumps({"rows": rows, "ours": importlib.util.find_spec("pjais_lab") is not None}))
"""


VIEW = """
import sys, pjais_lab as pj
with pj.open(sys.argv[1], background=False) as lab:
    lab.personas.create("Ada")
    view = pj.views.PersonaCard(lab, "Ada")
    print(view.to_html().count("Ada") > 0, len(view._runtime._bundle) > 20_000)
"""

LISTED = """
import subprocess, sys
subprocess.run([sys.executable, "-m", "jupyter", "labextension", "list"], stderr=sys.stdout, check=True)
"""


def members(archive: Path) -> list[str]:
    if archive.suffix == ".whl":
        return zipfile.ZipFile(archive).namelist()
    with tarfile.open(archive) as tar:
        return tar.getnames()


def test_the_wheel_holds_the_package_and_nothing_else(built: Path) -> None:
    names = members(next(built.glob("*.whl")))

    tops = {name.split("/")[0] for name in names}

    about, data = (f"pjais_lab-{pj.__version__}.{kind}" for kind in ("dist-info", "data"))
    assert tops == {"pjais_lab", about, data}
    shared = {name.removeprefix(f"{data}/") for name in names if name.startswith(data)}
    (entry,) = (name for name in shared if name.startswith(f"{EXTENSION}/static/remoteEntry."))
    about_extension = {f"{EXTENSION}/{name}.json" for name in ("package", "install")}
    assert shared == {SERVER, entry, *about_extension}
    assert "pjais_lab/py.typed" in names
    assert "pjais_lab/cli/jupyter/labconfig/default_setting_overrides.json" in names
    assert f"{about}/licenses/LICENSE" in names
    assert set(names) >= STATIC


def test_the_sdist_can_be_tested_where_it_is_unpacked(built: Path) -> None:
    names = members(next(built.glob("*.tar.gz")))

    inside = {name.partition("/")[2] for name in names}

    assert {
        "Makefile",
        "constraints.txt",
        "notebooks/00_tour.ipynb",
        "README.md",
        "LICENSE",
    } < inside
    assert "tests/package/test_distribution.py" in inside
    assert STATIC | {"hatch_build.py", "js/package-lock.json", "js/src/runtime.ts"} < inside
    assert not any("node_modules" in name for name in inside)


def test_an_unpacked_sdist_is_built_without_node_until_its_typescript_changes(
    built: Path, run: Run, tmp_path: Path
) -> None:
    run(sys.executable, "-m", "tarfile", "-e", next(built.glob("*.tar.gz")), tmp_path, cwd=tmp_path)
    checkout = next(tmp_path.iterdir())
    command = [sys.executable, "-S", "hatch_build.py"]  # no site-packages, so no Node from there

    untouched = run(*command, cwd=checkout, PATH="")
    (checkout / "js/src/frame.ts").write_text("export {};")
    changed = subprocess.run(
        command, cwd=checkout, env={"PATH": ""}, capture_output=True, text=True, check=False
    )

    assert untouched == "up to date\n"
    assert changed.returncode == 1
    assert changed.stderr.startswith("The browser's half (js/) could not be built: ")
    assert "install Node 20 or newer" in changed.stderr
    assert changed.stderr.count("\n") == 1


@pytest.mark.timeout(900)
def test_the_tour_runs_on_the_installed_wheel_also_a_second_time(
    built: Path, environment: Callable[..., Path], run: Run, tmp_path: Path
) -> None:
    bin_ = environment(next(built.glob("*.whl")))
    run(sys.executable, "-m", "tarfile", "-e", next(built.glob("*.tar.gz")), tmp_path, cwd=tmp_path)
    checkout = next(tmp_path.iterdir())
    for rival in ("pjais_lab", "tests"):  # the installed package is what is tried
        (checkout / rival).rename(checkout / f"not_{rival}")

    size = ["--personas", 4, "--days", 2]
    first = json.loads(run(bin_ / "pjais", "demo", *size, "--json", cwd=checkout))
    again = run(
        bin_ / "python",
        "-c",
        "from pathlib import Path; from pjais_lab.cli.tour import run_tour;"
        "print(run_tour(Path('notebooks/00_tour.ipynb'), Path('workspaces/demo'), Path('out'))[1])",
        cwd=checkout,
    )

    assert first["problem"] is None
    assert Path(first["html"]).is_file()
    assert again == "None\n"
    said = run(bin_ / "python", "-c", LISTED, cwd=tmp_path, NO_COLOR="1")
    assert re.search(rf"pjais-lab v{pj.__version__} \S*enabled\S* \S*OK", said)
    assert run(bin_ / "python", "-c", VIEW, tmp_path / "lab", cwd=tmp_path) == "True True\n"


def test_a_plain_duckdb_reads_the_lake_without_a_line_of_ours(
    environment: Callable[..., Path], run: Run, tmp_path: Path
) -> None:
    with pj.open(tmp_path / "lab", background=False) as lab:
        ada = lab.personas.create("Ada")
        lab.memories.record(ada, "The engine hums.")
        lab.seal()
    names = ("duckdb", "duckdb-extension-ducklake", "duckdb-extension-sqlite-scanner")
    bin_ = environment(*names)

    found = json.loads(
        run(bin_ / "python", "-c", PLAIN, tmp_path / "lab/lake/catalog.sqlite", cwd=tmp_path)
    )

    assert not found["ours"]
    assert found["rows"] == [
        [1, "v1.PersonaCreated", None],
        [2, "v1.MemoryRecorded", "The engine hums."],
    ]
