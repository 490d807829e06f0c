"""A part of a page that a program writes, between two comments."""

from __future__ import annotations


def between(text: str, begin: str, end: str, content: str) -> str:
    """The page with `content` in the place of what stood between the comments.

    :param begin: the comment before it
    :param end: the one behind it
    """
    before, _begin, rest = text.partition(begin)
    return f"{before}{begin}\n{content}\n{end}{rest.partition(end)[2]}"


__all__ = ("between",)
