from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import pjais_lab as pj
from pjais_lab.errors import CatalogError
from pjais_lab.storage.workspace import Workspace


def test_a_lake_older_than_the_journal_is_named_not_passed_over(tmp_path: Path) -> None:
    with pj.open(tmp_path / "w", background=False) as lab:
        lab.personas.create("Ada")
        lab.seal()
    with Workspace.open(tmp_path / "w") as workspace:
        workspace.journal().purge(1)
    shutil.rmtree(tmp_path / "w" / "lake")

    with pytest.raises(CatalogError, match="neither in the journal nor in the lake"):
        pj.open(tmp_path / "w", background=False)
