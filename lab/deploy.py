"""The agent in the lab: variables for the playbook, the playbook itself, and a question put to the agent."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import yaml

from lab import cluster, images, shell
from lab.paths import BIN, KUBECONFIG, LAB, REGISTRY, ROOT, VARS, VAULT_PASSWORD
from lab.progress import LabError, say

RELEASE = "agent-dev"
NAMESPACE = "dev"
QUESTION = "What are you, and where do you run?"


def write_vars() -> None:
    """``.lab/vars.yml``: what this lab knows and an inventory cannot: image names and where its tools are."""

    def image(recipe: images.Recipe, **more: str) -> dict[str, str]:
        return {**more, "tag": recipe.tag}

    def shared() -> dict[str, dict[str, str]]:
        return {
            "postgresql": image(images.POSTGRESQL, registry=REGISTRY, repository="postgresql"),
            "redis": image(images.REDIS, registry=REGISTRY, repository="redis"),
        }

    repository = f"{REGISTRY}/agent"
    values = {
        "ai_agent_subcharts": "embedded",
        "ai_agent_images": {"agent": image(images.AGENT, repository=repository), **shared()},
        "lab_next_images": {"agent": image(images.AGENT_NEXT, repository=repository), **shared()},
        "ai_agent_kubeconfig": str(KUBECONFIG),
        "ai_agent_helm_binary": str(BIN / "helm"),
    }
    text = "# Written by make up; for ansible-playbook -e @.lab/vars.yml\n" + yaml.safe_dump(values, sort_keys=False)
    if not VARS.exists() or VARS.read_text() != text:
        LAB.mkdir(exist_ok=True)
        VARS.write_text(text)


def playbook() -> None:
    """Run ``site.yml`` with the dev inventory, its output before the reader's eyes.

    :raises LabError: the playbook failed; it has said why
    """
    words = [Path(sys.executable).parent / "ansible-playbook", "-i", "inventories/dev", "site.yml", "-e", f"@{VARS}"]
    words += ["--vault-id", f"dev@{VAULT_PASSWORD}"]
    done = subprocess.run([str(word) for word in words], cwd=ROOT, env=shell.environment(), check=False)
    if done.returncode:
        raise LabError("the playbook failed, its last message says why; after a repair, run make up again")


def show() -> None:
    """What runs where."""
    listed = cluster.kubectl("get", "all", "-n", NAMESPACE, "-l", f"app={RELEASE}", "-o", "wide", "--no-headers=false")
    for line in listed.rstrip().splitlines():
        say(f"    {line}".rstrip())


def ask(question: str = QUESTION) -> tuple[str, str]:
    """Ask the agent through a forwarded port, a free one of this machine that kubectl chooses.

    The API server's Service proxy would be stopped by the release's network policies: it is no pod of the namespace.

    :return: its answer, and the name of the model that gave it
    :raises LabError: the port cannot be forwarded, or nothing useful answers
    """
    service = ["-n", NAMESPACE, "port-forward", f"service/{RELEASE}", ":8000"]
    forwarding = subprocess.Popen(
        [BIN / "kubectl", "--kubeconfig", KUBECONFIG, *service],
        env=shell.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said = forwarding.stdout.readline() if forwarding.stdout else ""
        port = re.search(r"127\.0\.0\.1:(\d+)", said)
        if not port:
            raise LabError(f"kubectl {' '.join(service)} failed: {said.strip() or 'it said nothing'}")
        body = json.dumps({"message": question}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port[1]}/v1/chat", body, {"Content-Type": "application/json"}
        )
        # A proxy of the environment could not reach this machine's own address.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as response:
            answer = json.load(response)
    except (OSError, ValueError) as error:
        raise LabError(f"the agent did not answer through kubectl {' '.join(service)}: {error}") from error
    finally:
        forwarding.terminate()
        forwarding.wait()
    return answer["reply"], answer["model"]
