"""The chart's README says what its values say."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev.chart_readme import CHART, CHARTS, ReadmeError, described, templates, updated

TEXT = """
# About the file.

# -- What one
# is for
one: 1
two:
  # -- All of it
  map:
    a: 1
    b: [x]
  # Not a description.
  # -- A | b
  three: ""
"""


def test_readme_is_up_to_date() -> None:
    readme = (CHART / "README.md").read_text()
    assert readme == updated(readme, (CHART / "values.yaml").read_text()), "run `python -m dev.chart_readme`"


def test_description_stands_above_its_value() -> None:
    assert list(described(TEXT)) == [
        ("one", "What one is for", 1),
        ("two.map", "All of it", {"a": 1, "b": ["x"]}),
        ("two.three", "A | b", ""),
    ]


def test_value_without_a_description_is_an_error() -> None:
    with pytest.raises(ReadmeError, match="two has no description"):
        list(described("# -- x\none: 1\ntwo: 2\n"))


def test_the_librarys_readme_is_up_to_date() -> None:
    library = CHARTS[1]
    readme = (library / "README.md").read_text()
    made = updated(readme, (library / "values.yaml").read_text(), templates(library))
    assert readme == made, "run `python -m dev.chart_readme`"


def test_a_template_without_a_comment_is_refused(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    file = tmp_path / "templates" / "_a.tpl"
    first, second = '{{- define "a" -}}\n{{- end -}}\n', '{{- define "b" -}}\n{{- end -}}\n'
    file.write_text("{{/* First. */}}\n" + first + "\n{{/*\nTwo\nlines.\n*/}}\n" + second)
    assert "| `b` | Two lines. |" in templates(tmp_path)
    file.write_text('{{- define "c" -}}\n{{- end -}}\n')
    with pytest.raises(ReadmeError, match=r"_a\.tpl: c has no comment"):
        templates(tmp_path)
