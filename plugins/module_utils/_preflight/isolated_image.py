"""The image that would be deployed, in a pod that holds no credentials and reaches nobody."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.alembic_url import PLACEHOLDER_URL
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import shared
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Forbidden
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import Task
from ansible_collections.ai_platform.agent.plugins.module_utils._release import url_forms

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Object
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import Options
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Planned

# Stands in for what a Secret holds, in a pod that is given none.
PLACEHOLDER: t.Final = "preflight-placeholder"


def isolated_task(cluster: Cluster, wanted: Planned, options: Options, purpose: str, command: t.Sequence[str]) -> Task:
    """A task of the migrator's image, with its environment but for what Secrets hold.

    :param purpose: part of the Job's name
    """
    migrator = wanted.migrator
    # What names a URL in the agent's own way must be one where the image reads it.
    urls = {name: PLACEHOLDER_URL for name, place in migrator.secrets.items() if place == wanted.database_secret}
    for name, form in url_forms.forms(wanted.agent_template).items():
        urls |= {name: url_forms.in_form(PLACEHOLDER_URL, form)} if form["of"] == "database" else {}
    own = {"PYTHONDONTWRITEBYTECODE": "1", "HOME": "/tmp"}  # noqa: S108 - the pod's
    own["DATABASE_URL"] = urls.get("DATABASE_URL", PLACEHOLDER_URL)
    # Settings that are read at import want to be there; what they hold stays with the Secret.
    env = dict.fromkeys(migrator.secrets, PLACEHOLDER) | urls | migrator.env | dict(options.environment) | own
    return Task(
        namespace=options.namespace,
        release=options.release,
        purpose=purpose,
        image=migrator.image,
        command=command,
        env=[{"name": name, "value": value} for name, value in env.items()],
        labels=wanted.labels,
        annotations=wanted.annotations,
        pod=_with_pull_secrets(cluster, wanted, options.namespace),
        container=migrator.spec,
        absent=wanted.made,
        pull_policy=migrator.pull_policy,
        resources=wanted.check_resources,
        isolated=True,
        start_seconds=options.job_timeout,
        pull_seconds=options.pull_timeout,
    )


def _with_pull_secrets(cluster: Cluster, wanted: Planned, namespace: str) -> Object:
    """The migrator's pod spec with the secrets by which its service account pulls, but not as that account."""
    pod = wanted.migrator_pod
    name = shared.account(pod, wanted.made) or "default"
    found = None
    with contextlib.suppress(Forbidden):
        found = cluster.get("v1", "serviceaccounts", name, namespace)
    secrets = [*(pod.get("imagePullSecrets") or ()), *((found or {}).get("imagePullSecrets") or ())]
    return pod | {"imagePullSecrets": [item for number, item in enumerate(secrets) if item not in secrets[:number]]}


__all__ = ("PLACEHOLDER", "isolated_task")
