"""``%lab`` and ``%%lab``."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl
from IPython.core.magic import needs_local_scope, no_var_expand

from pjais_lab.core.markup import visible
from pjais_lab.errors import LabError, QueryError
from pjais_lab.ext._answers import Answers
from pjais_lab.ext._frames import Frames
from pjais_lab.ext._moving import Stage, cell_of
from pjais_lab.ext._request import Request, parse
from pjais_lab.ext._variables import find_lab, moment_of, parameters, values
from pjais_lab.lab.lab import Lab
from pjais_lab.storage.duck import connect
from pjais_lab.storage.sqlparse import analyse

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["LabMagic"]

_HELP = """Ask a lab in SQL: its state (``memories``, …) and its log (``events``).

%lab [options] [AT moment] SELECT …        one line; gives a polars frame, as in x = %lab SELECT 1
%%lab [options] [AT moment]                a cell; the SQL stands below
%lab                                       the lab itself
%lab frames on | off                       show every polars, pandas or Arrow table that ends a cell
                                           as a live pj.views.Table; off until you say so

-l, --lab NAME    the variable that holds the lab; the only open lab if left out
-o, --out NAME    put the answer into a variable as well
--live            a live query: it moves when the answer changes, in whatever process
--clock commit    a time means when things were committed, not when they happened

AT '2026-11-01 14:30' asks the lab as it was then, AT 120 as it was at event 120; the moment may be
a variable: AT $moment. In the SQL, $name and {name} stand for the values of your variables; they
are handed over as values and never become part of the SQL.
"""


class LabMagic:
    """Answers ``%lab`` and ``%%lab``.

    Args:
        shell: whose variables are meant.
        stage: keeps track of live queries.
        answers: keeps track of frames.
        frames: shows frames as tables while that is on.

    Attributes:
        shell: whose variables are meant.
        function: what IPython calls.
    """

    def __init__(
        self, shell: InteractiveShell, stage: Stage, answers: Answers, frames: Frames
    ) -> None:
        self.shell = shell
        self._stage = stage
        self._answers = answers
        self._frames = frames
        self._parser = connect(threads=1)
        self.function = _function(self)

    def close(self) -> None:
        """Let go of the parser."""
        self._parser.close()

    def run(self, line: str, cell: str, names: Mapping[str, Any]) -> Any:
        """Answer a line or a cell.

        Raises:
            LabError: it cannot be answered; shown as one sentence.
        """
        word, *words = line.split() or [""]
        if word == "frames" and not cell:
            return self._frames.switch(words)
        request = parse(line, cell)
        if not request.sql and not cell:
            answer: Any = find_lab(request.lab, names)
        else:
            answer = self._answer(request, names)
        if isinstance(answer, pl.DataFrame):
            self._answers.note(answer)
        if request.out is not None:
            self.shell.user_ns[request.out] = answer
        return answer

    def _answer(self, request: Request, names: Mapping[str, Any]) -> Any:
        lab = find_lab(request.lab, names)
        sql = parameters(request.sql)
        bound = values(analyse(self._parser, sql).parameters, names)
        if not (request.is_live or request.is_past):
            return lab.query(sql, **bound)
        if not isinstance(lab, Lab):
            msg = f"{lab!r} is the past already; --live and AT need an open lab."
            raise QueryError(msg, hint="Name the lab it came from with -l.")
        if request.is_live:
            live = lab.live(sql, **bound)
            self._stage.made(live, cell_of(self.shell))
            return live
        name = request.moment_name
        moment: Any = request.moment if name is None else moment_of(name, names)
        with lab.at(moment, clock=request.clock) as past:
            return past.query(sql, **bound)


def _function(magic: LabMagic) -> Callable[..., Any]:
    @no_var_expand
    @needs_local_scope
    def lab(line: str, cell: str = "", local_ns: Mapping[str, Any] | None = None) -> Any:
        names = ChainMap(dict(local_ns or {}), magic.shell.user_ns)
        try:
            return magic.run(line, cell, names)
        except LabError as error:
            said = visible(f"{type(error).__name__}: {error}")
            vars(error)["_render_traceback_"] = lambda: [said]  # IPython asks for it by this name
            raise

    lab.__doc__ = _HELP
    return lab
