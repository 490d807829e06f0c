"""The chart in a real OCI registry: one digest for the same content, taken by digest, its signature verified."""

from __future__ import annotations

import base64
import json
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release import attestations, publish
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import ChartError, assemble
from ansible_collections.ai_platform.agent.plugins.module_utils._release.published import fetch

from dev import oci_registry, sbom
from tests.integration.role import living
from tests.integration.role.conftest import ROOT, play

from .conftest import ENVIRONMENT


def publish_it(registry: str, folder: Path, repository: str = "charts", **options: t.Any) -> dict[str, t.Any]:
    params: dict[str, t.Any] = {
        "chart": str(ROOT / "chart"),
        "subcharts": "embedded",
        "subcharts_dir": str(ROOT / "subcharts"),
        "cache_dir": str(folder / "cache"),
        "helm_binary": living.helm(),
        "folder": str(folder / "out"),
        "registry": f"oci://{registry}/{repository}",
        "plain_http": True,
        "signing_key": None,
        "sboms": [],
        "source": None,
        "cosign_binary": str(oci_registry.cosign()) if options.get("signing_key") else "cosign",
    }
    return publish.execute(params | options, ENVIRONMENT, check_mode=False)


def take(reference: str, folder: Path, choice: str = "embedded", **options: t.Any) -> t.Any:
    return fetch(reference, choice, cache=folder, helm=living.helm(), plain_http=True, **options)


def test_two_builds_have_one_digest_and_the_second_changes_nothing(registry: tuple[str, Path], tmp_path: Path) -> None:
    first = publish_it(registry[0], tmp_path / "one")
    second = publish_it(registry[0], tmp_path / "two")
    assert first["sha256"] == second["sha256"]
    assert first["digest"] == second["digest"]
    assert (first["changed"], second["changed"], second["signed"]) == (True, False, False)


def test_what_is_taken_by_digest_is_what_was_published(registry: tuple[str, Path], tmp_path: Path) -> None:
    published = publish_it(registry[0], tmp_path)
    taken = take(published["reference"], tmp_path / "taken")
    here = assemble(ROOT / "chart", "embedded", subcharts_dir=ROOT / "subcharts", cache=tmp_path / "cache")
    assert (taken.version, taken.subcharts) == (here.version, here.subcharts)
    names = {file.relative_to(here.path) for file in here.path.rglob("*") if file.is_file()}
    assert {file.relative_to(taken.path) for file in taken.path.rglob("*") if file.is_file()} == names
    assert all((taken.path / name).read_bytes() == (here.path / name).read_bytes() for name in names)
    # A digest's content never changes, so the second time nobody is asked: this helm does not exist.
    again = fetch(published["reference"], "embedded", cache=tmp_path / "taken", helm="/nowhere/helm")
    assert again == taken
    # Not one that only begins alike.
    with pytest.raises(ChartError, match="could not fetch the chart"):
        take(published["reference"][:-4] + "0000", tmp_path / "taken")


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("oci://{registry}/charts/ai-agent:1.0.0", "does not name a published chart by its digest"),
        ("oci://{registry}/charts/ai-agent", "does not name a published chart by its digest"),
        ("oci://{registry}/charts/ai-agent@sha256:" + "0" * 64, "could not fetch the chart"),
        ("oci://127.0.0.1:1/charts/ai-agent@sha256:" + "0" * 64, "could not fetch the chart"),
    ],
)
def test_what_cannot_be_taken(registry: tuple[str, Path], tmp_path: Path, reference: str, words: str) -> None:
    with pytest.raises(ChartError, match=words):
        take(reference.format(registry=registry[0]), tmp_path)
    assert not list(tmp_path.glob("published-*"))


def test_a_registry_that_serves_other_content_is_refused(registry: tuple[str, Path], tmp_path: Path) -> None:
    """Somebody who can write to the registry's store, or stands in between, cannot replace what a digest names."""
    published = publish_it(registry[0], tmp_path, repository="tampered")
    digest = published["digest"].removeprefix("sha256:")
    blob = registry[1] / "docker/registry/v2/blobs/sha256" / digest[:2] / digest / "data"
    manifest = json.loads(blob.read_text())
    try:
        blob.write_text(json.dumps(manifest | {"annotations": {"who": "somebody else"}}))
        with pytest.raises(ChartError, match="could not fetch the chart"):
            take(published["reference"], tmp_path / "taken")
    finally:
        blob.write_text(json.dumps(manifest, separators=(",", ":")))


def test_other_subcharts_than_the_inventory_says(registry: tuple[str, Path], tmp_path: Path) -> None:
    published = publish_it(registry[0], tmp_path)
    with pytest.raises(ChartError, match="holds the subcharts embedded, and ai_agent_subcharts is bitnami"):
        take(published["reference"], tmp_path / "taken", "bitnami")


def test_a_signature_is_verified_before_anything_is_fetched(
    registry: tuple[str, Path], keys: Path, tmp_path: Path
) -> None:
    unsigned = publish_it(registry[0], tmp_path, repository="signed")
    cosign = str(oci_registry.cosign())

    def taken(key: str) -> t.Any:
        return take(unsigned["reference"], tmp_path / "taken", key=keys / key, cosign=cosign)

    with pytest.raises(ChartError, match=r"has no signature that the key .*one\.pub accepts"):
        taken("one.pub")
    assert not (tmp_path / "taken").exists()
    signed = publish_it(registry[0], tmp_path, repository="signed", signing_key=str(keys / "one.key"))
    assert (signed["signed"], signed["changed"], signed["digest"]) == (True, True, unsigned["digest"])
    again = publish_it(registry[0], tmp_path, repository="signed", signing_key=str(keys / "one.key"))
    assert (again["signed"], again["changed"]) == (True, False)
    assert taken("one.pub").version == signed["version"]
    # In the cache now, and still not by somebody else's key.
    with pytest.raises(ChartError, match=r"two\.pub accepts"):
        taken("two.pub")
    # What was verified stays verified, without the program and the registry.
    assert fetch(unsigned["reference"], "embedded", key=keys / "one.pub", cosign="/nowhere", cache=tmp_path / "taken")


def attested(reference: str, key: Path, kind: str) -> list[dict[str, t.Any]]:
    """The statements about a chart that cosign verifies, as anybody would ask for them."""
    words = [str(oci_registry.cosign()), "verify-attestation", "--key", str(key), "--type", kind]
    words += ["--insecure-ignore-tlog=true", "--allow-http-registry", reference.removeprefix("oci://")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return [json.loads(base64.b64decode(json.loads(line)["payload"])) for line in done.stdout.splitlines()]


def test_provenance_and_bills_of_materials_stand_beside_the_signature(
    registry: tuple[str, Path], keys: Path, tmp_path: Path
) -> None:
    frozen = sbom.requirements((ROOT / "images/agent/requirements.txt").read_text())
    bills = {"agent": sbom.written("agent", "1.0.0", frozen), "here": sbom.written("here", "1", sbom.of_image(["env"]))}
    for name, text in bills.items():
        (tmp_path / f"{name}.json").write_text(text)
    files = [str(tmp_path / f"{name}.json") for name in bills]
    given = {
        "repository": "attested",
        "signing_key": str(keys / "one.key"),
        "source": f"git+https://example.com/a@{'a' * 40}",
    }
    first = publish_it(registry[0], tmp_path, sboms=files, **given)
    assert (first["changed"], first["attested"]) == (True, ["slsaprovenance1", "cyclonedx", "cyclonedx"])
    again = publish_it(registry[0], tmp_path / "again", sboms=files, **given)
    assert (again["changed"], again["digest"]) == (False, first["digest"])
    [made] = attested(first["reference"], keys / "one.pub", "slsaprovenance1")
    assert made["predicateType"] == "https://slsa.dev/provenance/v1"
    assert made["subject"][0]["digest"] == {"sha256": first["digest"].removeprefix("sha256:")}
    build = made["predicate"]["buildDefinition"]
    assert build["internalParameters"] == {"version": first["version"], "archive": {"sha256": first["sha256"]}}
    assert build["resolvedDependencies"][0] == {"uri": "git+https://example.com/a", "digest": {"gitCommit": "a" * 40}}
    listed = [each["predicate"] for each in attested(first["reference"], keys / "one.pub", "cyclonedx")]
    assert sorted(each["metadata"]["component"]["name"] for each in listed) == ["agent", "here"]
    assert attestations.bare(json.loads(bills["agent"])) in [attestations.bare(each) for each in listed]
    with pytest.raises(subprocess.CalledProcessError):
        attested(first["reference"], keys / "two.pub", "cyclonedx")
    # Another bill is attested beside them, and the chart stays what it was.
    (tmp_path / "agent.json").write_text(sbom.written("agent", "1.0.1", frozen[1:]))
    third = publish_it(registry[0], tmp_path, sboms=files, **given)
    assert (third["changed"], third["digest"]) == (True, first["digest"])


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ("{}", {}, "signing_key is not set"),
        ("{}", {"signing_key": "k"}, "is none of CycloneDX, or lists nothing"),
        ("[", {"signing_key": "k"}, "is no JSON"),
        (None, {"signing_key": "k"}, "cannot be read"),
    ],
)
def test_a_bill_that_is_none_stops_before_anything_is_pushed(
    tmp_path: Path, content: str | None, options: dict[str, t.Any], words: str
) -> None:
    if content is not None:
        (tmp_path / "bill.json").write_text(content)
    with pytest.raises(ChartError, match=words):
        publish_it("127.0.0.1:1", tmp_path, sboms=[str(tmp_path / "bill.json")], **options)


def test_a_source_without_a_commit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ChartError, match="commit of 40 hex digits"):
        publish_it("127.0.0.1:1", tmp_path, source="git+https://example.com/agent@main")


def test_a_key_without_cosign(registry: tuple[str, Path], keys: Path, tmp_path: Path) -> None:
    published = publish_it(registry[0], tmp_path)
    with pytest.raises(ChartError, match="There is no program /nowhere/cosign"):
        take(published["reference"], tmp_path / "taken", key=keys / "one.pub", cosign="/nowhere/cosign")


def test_the_playbook_publishes_and_says_what_the_role_takes(registry: tuple[str, Path], tmp_path: Path) -> None:
    given: dict[str, t.Any] = {
        "ai_agent_publish_to": f"oci://{registry[0]}/by-playbook",
        "ai_agent_publish_folder": str(tmp_path),
        "ai_agent_subcharts": "embedded",
        "ai_agent_chart_plain_http": True,
        "ai_agent_helm_binary": living.helm(),
        "ai_agent_chart_cache": str(tmp_path / "cache"),
    }
    rehearsed = play("playbooks/publish_chart.yml", "--check", **given)
    assert rehearsed.code == 0, rehearsed.output
    assert not list(tmp_path.glob("*.tgz"))
    done = play("playbooks/publish_chart.yml", **given)
    assert done.code == 0, done.output
    assert f"ai_agent_chart_ref: oci://{registry[0]}/by-playbook/ai-agent@sha256:" in done.output
    assert (done.recap("changed"), play("playbooks/publish_chart.yml", **given).recap("changed")) == (1, 0)
    lacking = play("playbooks/publish_chart.yml")
    assert any("ai_agent_publish_to is not set" in error for error in lacking.errors)


def test_the_role_takes_it_by_digest(registry: tuple[str, Path], keys: Path, tmp_path: Path) -> None:
    """As far as a cluster goes that is only read."""
    published = publish_it(registry[0], tmp_path, repository="role", signing_key=str(keys / "one.key"))
    (tmp_path / "cluster").mkdir()
    with living.release(living.manifests(tmp_path), "pass", tmp_path / "cluster", "t0ken") as cluster:
        given: dict[str, t.Any] = dict.fromkeys(
            (f"ai_agent_{name}_password" for name in ("postgresql", "postgresql_admin", "replication", "redis")), "pass"
        )
        given |= {
            "ai_agent_subcharts": "embedded",
            "ai_agent_helm_binary": living.helm(),
            "ai_agent_kubeconfig": str(cluster.kubeconfig),
            "ai_agent_chart_cache": str(tmp_path / "role-cache"),
            "ai_agent_chart_ref": published["reference"],
            "ai_agent_chart_plain_http": True,
            "ai_agent_chart_key": str(keys / "one.pub"),
            "ai_agent_cosign_binary": str(oci_registry.cosign()),
        }
        words = ["-i", "inventories/dev", "--vault-id", "dev@lab/dev-vault-password", "site.yml", "--tags", "guard"]
        done = play(*words, **given)
        assert done.code == 0, done.output
        [kept] = (tmp_path / "role-cache").iterdir()
        assert kept.name == f"published-{published['digest'].removeprefix('sha256:')}"
        other = given | {"ai_agent_chart_ref": published["reference"][:-4] + "0000"}
        [error] = play(*words, **other).errors
        assert "has no signature that the key" in error
        [error] = play(*words, **given | {"ai_agent_chart_key": str(keys / "two.pub")}).errors
        assert "has no signature that the key" in error
        assert "nothing was fetched" in error
