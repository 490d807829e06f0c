"""`helm test` of a release, run beside something else, or read from what Helm recorded of the deployed revision."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import datetime
import json
import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._kube import kubeconfig as kubeconfigs
from ansible_collections.ai_platform.agent.plugins.module_utils._release.helm import Ended, run

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterator, Mapping

Row = dict[str, t.Any]

_TEST = re.compile(r"(?s)TEST SUITE: +(\S+).*?Phase: +(\w+)")


@dataclasses.dataclass(frozen=True)
class Tested:
    """What became of the test.

    :param outcomes: the phase of each test by its name
    :param log: lines of the pods
    :param complaint: why it failed, empty where it did not
    :param denied: the sentence about a right that the account lacks, where that is why; else empty
    :param recorded: when the last test ended, where it ran earlier and Helm recorded it; empty where it ran now
    """

    outcomes: dict[str, str]
    log: list[str]
    complaint: str = ""
    denied: str = ""
    recorded: str = ""


@contextlib.contextmanager
def in_background(helm: str | None, params: Row, kubeconfig: Row) -> Iterator[t.Callable[[], Tested] | None]:
    """Run `helm test` beside the block, which gets a function that waits for the result, or None without a helm.

    The function's second call runs the test again.

    :param helm: the program
    :param params: release_name, release_namespace, helm_test_timeout, a duration as helm writes it, and
        helm_test_again: false leaves the test out where the deployed revision passed it already
    :param kubeconfig: as _kube.kubeconfig makes it
    """
    if not helm:
        yield None
        return
    place = [params["release_name"], "--namespace", params["release_namespace"]]
    words = [helm, "test", *place, "--logs", "--timeout", params["helm_test_timeout"]]
    with kubeconfigs.variables(kubeconfig) as environment, concurrent.futures.ThreadPoolExecutor(1) as pool:

        def test() -> Tested:
            return _tested(run(words, environment=environment))

        def first() -> Tested:
            status = [helm, "status", *place, "--output", "json"]
            passed = None if params["helm_test_again"] else _passed(run(status, environment=environment))
            return passed or test()

        ends = [pool.submit(first)]
        yield lambda: ends.pop().result() if ends else test()


def _tested(ended: Ended) -> Tested:
    """What `helm test --logs` printed."""
    pods = ended.output.partition("POD LOGS: ")[2].splitlines()[1:]
    lines = [line for line in pods if line.strip()]
    return Tested(dict(_TEST.findall(ended.output)), lines, ended.complaint, ended.denied)


def _passed(status: Ended) -> Tested | None:
    """The outcome of an earlier `helm test` of this revision, None where not each test of the chart passed in one."""
    try:
        told = json.loads(status.output) if status.code == 0 else {}
        return passed(told)
    except (ValueError, LookupError, TypeError, AttributeError):
        # A Helm that tells it in another form is asked to test.
        return None


def passed(status: Mapping[str, t.Any]) -> Tested | None:
    """Whether each test of the deployed revision passed.

    A roll back copies the hooks of an older revision with the times of their runs, so a test counts from the time on at
    which this revision was deployed.

    :param status: `helm status --output json`
    :raises LookupError, TypeError, ValueError, AttributeError: it has another form
    """
    tests = [hook for hook in status.get("hooks") or () if "test" in hook["events"]]
    if not tests or status["info"]["status"] != "deployed":
        return None
    deployed = datetime.datetime.fromisoformat(status["info"]["last_deployed"])
    for hook in tests:
        last = hook.get("last_run") or {}
        if last.get("phase") != "Succeeded" or datetime.datetime.fromisoformat(last["started_at"]) < deployed:
            return None
    ended = max((hook["last_run"]["completed_at"] for hook in tests), key=datetime.datetime.fromisoformat)
    return Tested({hook["name"]: "Succeeded" for hook in tests}, [], recorded=ended)


__all__ = ("Tested", "in_background", "passed")
