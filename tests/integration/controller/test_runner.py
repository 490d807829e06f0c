"""A job of a controller, up to the first thing written: no kubeconfig, no home, no name, and a vault's prompt."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.integration.role import living

from .conftest import CANARY, TOKEN
from .runner import UID, VAULT_PASSWORD, Job, failures


def test_the_account_has_no_name() -> None:
    """Without this, the test below would prove less than it says."""
    words = ["unshare", "--user", f"--map-user={UID}", "python3", "-c", "import os, pwd; pwd.getpwuid(os.getuid())"]
    assert f"uid not found: {UID}" in subprocess.run(words, capture_output=True, text=True, check=False).stderr


@pytest.mark.usefixtures("writable_again")
def test_a_job_deploys(tmp_path: Path, credential: dict[str, str]) -> None:
    job = Job(tmp_path / "job", CANARY)
    survey = {"agent_tag": "1.0.0", "ai_agent_timeout": "10m", "ai_agent_verify_api_key": "t0ken-of-the-verifier"}
    given = {"ai_agent_subcharts": "embedded", "ai_agent_helm_binary": living.helm(), **survey}
    # The stand-in has no answers for the preflight; the cluster's own test runs all steps.
    code, said = job.run("site.yml", "1", credential, ai_agent_preflight=False, **given)
    events = job.events("1")
    assert "Traceback" not in said
    assert code == 2, said
    # The vault was opened at the prompt, the guard and the chart were well: the stand-in refuses to write.
    assert "Secret dev/agent-dev-secret could not be written" in failures(events)[-1], said
    assert len(events) > 50
    assert job.holding([CANARY, TOKEN, VAULT_PASSWORD, "t0ken-of-the-verifier"]) == []
