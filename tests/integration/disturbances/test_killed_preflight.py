"""A preflight that is killed at some moment leaves nothing that does not go by itself."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import time

import pytest

from lab.paths import KUBECONFIG, ROOT
from tests.integration.preflight_cluster.conftest import NAME, Preflight, chart, installed, preflight
from tests.integration.release.conftest import NEXT

__all__ = ("chart", "installed", "preflight")

MODULE = """
import json, sys
sys.path.insert(0, "collections")
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.module import ARGUMENTS, execute
execute({name: option.get("default") for name, option in ARGUMENTS.items()} | json.load(sys.stdin))
"""


@pytest.mark.parametrize("moments", [(0.0, 0.2, 0.6, 1.5)], ids=str)
def test_everything_goes_by_itself(preflight: Preflight, moments: tuple[float, ...]) -> None:
    """Killed so many seconds after its Job was seen: before the policy, while the pod is held, starts, renders."""
    given = {
        "kubeconfig": str(KUBECONFIG),
        "release_name": NAME,
        "release_namespace": preflight.namespace,
        "manifests": preflight.template(**NEXT),
        "job_timeout": 5,
        "render_timeout": 5,
        "fail_on": "never",
    }

    def begun(before: set[str]) -> set[str]:
        return set(preflight.leftovers()) - before

    left: list[str] = []
    for moment in moments:
        before = set(preflight.leftovers())
        process = subprocess.Popen([sys.executable, "-c", MODULE], cwd=ROOT, stdin=subprocess.PIPE, text=True)
        assert process.stdin is not None
        with process.stdin as stream:
            stream.write(json.dumps(given))
        preflight.release.until("its Job is there", functools.partial(begun, before), 90)
        time.sleep(moment)
        process.kill()
        process.wait()
        left += begun(before)
    assert left, "none was killed before it ended"
    # The Job's deadline, then its time to live.
    preflight.release.until("everything is gone", lambda: preflight.leftovers() == [], 180)
    assert preflight.run(NEXT)["state"] == "behind"
