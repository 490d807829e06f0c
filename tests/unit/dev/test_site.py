"""The documentation's site: which pages it has, and where their links lead."""

from __future__ import annotations

import zlib

import pytest

from dev import site
from lab.paths import ROOT


def test_every_page_of_the_documentation_has_a_place() -> None:
    there = {str(file.relative_to(ROOT)) for file in (ROOT / "docs").glob("*.md")}
    assert there <= set(site.pages())
    assert len(site.pages()) == len(set(site.pages()))


@pytest.mark.parametrize(
    ("page", "link", "expected"),
    [
        ("docs/how-to.md", "[x](agent-image.md)", "[x](agent-image.md)"),
        ("docs/how-to.md", "[x](../README.md#installation)", "[x](../index.md#installation)"),
        ("README.md", "[x](docs/runbook.md#lab)", "[x](docs/runbook.md#lab)"),
        (
            "docs/how-to.md",
            "[x](../roles/ai_agent/files/exec-rbac.yaml)",
            "[x](SOURCE/roles/ai_agent/files/exec-rbac.yaml)",
        ),
        ("docs/how-to.md", "[x](ci/)", "[x](SOURCE/docs/ci)"),
        ("docs/how-to.md", "[x](#here) [y](https://example.com/a.md)", "[x](#here) [y](https://example.com/a.md)"),
        ("README.md", "![x](docs/images/report.png)", "![x](docs/images/report.png)"),
    ],
)
def test_where_a_link_leads(page: str, link: str, expected: str) -> None:
    assert site.linked(link, page) == expected.replace("SOURCE", site.SOURCE)


def test_a_page_of_antsibull_docs_loses_its_table_of_contents() -> None:
    text = ".. contents::\n   :local:\n   :depth: 1\n\nText\n\n.. toctree::\n    :hidden:\n\n    guard_module\n"
    assert site.fitted(text) == "\nText\n\n.. toctree::\n    :hidden:\n\n    guard <guard_module>\n"


def test_labels_of_ansible_s_documentation_have_addresses() -> None:
    labels = [
        "common_return_values",
        "ansible_collections.kubernetes.core.helm_module__parameter-release_values",
        "other",
    ]
    head, _, rest = site.inventory(labels).partition(b"using zlib.\n")
    assert head.startswith(b"# Sphinx inventory version 2\n")
    assert zlib.decompress(rest).decode().splitlines() == [
        f"{labels[1]} std:label -1 collections/kubernetes/core/helm_module.html"
        "#ansible-collections-kubernetes-core-helm-module-parameter-release-values -",
        "common_return_values std:label -1 reference_appendices/common_return_values.html#common-return-values -",
    ]
