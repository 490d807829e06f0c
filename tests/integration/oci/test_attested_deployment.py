"""What staging attests of an image and production asks, in a real registry, by the real cosign."""

from __future__ import annotations

import hashlib
import json
import typing as t
import urllib.request
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release import deployment_attestation
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import ChartError

from dev import oci_registry
from lab.registry import DIRECT
from tests.integration.role import living
from tests.integration.role.conftest import play
from tests.unit.plugins.module_utils._page import runs

from .conftest import ENVIRONMENT

Row = dict[str, t.Any]


def put(address: str, content: bytes, media: str) -> None:
    """Send something to the registry."""
    request = urllib.request.Request(address, content, {"Content-Type": media}, method="PUT")  # noqa: S310 - of a test
    with DIRECT.open(request, timeout=30) as answer:
        assert answer.status == 201


def pushed(registry: str, name: str) -> str:
    """An image without layers in the registry, by its digest (OCI distribution specification, "Push")."""
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Labels": {"name": name}}}).encode()
    digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
    begin = urllib.request.Request(f"http://{registry}/v2/{name}/blobs/uploads/", b"", method="POST")
    with DIRECT.open(begin, timeout=30) as answer:
        place = answer.headers["Location"]
    put(f"{place}&digest={digest}", config, "application/octet-stream")
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": digest,
                "size": len(config),
            },
            "layers": [],
        }
    ).encode()
    put(f"http://{registry}/v2/{name}/manifests/1.0.0", manifest, "application/vnd.oci.image.manifest.v1+json")
    return f"{registry}/{name}@sha256:{hashlib.sha256(manifest).hexdigest()}"


def ask(keys: Path, *, check_mode: bool = False, **given: t.Any) -> Row:
    """The module's result."""
    params: Row = {name: option.get("default") for name, option in deployment_attestation.ARGUMENTS.items()}
    params |= {"plain_http": True, "cosign_binary": str(oci_registry.cosign())}
    params |= {"public_key": str(keys / "one.pub"), "signing_key": str(keys / "one.key")}
    return deployment_attestation.execute(params | given, ENVIRONMENT, check_mode=check_mode)


def report(folder: Path, image: str, **run: t.Any) -> str:
    """The file with the report of a deployment that went well."""
    made: Row = runs.ALL["healthy"]()
    about: Row = {"environment": "staging", "images": {"before": {}, "after": {"agent": image}}}
    file = folder / "report.json"
    file.write_text(json.dumps(made | {"run": made["run"] | about | run}))
    return str(file)


def test_what_staging_attests_production_finds(registry: tuple[str, Path], keys: Path, tmp_path: Path) -> None:
    image = pushed(registry[0], "good")
    with pytest.raises(ChartError, match=r"is not deployed here: the key .* accepts no attestation of it"):
        ask(keys, state="verified", image=image)
    file = report(tmp_path, image.replace("@", ":1.0.0@"))
    assert ask(keys, state="attested", report=file, check_mode=True)["changed"] is True
    with pytest.raises(ChartError, match="accepts no attestation of it"):
        ask(keys, state="verified", image=image)
    assert ask(keys, state="attested", report=file)["changed"] is True
    assert ask(keys, state="attested", report=file)["changed"] is False
    assert ask(keys, state="attested", report=file, check_mode=True)["changed"] is False
    labels = {"app.kubernetes.io/component": "agent"}
    pod = {"containers": [{"name": "agent", "image": image.replace("@", ":moved@")}]}
    deployment = {"kind": "Deployment", "metadata": {"labels": labels}, "spec": {"template": {"spec": pod}}}
    found = ask(keys, state="verified", manifests=json.dumps(deployment), max_hours=0)
    assert (found["image"], found["attestation"]["environment"], found["changed"]) == (image, "staging", False)


def test_what_does_not_count(registry: tuple[str, Path], keys: Path, tmp_path: Path) -> None:
    image = pushed(registry[0], "other")
    ask(keys, state="attested", report=report(tmp_path, image, environment="dev"))
    with pytest.raises(ChartError, match=r"no deployment in staging is attested \(there is one of dev\)"):
        ask(keys, state="verified", image=image, max_hours=0)
    with pytest.raises(ChartError, match="hours old, and at most 1 count"):
        ask(keys, state="verified", image=image, environment="dev", max_hours=1)
    with pytest.raises(ChartError, match="accepts no attestation of it"):
        ask(keys, state="verified", image=image, environment="dev", max_hours=0, public_key=str(keys / "two.pub"))
    # Another image, of which nobody said anything, in the same repository.
    with pytest.raises(ChartError, match="accepts no attestation of it"):
        ask(keys, state="verified", image=pushed(registry[0], "third"), environment="dev", max_hours=0)
    with pytest.raises(ChartError, match="There is no program /nowhere/cosign, which verifies"):
        ask(keys, state="verified", image=image, cosign_binary="/nowhere/cosign")
    with pytest.raises(ChartError, match="accepts no attestation of it"):
        ask(keys, state="verified", image=image.replace(registry[0], "127.0.0.1:1"))


def test_the_playbook_attests_and_the_role_deploys_nothing_else(
    registry: tuple[str, Path], keys: Path, tmp_path: Path
) -> None:
    """As far as a cluster goes that is only read."""
    image = pushed(registry[0], "agent")
    (tmp_path / "reports" / "agent-dev").mkdir(parents=True)
    (tmp_path / "cluster").mkdir()
    report(tmp_path / "reports" / "agent-dev", image, environment="dev")
    name, _, digest = image.partition("@")
    inventory = ["-i", "inventories/dev", "--vault-id", "dev@lab/dev-vault-password"]
    passwords = ("postgresql", "postgresql_admin", "replication", "redis")
    with living.release(living.manifests(tmp_path), "pass", tmp_path / "cluster", "t0ken") as cluster:
        given: Row = {f"ai_agent_{each}_password": "pass" for each in passwords} | {
            "ai_agent_subcharts": "embedded",
            "ai_agent_helm_binary": living.helm(),
            "ai_agent_kubeconfig": str(cluster.kubeconfig),
            "ai_agent_chart_cache": str(tmp_path / "cache"),
            "ai_agent_chart_plain_http": True,
            "ai_agent_cosign_binary": str(oci_registry.cosign()),
            "ai_agent_attestation_key": str(keys / "one.pub"),
            "ai_agent_attestation_from": "dev",
            "ai_agent_attestation_hours": 0,
        }

        def guard(**more: t.Any) -> t.Any:
            return play(*inventory, "site.yml", "--tags", "guard", **given | more)

        named = {"ai_agent_images": {"agent": {"repository": name, "digest": digest}}}
        by_tag = guard()
        assert by_tag.code != 0
        assert any("is not named by its digest" in error and "#attestation-missing" in error for error in by_tag.errors)
        assert any("accepts no attestation of it" in error for error in guard(**named).errors)
        accepted = guard(**named, ai_agent_attestation_accept="the registry is down")
        assert accepted.code == 0, accepted.output
        assert "Accepted: the registry is down" in accepted.output

        key = {
            "ai_agent_attestation_signing_key": str(keys / "one.key"),
            "ai_agent_reports_dir": str(tmp_path / "reports"),
        }
        lacking = play(*inventory, "playbooks/attest.yml", **given)
        assert any("ai_agent_reports_dir and ai_agent_attestation_signing_key are not set" in e for e in lacking.errors)
        for changed in (1, 0):
            done = play(*inventory, "playbooks/attest.yml", env=ENVIRONMENT, **given | key)
            assert (done.code, done.recap("changed")) == (0, changed), done.output
            assert f"Attested: {image} was deployed in dev on" in " ".join(done.output.split())
        done = guard(**named)
        assert done.code == 0, done.output
