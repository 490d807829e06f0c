"""What is attested of a published chart, and how what is there already is read."""

from __future__ import annotations

import base64
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release.attestations import (
    bare,
    bill,
    predicates,
    provenance,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import Assembled, ChartError

CHART = Assembled(Path("/x/ai-agent"), "1.0.0+3f9c02aa", "0" * 64, {"redis": "17.17.1", "postgresql": "12.12.10"})


def envelope(predicate: object) -> str:
    """A line as cosign prints it."""
    statement = {"_type": "https://in-toto.io/Statement/v0.1", "predicate": predicate}
    return json.dumps({"payloadType": "x", "payload": base64.b64encode(json.dumps(statement).encode()).decode()})


def test_provenance_says_what_went_in_and_no_time() -> None:
    made = provenance(CHART, "bitnami", "a" * 64, f"git+https://example.com/agent@{'b' * 40}")
    assert made == provenance(CHART, "bitnami", "a" * 64, f"git+https://example.com/agent@{'b' * 40}")
    source, *subcharts = made["buildDefinition"]["resolvedDependencies"]
    assert source == {"uri": "git+https://example.com/agent", "digest": {"gitCommit": "b" * 40}}
    assert [each["annotations"]["version"] for each in subcharts] == ["12.12.10", "17.17.1"]
    assert made["runDetails"].keys() == {"builder"}


def test_without_a_source_nobody_says_where_it_came_from() -> None:
    made = provenance(CHART, "embedded", "a" * 64, "")
    assert [each["name"] for each in made["buildDefinition"]["resolvedDependencies"]] == ["postgresql", "redis"]


def test_what_is_attested_already_is_read() -> None:
    first, second = {"a": 1}, {"b": [2]}
    assert predicates(f"{envelope(first)}\n{envelope(second)}\n") == [first, second]
    assert predicates("") == []


def test_fields_that_cosign_adds_make_no_difference() -> None:
    given = {"runDetails": {"builder": {"id": "b"}}, "many": [{"a": 0}]}
    written = {"runDetails": {"builder": {"id": "b"}, "metadata": {}}, "many": [{"a": 0, "b": None}], "none": []}
    assert bare(written) == bare(given) == given
    assert bare({"a": False}) == {"a": False}


@pytest.mark.parametrize("line", ["{", "{}", '{"payload": "!"}', '{"payload": "e30="}', '{"payload": 1}'])
def test_what_is_no_envelope_is_said_in_one_sentence(line: str) -> None:
    with pytest.raises(ChartError, match="printed no attestations"):
        predicates(line)


@pytest.mark.parametrize("given", [{}, {"bomFormat": "SPDX"}, {"bomFormat": "CycloneDX", "components": []}, []])
def test_what_is_no_bill_of_materials(tmp_path: Path, given: t.Any) -> None:
    (tmp_path / "bill.json").write_text(json.dumps(given))
    with pytest.raises(ChartError, match="none of CycloneDX"):
        bill(tmp_path / "bill.json")
