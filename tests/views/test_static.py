from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

import pjais_lab as pj
from pjais_lab.core.markup import LIMIT
from pjais_lab.views import _fallback
from tests.views.conftest import Wire

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "'\" onmouseover='alert(1)",
    "</style></td></table><iframe src='//x.example'>",
    "\x1b[31mred\x1b]8;;http://x.example\x07link",
    "abc\u202egpj.exe\u2066",
    "${alert(1)} {{7*7}} $x$ [a](javascript:alert(1))",
]
TAGS = set(
    "html head meta title body div span strong b i bdi table thead tbody tr th td svg polyline".split()
)


class Reader(HTMLParser):
    """Collects what could act."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.acts: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.acts += [tag] if tag not in TAGS else []
        self.acts += [n for n, _ in attrs if n.startswith("on") or n in {"src", "href", "srcdoc"}]
        self.acts += [v for n, v in attrs if n == "style" and v and "url(" in v]

    def handle_data(self, data: str) -> None:
        self.words += data


def inert(html: str) -> str:
    """The words of a page, after a look at whether anything in it could act, hide or reorder."""
    found = Reader(html)
    assert found.acts == []
    assert not any(c in html for c in "\x1b\x07\u202e\u2066")
    return found.words


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert_in_every_field_of_a_card(wire: Wire, lab: pj.Lab, text: str) -> None:
    ada = lab.personas.create(text, description=text)
    lab.memories.record(ada, text, kind="fact")
    lab.personas.change_mood(ada, "joy", 60)
    card = pj.views.PersonaCard(lab, ada)

    words = inert(card.to_html())

    assert words.count("alert(1)") >= 3 * text.count("alert(1)")
    inert(card._repr_mimebundle_()[0]["text/html"])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert_in_titles_errors_and_queries(
    wire: Wire, lab: pj.Lab, text: str
) -> None:
    view = pj.views.LabStatus(lab, title=text)
    lab.live("SELECT $x AS x", x=text)
    view._channel.fail(ValueError(text))

    words = inert(view.to_html())

    assert "ValueError: " in words


def test_the_standalone_page_asks_for_nothing_and_holds_the_numbers(
    wire: Wire, lab: pj.Lab, ada: pj.PersonaModel, tmp_path: Path
) -> None:
    for i in range(3):
        lab.memories.record(ada, f"Note {i}", kind="fact")
        lab.personas.change_mood(ada, "joy", 10 * (i + 1))
    path = tmp_path / "card.html"

    text = pj.views.PersonaCard(lab, ada).to_html(path)

    assert path.read_text() == text
    assert text.startswith("<!doctype html>")
    words = inert(text)
    assert "Memories by kind and tier" in words
    assert "Mood: 3 values, the last 30" in text
    assert "http" not in text


def test_a_static_view_has_a_bounded_size(wire: Wire, lab: pj.Lab) -> None:
    ada = lab.personas.create("Ada", description="<" * 5_000)
    for i in range(60):
        lab.memories.record(ada, "<&>" * 500, kind="fact" if i % 2 else "event")

    assert len(pj.views.PersonaCard(lab, ada).static()) < LIMIT


def test_pieces_without_content_are_left_out() -> None:
    assert _fallback.table("Rows", pl.DataFrame({"a": []})) == ""
    assert _fallback.course("Mood", [None], 100) == ""
    assert _fallback.part("Traits", "") == ""
