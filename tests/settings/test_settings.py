from __future__ import annotations

import pytest

import pjais_lab as pj
from pjais_lab.core.ids import natural_id
from pjais_lab.errors import RejectedError
from pjais_lab.settings.events import SettingChanged


def test_a_setting_keeps_any_json(lab: pj.Lab) -> None:
    lab.settings["tiers"] = {"hot": [1, 2.5, None], "on": True}

    assert lab.settings["tiers"] == {"hot": [1, 2.5, None], "on": True}


def test_the_last_value_counts(lab: pj.Lab) -> None:
    lab.settings["theme"] = "dark"
    lab.settings["theme"] = "light"

    assert dict(lab.settings) == {"theme": "light"}


def test_null_is_a_value(lab: pj.Lab) -> None:
    lab.settings["theme"] = None

    assert "theme" in lab.settings
    assert lab.settings["theme"] is None


def test_a_cleared_setting_can_be_set_again(lab: pj.Lab) -> None:
    lab.settings["theme"] = "dark"
    del lab.settings["theme"]
    assert "theme" not in lab.settings

    lab.settings["theme"] = "light"

    assert lab.settings["theme"] == "light"


def test_a_setting_that_is_not_there_is_a_key_error(lab: pj.Lab) -> None:
    with pytest.raises(KeyError, match="theme"):
        lab.settings["theme"]


def test_a_key_is_lower_case(lab: pj.Lab) -> None:
    with pytest.raises(RejectedError, match="'key'"):
        lab.settings["Theme!"] = "dark"


def test_one_key_cannot_live_twice_under_another_id(lab: pj.Lab) -> None:
    lab.settings["theme"] = "dark"

    with pytest.raises(RejectedError, match="already has the key 'theme'"):
        lab.commit(SettingChanged("theme", "light").on(entity=natural_id("elsewhere")))
