"""Statements that nobody wrote: every kind that PostgreSQL has, with words exchanged, left out, doubled and mangled."""

from __future__ import annotations

import os
import re
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.unit.plugins.module_utils._sql.cases import CASES

# `make test` tries a few hundred of each kind, `make test-all` many.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "150"))
THOROUGH = settings(
    max_examples=EXAMPLES,
    deadline=None,
    # The seed is fixed where it must not fail by chance, and free where there is time to look at what it found.
    derandomize=EXAMPLES < 1000,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
# One of each command of the manual's reference part that cases.py does not have, with its rarer forms.
KINDS = [
    line.rstrip(";")
    for line in Path(__file__).with_name("kinds.sql").read_text().splitlines()
    if not line.startswith("--")
]
CORPUS = tuple(dict.fromkeys([*KINDS, *(case.sql for case in CASES), *(sql for case in CASES for sql in case.before)]))
WORDS = (
    "item",
    "other",
    "parent",
    "event",
    "attic",
    "public",
    "attic.item",
    "a.b.c",
    '"Item"',
    '"a.b"',
    '""""',
    "*",
    "qty",
    "note",
    "id",
    "int",
    "text",
    "mood",
    "serial",
    "varchar(3)",
    "numeric(1, 0)",
    "int[]",
    "SETOF int",
    "NULL",
    "DEFAULT",
    "1",
    "-1",
    "1e400",
    "99999999999999999999",
    "''",
    "'x'",
    "E'\\\\x00'",
    "$$x$$",
    "B'1'",
    "(",
    ")",
    "[",
    ",",
    ";",
    ".",
    "=",
    "::",
    "%",
    "$1",
    "ONLY",
    "CASCADE",
    "IF EXISTS",
    "IF NOT EXISTS",
    "CONCURRENTLY",
    "NOT VALID",
    "USING",
    "CHECK",
    "UNIQUE",
    "ALL",
    "(1)",
    "()",
    "CURRENT_USER",
    "PUBLIC",
    "now()",
    "random()",
    "f(VARIADIC a)",
    "SELECT 1",
    "/* x",
    "-- x\n",
    "\ufeff",
    "ü",
    "\x00",
    "\u2028",
)
_TOKEN = re.compile(r"""\w+|"[^"]*"|'[^']*'|\$(\w*)\$.*?\$\1\$|\s+|.""", re.DOTALL)


@st.composite
def statements(draw: st.DrawFn) -> str:
    """A statement of the corpus with at most four edits."""
    words = [match.group() for match in _TOKEN.finditer(draw(st.sampled_from(CORPUS)))]
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, max(0, len(words) - 1)))
        edit = draw(st.sampled_from(("exchange", "exchange", "leave out", "double", "borrow", "insert")))
        if edit == "leave out":
            del words[place : place + 1]
        elif edit == "double":
            words[place:place] = words[place : place + draw(st.integers(1, 4))]
        elif edit == "borrow":
            lent = [match.group() for match in _TOKEN.finditer(draw(st.sampled_from(CORPUS)))]
            first = draw(st.integers(0, len(lent)))
            words[place : place + 1] = lent[first : first + 6]
        else:
            words[place : place + (edit == "exchange")] = [f" {draw(st.sampled_from(WORDS))} "]
    return "".join(words)
