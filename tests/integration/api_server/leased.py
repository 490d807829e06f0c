"""A stand-in for ansible-playbook: it takes the Lease as a task does, and then has a worker run helm as another does.

`python leased.py KUBECONFIG RELEASE [HELM WORDS...]`. It prints what the first task returned, as JSON, and then sleeps:
whoever started it kills it. Worker and task are processes of their own, as Ansible's are: the worker leads a session of
its own, so that it does not end with the playbook.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import typing as t
from pathlib import Path

NAMESPACE = "dev"
TASK = """
import json, sys
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release import lease_keeper, lease_module
params, seconds = json.loads(sys.argv[1]), float(sys.argv[2])
# The proportions are those of the role.
lease_keeper.SECONDS, lease_keeper.RENEW_SECONDS, lease_keeper.LOST_SECONDS = int(seconds), seconds / 12, seconds / 2
try:
    result, problem = lease_module.execute(params)
except FindingError as error:
    result, problem = {"error_id": error.id}, error.message
print(json.dumps(result | ({"msg": problem} if problem else {})), flush=True)
"""


def main(kubeconfig: str, release: str, words: list[str]) -> None:
    """Take the Lease, start helm, and sleep."""
    answer = task(kubeconfig, release, "held", wait=float(os.environ.get("WAIT", "0")))
    print(json.dumps(answer), flush=True)
    if not answer.get("folder"):
        return
    if words:
        child = str(Path(answer["folder"], "helm_child.py"))
        command = [sys.executable, "-I", child, answer["folder"], *words]
        log = Path(os.environ["LOG"]).open("wb")  # noqa: SIM115 - the worker's
        subprocess.Popen(["sh", "-c", '"$@"; true', "worker", *command], stdout=log, stderr=log, start_new_session=True)
    if sys.stdin.readline():
        print(json.dumps(task(kubeconfig, release, "free", folder=answer["folder"])), flush=True)
    while True:
        time.sleep(60)


def task(kubeconfig: str, release: str, state: str, *, wait: float = 0, folder: str = "") -> dict[str, t.Any]:
    """One task with the module, in a process that ends with it."""
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.lease_module import ARGUMENTS

    params = {name: option.get("default") for name, option in ARGUMENTS.items()}
    params |= {"kubeconfig": kubeconfig, "release_name": release, "release_namespace": NAMESPACE, "state": state}
    params |= {"wait": wait, "folder": folder, "controller_pid": os.getpid(), "check_mode": False}
    command = [sys.executable, "-c", TASK, json.dumps(params), os.environ.get("SECONDS_HELD", "60")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    answer: dict[str, t.Any] = json.loads(done.stdout)
    return answer


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
