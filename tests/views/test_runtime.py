from __future__ import annotations

import gzip

import pytest

import pjais_lab as pj
from pjais_lab.errors import ViewError
from pjais_lab.views import _runtime
from tests.views.conftest import Wire
from tests.views.counter import Counter

LARGEST = 120_000


def test_the_bundle_is_small() -> None:
    assert len(gzip.compress(_runtime.bundle().encode())) < LARGEST


def test_loader_and_bundle_meet_under_this_version() -> None:
    symbol = f"pjais_lab@{pj.__version__}"

    assert symbol in _runtime.LOADER
    assert symbol in _runtime.bundle()
    assert "__PJAIS_SYMBOL__" not in _runtime.bundle()


def test_the_bundle_names_no_address_to_load_from() -> None:
    assert "import(" not in _runtime.bundle()
    assert "fetch(" not in _runtime.bundle()


def test_an_installation_that_was_never_built_says_what_to_do() -> None:
    with pytest.raises(ViewError, match="browser's half of the views is missing") as caught:
        _runtime.bundle("nothing.js")

    assert "python hatch_build.py" in str(caught.value)


def test_one_runtime_serves_all_views_until_it_is_closed(wire: Wire, lab: pj.Lab) -> None:
    first, second = Counter(lab), Counter(lab)
    old = first._runtime
    assert second._runtime is old

    old.close()
    third = Counter(lab)

    assert third._runtime is not old
    wire.ask(third, "add", a=1)
    assert wire.answers().parts == {"value": 2}
