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


def test_the_bundle_is_no_code_of_the_model_that_carries_it(wire: Wire, lab: pj.Lab) -> None:
    """A page would evaluate it, and keep it, once more for each restart of the kernel."""
    runtime = Counter(lab)._runtime
    (opened,) = wire.of(runtime, "comm_open")

    assert opened.data["state"]["_bundle"] == _runtime.bundle()
    assert len(opened.data["state"]["_esm"]) < 1_000


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


def test_what_a_page_says_together_is_heard_in_order(wire: Wire, lab: pj.Lab) -> None:
    first, second = Counter(lab), Counter(lab)
    shown = [{"t": "attach", "view": v.model_id, "seq": 0} for v in (first, second)]

    wire.say(t="all", all=[*shown, {"t": "bye", "view": first.model_id}])

    assert (first.is_shown, second.is_shown) == (False, True)


def test_views_share_a_class_and_have_a_layout_once_it_is_asked_for(
    wire: Wire, lab: pj.Lab
) -> None:
    view = Counter(lab)
    (opened,) = wire.of(view, "comm_open")
    before = [m.data["state"]["_model_name"] for m in wire.messages if m.kind == "comm_open"]
    assert type(view) is Counter
    assert "layout" not in opened.data["state"]
    assert "LayoutModel" not in before

    view.layout.width = "50%"

    sent = [m.data["state"] for m in wire.messages if m.comm_id == view.model_id][-1]
    assert sent == {"layout": f"IPY_MODEL_{view.layout.model_id}"}
    assert view.layout.get_state()["width"] == "50%"
