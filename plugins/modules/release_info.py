#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_info
short_description: Tell what of a release of the AI agent is in the cluster, without the values of its Secret
version_added: 1.0.0
description:
  - Looks at the namespace, at the StatefulSets of the release's PostgreSQL and Redis, at the Secret with its
    credentials and, where a helm is named, at Helm's record of the release, all in one go.
  - Says which keys of the Secret differ from expected values, and never returns the values.
  - Tells the Python that runs it and the version of its Kubernetes client, also where the cluster cannot be asked.
author:
  - The ai_platform.agent authors (@ai-platform)
requirements:
  - Python >= 3.12
  - kubernetes >= 36.0.2
extends_documentation_fragment:
  - ai_platform.agent._attributes
  - ai_platform.agent._cluster
  - ai_platform.agent._release
  - kubernetes.core.k8s_auth_options
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  helm_binary:
    description:
      - The helm program, a path or a name on E(PATH). It is asked for its version and for its record of the release.
        Without it neither is asked for.
      - It asks the same cluster as the same account as the module, whichever options, variables or kubeconfig say so.
    type: path
  database_moves:
    description: Whether the release is led to another database on purpose, so that this is not among RV(another).
    type: bool
    default: false
  helm_timeout:
    description: Seconds that helm may take to answer.
    type: int
    default: 20
  helm_values:
    description: Whether helm is also asked for the values that the release was given, of which a digest is returned.
    type: bool
    default: false
  manifests:
    description:
      - What C(helm template) prints for the release. With it, the living database and cache are compared with those
        that would be deployed.
    type: str
  secret_name:
    description: The Secret that holds the release's credentials. Without a name none is looked at.
    type: str
  secret_expected:
    description: Keys that the Secret should have, with their values in base64 as in its C(data).
    type: dict
    default: {}
  secret_shown:
    description: Keys of the Secret whose values are no secrets and are returned.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Look at the release
  ai_platform.agent.release_info:
    release_name: agent-prod
    release_namespace: agent
    secret_name: agent-prod-secret
    secret_expected:
      redis-password: "{{ vaulted_redis_password | b64encode }}"
    helm_binary: helm
  register: release

- name: Stop where another run is at work
  ansible.builtin.assert:
    that: release.helm.release.status | default('deployed') is not match('pending-')

- name: Stop where the vault and the cluster disagree
  ansible.builtin.assert:
    that: release.secret.differing == []
    fail_msg: "Not what is in the cluster: {{ release.secret.differing | join(', ') }}"
"""

RETURN = r"""
python:
  description: The Python that ran the module, and the version of its Kubernetes client, empty without one.
  returned: always
  type: dict
  contains:
    executable:
      description: Its path.
      type: str
    version:
      description: Its version.
      type: str
    kubernetes:
      description: Version of the package kubernetes.
      type: str
  sample:
    executable: /opt/venv/bin/python
    version: 3.13.0
    kubernetes: 36.0.2
helm:
  description: What helm says, null without O(helm_binary).
  returned: always, with a Python that can run the module
  type: dict
  contains:
    version:
      description: Its version, empty where it tells none.
      type: str
    said:
      description: What it answered when it was asked for its version.
      type: str
    release:
      description: Its record of the release as C(helm list) prints it, whatever state it is in; empty without one.
      type: dict
    values_digest:
      description: >-
        SHA-256 of the values that were given to the release, as JSON with sorted keys, so that they can be compared and
        not read. Empty without O(helm_values), and where helm told none.
      type: str
    problem:
      description: Why there is no answer about the release, empty where there is one.
      type: str
    denied:
      description: Where the account lacks a right, which one and which file grants it; else empty.
      type: str
  sample:
    version: 4.3.1
    said: v4.3.1+g1a2b3c4
    release:
      name: agent-prod
      namespace: agent
      revision: "3"
      status: deployed
      chart: ai-agent-1.0.0+3f9c02aa
    values_digest: ""
    problem: ""
    denied: ""
cluster:
  description: Which cluster was asked, and what of the authentication M(kubernetes.core.helm) would leave out.
  returned: always, with a Python that can run the module
  type: dict
  contains:
    address:
      description: URL of the API server, empty where no configuration of a cluster was found.
      type: str
    origin:
      description: >-
        The options, E(K8S_AUTH_*) variables or files from which address and account were taken, empty where none led to
        a cluster. No values but those of kubeconfig and context.
      type: str
    context:
      description: >-
        The context of the kubeconfig that was used, also where it was the current one, so that later tasks can name it;
        empty where no kubeconfig was.
      type: str
    by_pod_account:
      description: >-
        Whether it was asked with the account of the pod in which the module ran. M(kubernetes.core.helm) would take a
        kubeconfig that is there before it.
      type: bool
    unknown_to_helm:
      description: >-
        The E(K8S_AUTH_*) variables that are set, work for other modules, and are not read by M(kubernetes.core.helm).
      type: list
      elements: str
  sample:
    address: https://10.0.0.1:6443
    origin: K8S_AUTH_HOST and K8S_AUTH_API_KEY
    context: ""
    by_pod_account: false
    unknown_to_helm: []
namespace_exists:
  description: Whether the namespace exists, null where the account may not look.
  returned: success
  type: bool
statefulsets:
  description: The release's StatefulSets.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name.
      type: str
    labels:
      description: Labels.
      type: dict
    containers:
      description: Name and image of each container.
      type: list
      elements: dict
secret:
  description: The Secret without its values.
  returned: success
  type: dict
  contains:
    exists:
      description: Whether it is there.
      type: bool
    labels:
      description: Labels.
      type: dict
    owner:
      description: The controller that keeps it, empty without one.
      type: str
    login:
      description:
        - Which roles of PostgreSQL take turns at logging in, as M(ai_platform.agent.credentials_rotation) left it;
          empty where the owner logs in itself.
        - C(owner), C(login), C(since), and while a rotation is under way C(preparing) or C(replaces), and C(before).
      type: dict
    model_key:
      description:
        - How far a rotation of the model provider's key got, as the annotation C(ai-agent/model-key) says it. Texts,
          empty where nothing is known.
        - C(since), and while a rotation is under way C(before) and C(until).
      type: dict
    redis_rotation:
      description:
        - How far a rotation of Redis' password got, as the annotation C(ai-agent/redis-password) says it. Texts, empty
          where nothing is known.
        - C(since), and while a rotation is under way C(began), and C(before) once the Secret is switched.
      type: dict
    replication_rotation:
      description:
        - How far a rotation of the replication password got, as the annotation C(ai-agent/replication-password) says
          it. Texts, empty where nothing is known.
        - C(since), and while a rotation is under way C(began).
      type: dict
    age_days:
      description: For how many whole days the database's password has been in it, since it was rotated, else since the
        Secret was made.
      type: int
    ages_days:
      description: The same of Redis' and of the replication password, by C(redis-password) and C(replication-password);
        only of those that it has.
      type: dict
    data_keys:
      description: The keys of its data.
      type: list
      elements: str
    missing:
      description: Keys of O(secret_expected) that it lacks.
      type: list
      elements: str
    differing:
      description: Keys of O(secret_expected) whose values are others.
      type: list
      elements: str
    shown:
      description: The values of O(secret_shown).
      type: dict
another:
  description: >-
    What would lead the release to another database or cache than it has, a sentence each, without passwords. Without
    O(manifests) nothing is compared.
  returned: success
  type: list
  elements: str
  sample:
    - The database of this release is the StatefulSet agent-prod-postgresql-primary, and postgresql.enabled is false.
move:
  description: >-
    How far a move of the database is (M(ai_platform.agent.database_move)), empty without one. C(state), C(source) and
    C(target), and whether it is C(unfinished).
  returned: success
  type: dict
  sample: {}
other_volumes:
  description: >-
    Volumes of living StatefulSets that the manifests want otherwise, which Kubernetes refuses, a sentence each.
  returned: success
  type: list
  elements: str
  sample: []
lacking:
  description: >-
    Secrets, or keys of them, ConfigMaps, service accounts and volume claims that the manifests' pods need and nobody
    has made. Optional ones, and what the account may not read, are not among them.
  returned: success
  type: list
  elements: str
  sample:
    - Secret agent/agent-prod-db lacks the keys uri
refused:
  description: >-
    What of the living Deployment and StatefulSets the manifests want otherwise and Kubernetes changes for nobody, or
    only by taking the release down, a sentence each. Sizes and classes of volumes are in RV(other_volumes).
  returned: success
  type: list
  elements: str
  sample: []
lost:
  description: >-
    What the manifests would take away for good, a sentence each. Claims that Helm made for the release and would
    remove, and other objects that pods need; objects that stand twice in the manifests; claims into which two servers
    would write.
  returned: success
  type: list
  elements: str
  sample: []
by_helm:
  description: >-
    Kind and name of the agent's Deployment and the StatefulSets that Helm made for this release, whether or not it has
    a record of it.
  returned: success
  type: list
  elements: str
  sample:
    - Deployment agent-prod
neighbours:
  description: >-
    Where nothing of the release is there. The other releases of this chart in the namespace, and those of the same name
    in other namespaces, as far as the account may list them. The release may be one of them under another name.
    Without O(manifests) there are none.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the release.
      type: str
    namespace:
      description: Its namespace.
      type: str
  sample: []
unfit:
  description: >-
    URLs in Secrets that others keep and that cannot work as they are, a sentence each without anything of a value.
  returned: success
  type: list
  elements: str
  sample:
    - database-url of Secret agent/db-app is empty
unproven:
  description: >-
    Living servers whose password is missing in the Secret and stands in O(secret_expected), a sentence each. A pod that
    serves is asked whether its URLs are the expected ones; what it confirms is not among them.
  returned: success
  type: list
  elements: str
  sample: []
conflicts:
  description: >-
    The release's Deployment and StatefulSets of which others have set what the manifests set otherwise, so that
    server-side apply (Helm 4) would refuse them. Without O(manifests) there are none.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Kind.
      type: str
    api_version:
      description: Its group and version.
      type: str
    name:
      description: Name.
      type: str
    sentence:
      description: Who set which fields.
      type: str
    server_side:
      description: Whether Helm applies this object on the server.
      type: bool
    patch:
      description: >-
        JSON Patch for M(kubernetes.core.k8s_json_patch) that takes these fields from their managers and changes no
        value. Empty where Helm does not apply on the server, for nothing is refused there.
      type: list
      elements: dict
    definition:
      description: >-
        The object for M(kubernetes.core.k8s) that sets these fields as the manifests do and changes no other, for a
        server-side apply by the manager C(helm) where C(server_side) is true, else for a strategic merge patch.
      type: dict
  sample: []
error_id:
  description: Id of what stood in the way, a heading of docs/runbook.md.
  returned: failure
  type: str
  sample: cluster-unreachable
"""

import importlib.metadata
import platform
import sys
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import (
    AUTH_ARG_SPEC,
    extract_sensitive_values_from_kubeconfig,
)

ARGUMENTS = {
    **AUTH_ARG_SPEC,
    "cluster_expected": {"type": "str"},
    "helm_binary": {"type": "path"},
    # Not secret; but nobody reads it in a log.
    "manifests": {"type": "str", "no_log": True},
    "helm_timeout": {"type": "int", "default": 20},
    "helm_values": {"type": "bool", "default": False},
    "database_moves": {"type": "bool", "default": False},
    "release_name": {"type": "str", "required": True},
    "release_namespace": {"type": "str", "required": True},
    "secret_name": {"type": "str"},
    "secret_expected": {"type": "dict", "default": {}, "no_log": True},
    "secret_shown": {"type": "list", "elements": "str", "default": [], "no_log": False},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    module.no_log_values.update(secrets(module.params))
    result = told(module.params)
    if "msg" in result:
        module.fail_json(**result)
    module.exit_json(changed=False, **result)


def secrets(params: dict[str, t.Any]) -> set[str]:
    """What must not be in a result, besides the options that say so themselves."""
    kubeconfig = params["kubeconfig"]
    return set(extract_sensitive_values_from_kubeconfig(kubeconfig)) if isinstance(kubeconfig, dict) else set()


def told(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """The result; with `msg` and `error_id` where it failed. The action plugin has it, too."""
    python = {"executable": sys.executable, "version": platform.python_version(), "kubernetes": _kubernetes()}
    # An older Python could not read the rest of the collection.
    if sys.version_info < (3, 12):  # noqa: UP036 - an inventory may choose another Python
        words = f"{sys.executable} is Python {python['version']}; 3.12 or later is needed."
        return {"msg": words, "error_id": "library-missing", "python": python}
    from ansible_collections.ai_platform.agent.plugins.module_utils._release import info

    return {"python": python, **info.result(params)}


def _kubernetes() -> str:
    try:
        return importlib.metadata.version("kubernetes")
    except importlib.metadata.PackageNotFoundError:
        return ""


if __name__ == "__main__":
    main()
