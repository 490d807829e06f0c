"""Bills of materials: valid by CycloneDX's own schema, the same bytes twice, and complete."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from dev import sbom
from lab.progress import LabError

ROOT = Path(__file__).resolve().parents[3]
FROZEN = (ROOT / "images/agent/requirements.txt").read_text()
LISTED = (
    "ii \tlibpq5\t15.19-0+deb12u1\tamd64\tpostgresql-15\t15.19-0+deb12u1\n"
    "ii \tbash\t5.2.15-2+b7\tamd64\tbash\t5.2.15-2\n"
    "rc \tgone\t1.0\tamd64\tgone\t1.0\n"
    "ii \tadduser\t3.134\tall\tadduser\t3.134\n"
)


def wrong(text: str) -> object:
    """What the schema says against it, None where nothing."""
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)


def test_it_lists_what_pip_installs_and_is_valid() -> None:
    text = sbom.written("agent", "1.0.0", sbom.requirements(FROZEN))
    assert wrong(text) is None
    purls = {each["purl"] for each in json.loads(text)["components"]}
    pinned = [line for line in FROZEN.splitlines() if line and not line.startswith("#")]
    assert len(purls) == len(pinned)
    assert "pkg:pypi/prometheus-client@0.26.0" in purls
    # The validator would say so.
    broken = json.loads(text)
    broken["components"][0]["type"] = "thing"
    assert wrong(json.dumps(broken)) is not None


def test_it_lists_debians_packages_with_the_source_that_advisories_name() -> None:
    text = sbom.written("postgresql", "15", sbom.packages(LISTED, "bookworm"))
    assert wrong(text) is None
    found = {each["name"]: each["purl"] for each in json.loads(text)["components"]}
    assert found.keys() == {"libpq5", "bash", "adduser"}
    assert found["adduser"] == "pkg:deb/debian/adduser@3.134?arch=all&distro=bookworm"
    assert "upstream=postgresql-15" in found["libpq5"]


def test_a_real_dpkg_is_read() -> None:
    components = sbom.of_image(["env"])
    assert {"dpkg", "libc6"} <= {each.name for each in components}
    assert wrong(sbom.written("machine", "1", components)) is None


def test_two_of_the_same_have_the_same_bytes_and_others_have_not() -> None:
    components = sbom.requirements(FROZEN)
    first = sbom.written("agent", "1.0.0", components)
    assert first == sbom.written("agent", "1.0.0", components[::-1])
    assert "timestamp" not in first
    other = sbom.written("agent", "1.0.0", components[1:])
    assert json.loads(first)["serialNumber"] != json.loads(other)["serialNumber"]


@pytest.mark.parametrize("line", ["alembic>=1.13", "-r other.txt", "https://example.com/x.whl"])
def test_what_is_not_pinned_is_refused(line: str) -> None:
    with pytest.raises(LabError, match="names no exact version"):
        sbom.requirements(line)


def test_an_image_without_packages_is_refused() -> None:
    with pytest.raises(LabError, match="lists no package"):
        sbom.packages("", "bookworm")


def test_files_that_are_installed_together_are_one_list(capsys: pytest.CaptureFixture[str]) -> None:
    files = sorted(str(path) for path in (ROOT / "images/agent").glob("requirements*.txt"))
    assert sbom.main(["requirements", *files]) == 0
    names = [item["name"] for item in json.loads(capsys.readouterr().out)["components"]]
    assert {"fastapi", "opentelemetry-sdk"} <= set(names)
    assert len(names) == len(set(names))


def test_the_program_prints_one_or_says_what_is_wrong(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert sbom.main(["requirements", str(ROOT / "images/agent/requirements.txt")]) == 0
    assert json.loads(capsys.readouterr().out)["metadata"]["component"]["name"] == "agent"
    assert sbom.main(["requirements", str(tmp_path / "none.txt")]) == 1
    assert capsys.readouterr().err.startswith("error: ")
