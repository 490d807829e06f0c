"""URLs of PostgreSQL with a password that somebody wrote into them as it is."""

from __future__ import annotations

import itertools

SPECIAL = ":/?#[]@!$&'()*+,;=%\\^{}|<>\" ~`-"
PIECES = ("HUN", "TER", "TWO")
PLACE = "db:5432/agent_db"


def urls() -> list[str]:
    """URLs whose password holds each special character at its begin, in it and at its end, and two of them."""
    one = [form.format(char) for char in SPECIAL for form in ("{}12HUNTER34", "12HUN{}TER34", "12HUNTER34{}")]
    two = [f"12HUN{a}TER34{b}TWO56" for a, b in itertools.product(":/?#[]@%&= ", repeat=2)]
    # A number before the slash is a port, as far as libpq can see.
    digits = [f"12{char}HUNTER34" for char in SPECIAL]
    return [f"postgresql://agent:{password}@{PLACE}" for password in (*one, *two, *digits)]


def told(text: str) -> list[str]:
    """The pieces of the password that a text holds."""
    return [piece for piece in PIECES if piece in text]
