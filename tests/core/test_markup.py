"""What a cell shows of an object: inert, bounded, and honest about what it left out."""

from __future__ import annotations

import datetime as dt
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjais_lab.core import markup
from pjais_lab.errors import QueryError

HOSTILE = [
    "<script>alert(1)</script>",
    "<svg/onload=alert(1)>",
    "<img src=x onerror='alert(1)'>",
    "' onmouseover='alert(1)",
    '"><iframe src="javascript:alert(1)">',
    "</div></td></table><style>*{display:none}</style>",
    "&lt;b&gt; &#60;script&#62;",
    "\x1b[2J\x1b[31mred\x07",
    "\u202egnp.exe\u2066",
    "half \ud83d of a pair",
    "a\u2028b\u2029c\nd\re\x00f",
    "\U000e0041\ufeff\u200b",
]
TAGS = {"bdi", "div", "i", "strong", "table", "tbody", "td", "th", "thead", "tr"}
ATTRIBUTES = {"role", "style"}
CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


class Page(HTMLParser):
    """Tags, attributes and texts of a piece of HTML, and whether its tags are balanced."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def everything(text: str) -> str:
    """Every kind of section, with a text wherever one can be."""
    return markup.card(
        text,
        text,
        markup.trouble(text),
        markup.tiles({text: text}),
        markup.facts([(text, text)]),
        markup.bars([(text, 50.0)]),
        markup.grid([text, text], [(text, [text]), ({text: text}, None)], right=(False, True)),
        markup.line(text, None, text),
    )


def is_inert(html: str) -> bool:
    page = Page(html)
    return (
        page.tags <= TAGS
        and page.attributes <= ATTRIBUTES
        and page.open == []
        and not CONTROL.search(html)
    )


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_does_nothing_in_a_page(text: str) -> None:
    assert is_inert(everything(text))


@given(st.text(st.characters(categories=None)))
def test_no_text_does_anything_in_a_page(text: str) -> None:
    html = everything(text)

    assert is_inert(html)
    html.encode()


def test_the_check_for_inert_pages_sees_what_is_not() -> None:
    assert not is_inert("<script></script>")
    assert not is_inert("<div onclick='x'></div>")
    assert not is_inert("<div>\x1b</div>")
    assert not is_inert("<div>")


def test_what_is_shown_as_an_escape_can_still_be_read() -> None:
    assert markup.visible("a\x1bb\u202ec\ud83d") == "a\\x1bb\\u202ec\\ud83d"
    assert (
        markup.visible("zwj 👩\u200d🔬, می\u200cخواهم, naïve")
        == "zwj 👩\u200d🔬, می\u200cخواهم, naïve"
    )
    assert markup.visible("a\nb", lines=True) == "a\nb"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, "yes"),
        (0.1 + 0.2, "0.3"),
        (1.5e-9, "1.5e-09"),
        (float("nan"), "nan"),
        (-float("inf"), "-inf"),
        (0.0, "0.0"),
        (10**38, "1" + "0" * 38),
        (dt.datetime(2026, 11, 1, 14, 30), "2026-11-01 14:30:00"),
        (dt.datetime(2026, 11, 1, 14, 30, 0, 5000), "2026-11-01 14:30:00.005"),
        (dt.date(2026, 11, 1), "2026-11-01"),
        (b"\x00<b>", "b&#x27;\\x00&lt;b&gt;&#x27;"),
        (["a", "<b>"], "[a, &lt;b&gt;]"),
        ([], "[]"),
        (["a", None], "[&#x27;a&#x27;, None]"),
    ],
    ids=repr,
)
def test_values_are_shown_as_one_reads_them(value: object, shown: str) -> None:
    assert markup.inert(value) == shown


@pytest.mark.parametrize(
    "value",
    [
        "x" * 10**7,
        "\U000e0041" * 10**6,
        "<" * 10**6,
        b"\x00" * 10**7,
        list(range(10**6)),
        ["x" * 99] * 10**6,
        [["&" * 10**6]],
    ],
    ids=["long", "hidden", "tags", "bytes", "list", "texts", "nested"],
)
def test_a_huge_value_takes_little_room(value: object) -> None:
    table = markup.grid(["a"] * 300, [[value] * 300] * 1000, right=[False] * 300)
    html = markup.card(
        "x", value, table, markup.facts([(value, value)] * 500), markup.trouble(value)
    )

    assert len(html) < markup.LIMIT
    assert is_inert(html)
    assert len(markup.one_line(value)) <= 160


def test_a_table_says_what_it_leaves_out() -> None:
    narrow = markup.grid(["n"], [[n] for n in range(12)], right=[True])
    of_more = markup.grid(["n"], [[1]], right=[True], height=5_000)
    wide = markup.grid([f"c{n}" for n in range(20)], [range(20)], right=[True] * 20)
    whole = markup.grid(["n"], [[1]], right=[True])

    assert "first 10 of 12 rows" in narrow
    assert "first 1 of 5,000 rows" in of_more
    assert "4 more columns" in wide
    assert "first" not in whole


def test_rows_that_would_not_fit_are_counted_not_cut_in_the_middle() -> None:
    rows = [["\U000e0041" * 99] * 16] * 30
    table = markup.grid(["a"] * 16, rows, right=[False] * 16, most=30)

    shown = table.count("<tr") - 1
    assert shown < 30
    assert f"first {shown} of 30 rows" in table


def test_facts_without_room_are_counted() -> None:
    html = markup.facts([(n, "x" * 400) for n in range(100)])

    shown = html.count("<tr")
    assert 10 < shown < 100
    assert f"{100 - shown} more" in html


def test_a_card_says_how_many_parts_it_has_no_room_for() -> None:
    html = markup.card("Lab", "mine", "x" * 40_000, markup.line("small"), "y" * 40_000)

    assert len(html) < markup.LIMIT
    assert "small" in html
    assert "2 more parts" in html


def test_a_sheet_is_its_sections_in_the_type_of_a_card() -> None:
    html = markup.sheet(markup.line("a"), markup.line("b"))

    assert is_inert(html)
    assert html.index("a</bdi>") < html.index("b</bdi>")


def test_bars_stay_between_nothing_and_full() -> None:
    html = markup.bars([("low", -5.0), ("high", 500.0), ("odd", float("nan")), ("none", None)])

    assert re.findall(r"width:(\d+)%", html) == ["0", "100", "0", "0"]
    assert "–" in html


def test_a_repr_that_cannot_be_made_says_why() -> None:
    def fail() -> str:
        raise QueryError("No \x1b[31mluck.", hint="Try again.")

    assert markup.said(lambda: "fine") == "fine"
    assert markup.said(fail) == "No \\x1b[31mluck."
