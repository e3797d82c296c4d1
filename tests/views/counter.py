"""A view as small as one can be, with something to go wrong in every place."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import polars as pl

import pjais_lab as pj
from pjais_lab.core.markup import facts
from pjais_lab.views._base import View
from pjais_lab.views._requests import answer

SQL = "SELECT count(*) AS n FROM memories"


class Counter(View):
    """How many memories there are; it dislikes some numbers."""

    kind = "lab_status"

    def __init__(self, lab: pj.Lab, *, refuse: int = -1, label: str = "Counter") -> None:
        super().__init__(label)
        self.refuse = refuse
        self.gate = threading.Event()
        self.noted: list[str] = []
        self.refusal: Exception = ValueError("refused")
        self.query = lab.live(SQL)
        self.follow("n", self.query, self._number, is_main=True)

    def _number(self, frame: pl.DataFrame) -> int:
        if frame.item() == self.refuse:
            raise ValueError(f"{self.refuse} is a number I refuse")
        return int(frame.item())

    @property
    def sql(self) -> str:
        return SQL

    @property
    def frame(self) -> pl.DataFrame:
        return self.query.frame

    def sections(self) -> Iterable[str]:
        yield facts([("n", self.frame.item())])

    @answer
    def add(self, *, a: int, b: int = 1) -> int:
        return a + b

    @answer
    def rows(self, *, count: int) -> dict[str, object]:
        return {"rows": pl.DataFrame({"i": range(count)}), "thread": threading.get_ident()}

    @answer
    def note(self, *, word: str) -> None:
        if word == "first":
            assert self.gate.wait(10)
        self.noted.append(word)

    @answer
    def slow(self, *, word: str) -> str:
        if word == "first":
            assert self.gate.wait(10)
        return word

    @answer
    def refuse_it(self) -> int:
        raise self.refusal
