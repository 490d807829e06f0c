#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: connectivity_test
short_description: Prove from inside the agent's own pods that they can use their servers, and nobody else
version_added: 1.0.0
description:
  - Asks the PostgreSQL and the Redis of a release phase by phase, each with its own time, namely name resolution, TCP,
    TLS where it is used, authentication, version and role, a write that is read back and removed, and the schema's
    revision. Then round trips on the connection that is open, with percentiles, and one message of 64 KiB there and
    back, which hangs where packets of full size are lost, and is late where the way is slow.
  - Asks also the endpoint of the model where the agent has one, namely name resolution, TCP, its proxy, TLS, and the
    list of its models, which costs no token. The key stays in the pod.
  - Either for a release in a cluster (O(release_name), O(release_namespace)), or for servers that this machine reaches
    (O(database_url), O(redis_url), O(model_url)).
  - In a cluster it runs in the agent's own pods, in parallel, by exec, with their network identity and their
    credentials. Without a pod, or without the right to exec, it runs in a short Job of the deployed image with the
    release's client label, which no Service selects.
  - Tries in a cluster also what must not work. A pod without the client label must not reach the database or the cache,
    the agent must not reach the Kubernetes API, the cloud's metadata service and an address outside unless its egress
    policy says so. Refused, timed out and reached are
    told apart; policies that nothing enforces are a finding.
  - A failure names the layer and the likely cause.
  - Nothing that lasts is changed. The write goes into a temporary table and into a Redis key of its own that expires
    after 30 seconds. Passwords and URLs never leave the pod.
  - Killed at any moment, it leaves nothing but Jobs that end at their deadline and are removed a minute later.
author:
  - The ai_platform.agent authors (@ai-platform)
requirements:
  - kubernetes >= 36.0.2, for a release
  - psycopg >= 3.1 and redis >= 5, for servers that this machine reaches; in a release the agent's image has them
extends_documentation_fragment:
  - ai_platform.agent._attributes
  - ai_platform.agent._cluster
  - ai_platform.agent._pods
  - kubernetes.core.k8s_auth_options
attributes:
  check_mode:
    support: full
    details: Tests in either mode, because nothing that lasts is changed; O(run_in_check_mode) turns that off. Writes
      O(report_path) and O(junit_path) in check mode as well, which are results and no state of the system.
  diff_mode:
    support: N/A
    details: The module has no state to compare.
  idempotent:
    support: full
options:
  release_name:
    description: Name of the Helm release.
    type: str
  release_namespace:
    description: Its namespace.
    type: str
  database_url:
    description: URL of a PostgreSQL that this machine reaches, V(postgresql://user:password@host:port/database).
    type: str
  redis_url:
    description: URL of a Redis that this machine reaches, V(redis://:password@host:port/0).
    type: str
  model_url:
    description: Address of a model's endpoint that this machine reaches, as V(https://host/v1), before C(/models).
    type: str
  model_key:
    description: Its key.
    type: str
  version_table:
    description:
      - Alembic's version table at O(database_url), as V(table) or V(schema.table). Without it the schema is not asked.
      - A release says itself which one it is.
    type: str
  pods:
    description:
      - V(agent) uses the agent's pods only, V(probe) a pod of its own only.
      - V(auto) uses the agent's pods where some run and the account may exec into them, else a pod of its own.
    type: str
    choices: [auto, agent, probe]
    default: auto
  max_pods:
    description: At most so many of the agent's pods, ready ones first.
    type: int
    default: 10
  rounds:
    description: Round trips with each server from each pod. V(0) leaves them out.
    type: int
    default: 10
  timeout:
    description: Seconds that each phase may take.
    type: int
    default: 5
  negative:
    description: Whether to try what must not work. This starts a short Job.
    type: bool
    default: true
  other_namespace:
    description: Another namespace from where to try it, too. The account must be allowed to create Jobs there.
    type: str
  outside:
    description:
      - An address outside of the cluster, as V(host:port), which the agent must not reach unless its egress policy says
        so. It is connected with and gets no byte. A pod that no policy limits tries it as well, for the comparison.
        Empty, none is tried.
      - The address V(169.254.169.254:80), at which clouds have the service that gives a machine's credentials, is tried
        in any case.
    type: str
    default: 1.1.1.1:443
  model:
    description: How the model's endpoint is asked. An agent without an address of one has none, and nothing is asked.
    type: dict
    default: {}
    suboptions:
      ask:
        description: Whether it is asked.
        type: bool
        default: true
      url_variable:
        description: Variable of the agent's container with the endpoint's address, the part before C(/models).
        type: str
        default: LLM_BASE_URL
      key_variable:
        description: Variable with its key, which is sent as a bearer token.
        type: str
        default: LLM_API_KEY
      name_variable:
        description: Variable with the name of the model, which is looked for in the list.
        type: str
        default: LLM_MODEL
      ca_file:
        description:
          - File of certificate authorities in the pod. Without it they are those of E(SSL_CERT_FILE) or
            E(SSL_CERT_DIR) there, else those of the package certifi, else the system's, as httpx has it.
        type: str
      path:
        description: Path of the list of models behind the address.
        type: str
        default: /models
  helm_test:
    description:
      - Whether to run the release's own test, C(helm test), as well. It goes on beside this one, and once more where
        only it failed, for it waits for nothing.
      - That it alone fails is a finding. Check mode leaves it out, because Helm records its outcome.
    type: bool
    default: false
  helm_test_again:
    description:
      - Whether C(helm test) runs although Helm recorded that the deployed revision passed it. V(false) leaves it out
        then, and tells the recorded outcome.
    type: bool
    default: true
  helm_test_timeout:
    description: How long each pod of the release's own test may take, a duration such as V(5m).
    type: str
    default: 5m
  helm_binary:
    description: The helm program, a path or a name on E(PATH).
    type: path
    default: helm
  helm_kubeconfig:
    description:
      - A kubeconfig for helm, whose account must be allowed to create the test's pod, which this module needs not.
        Without it helm asks as the module does; with it the module's token, password and certificate are not helm's.
      - It must lead to the same cluster, by its address or its authority, or by O(cluster_expected).
      - An empty one is looked for where no option names one, E(K8S_AUTH_KUBECONFIG) included.
    type: path
  helm_context:
    description: A context for helm, as O(helm_kubeconfig).
    type: str
  job_timeout:
    description: Seconds until a pod of this module must have started.
    type: int
    default: 60
  wait:
    description: Try again until nothing fails, for at most O(wait_timeout) seconds.
    type: bool
    default: false
  wait_timeout:
    description: Seconds after which O(wait) gives up.
    type: int
    default: 120
  run_in_check_mode:
    description: Whether to test in check mode.
    type: bool
    default: true
  fail_on:
    description:
      - The module fails if a finding is at least this bad.
      - V(unknown) is for what could not be known, which is worse than V(warn) and less than V(fail).
    type: str
    choices: [never, fail, unknown, warn]
    default: unknown
  thresholds:
    description: Limits beyond which a figure is reported as a finding.
    type: dict
    default: {}
    suboptions:
      p95_ms:
        description: Milliseconds that 95 of 100 round trips may take at most; of fewer than 20 rounds, half of them.
        type: float
        default: 100.0
      p99_ms:
        description: Milliseconds that 99 of 100 round trips may take at most; fewer than 100 rounds are left out.
        type: float
        default: 500.0
      dns_ms:
        description: Milliseconds that resolving a name may take at most.
        type: float
        default: 1000.0
      connections_left:
        description: Connections that should stay free in PostgreSQL.
        type: int
        default: 5
      certificate_days:
        description: Days that a server's certificate should still be good for, or a third of its life where that is
          less. One that is past its end fails where it is verified, and is a warning elsewhere.
        type: int
        default: 14
      worse_factor:
        description: How many times the median of the last report a median may be. The last report is what stands at
          O(report_path), where it is one on the same release or the same servers.
        type: float
        default: 3.0
      worse_ms:
        description: By how many milliseconds more it must be to count.
        type: float
        default: 20.0
  report_path:
    description: File for the whole report as JSON. It replaces what was there, with mode 0600; a link there is not
      followed.
    type: path
  junit_path:
    description: File for the findings as JUnit XML, written as O(report_path) is.
    type: path
"""

EXAMPLES = r"""
- name: Can the agent use its servers, and nobody else?
  ai_platform.agent.connectivity_test:
    release_name: my-agent
    release_namespace: dev
  register: connectivity

- name: After a rollout, with more rounds and with reports
  ai_platform.agent.connectivity_test:
    release_name: my-agent
    release_namespace: dev
    rounds: 50
    wait: true
    thresholds:
      p95_ms: 20
    report_path: /tmp/connectivity.json
    junit_path: /tmp/connectivity.xml

- name: Servers that this machine reaches, without Kubernetes
  ai_platform.agent.connectivity_test:
    database_url: "{{ lookup('ansible.builtin.env', 'TEST_DATABASE_URL') }}"
    redis_url: "{{ lookup('ansible.builtin.env', 'TEST_REDIS_URL') }}"

- name: A release whose image has other names for the model's endpoint, in a network without a way out
  ai_platform.agent.connectivity_test:
    release_name: my-agent
    release_namespace: dev
    model:
      url_variable: OPENAI_BASE_URL
      key_variable: OPENAI_API_KEY
    outside: ""
"""

RETURN = r"""
verdict:
  description: V(safe), V(warn), V(unknown) or V(unsafe), decided by the worst finding.
  returned: when a verdict was possible
  type: str
  sample: safe
summary:
  description: The outcome in a few lines, for a play's output.
  returned: when a verdict was possible
  type: list
  elements: str
dependencies:
  description: Each server as each pod saw it.
  returned: when a verdict was possible
  type: list
  elements: dict
  contains:
    name:
      description: V(postgresql), V(postgresql-replica), V(redis) or V(model).
      type: str
    pod:
      description: The pod that asked; V(direct) is this machine.
      type: str
    node:
      description: The pod's node, where it is known.
      type: str
    phases:
      description:
        - Phases in order, each with C(name) (C(dns), C(tcp), C(proxy), C(tls), C(auth), C(query), C(write), C(schema),
          C(large) or C(models), and C(driver) or C(url) where they fail), C(ms), C(status) (C(pass) or C(fail)) and
          C(detail), what the server said of itself.
        - One that failed has C(finding), the id of its finding, and C(error), the words of server or driver without
          secrets.
      type: list
      elements: dict
    rounds:
      description:
        - C(count) as asked for, C(failed), C(p50), C(p95), C(p99), C(worst) and C(samples_ms), all in milliseconds.
        - In the result at most 20 samples, O(report_path) has all; the percentiles are of all. Percentiles are nearest
          ranks, so each was measured; p95 is null below 20 rounds and p99 below 100, where they would be the worst one.
      type: dict
agent:
  description: Answers of the agent to what its liveness and readiness probes ask by HTTP, by default C(/health) and
    C(/ready), each with C(from), C(pod), C(path), C(via) (C(itself) or C(service)), C(http_status), C(ms), C(status),
    and C(error) where there was no answer.
  returned: when a verdict was possible
  type: list
  elements: dict
negatives:
  description: What must not be reached, each with C(from) (C(stranger), C(elsewhere) or C(agent)), C(pod), C(to),
    C(expected), C(got) (C(refused), C(timeout), C(unreachable), C(no-name) or C(reached)), C(ms) and C(status). C(skip)
    is for what proves nothing, because the server was not reachable from anywhere.
  returned: when a verdict was possible
  type: list
  elements: dict
pods:
  description: The pods that asked, each with C(name), C(node), C(from), C(ms) for everything it did, C(peak_kib), the
    most memory it held, and C(problem) where it ended early.
  returned: when a verdict was possible
  type: list
  elements: dict
thresholds:
  description: The thresholds in use.
  returned: when a verdict was possible
  type: dict
medians_before:
  description: The median of the round trips with each server in the last report, in milliseconds, by its name; of the
    pod with the largest. Empty where there was no last report.
  returned: when a verdict was possible
  type: dict
  sample:
    postgresql: 0.6
helm_test:
  description: What O(helm_test) said.
  returned: with O(helm_test), when a verdict was possible
  type: dict
  contains:
    outcomes:
      description: The phase of each test's pod by the test's name.
      type: dict
    log:
      description: What the pods printed, with C(--logs).
      type: list
      elements: str
    complaint:
      description: Why it failed, empty where it did not.
      type: str
    attempts:
      description: How often it ran, once or twice; 0 where it was left out (O(helm_test_again=false)).
      type: int
    recorded:
      description: When the recorded test ended, empty where it ran now.
      type: str
attempts:
  description: How often the test ran, with O(wait).
  returned: when a verdict was possible
  type: int
findings:
  description: The findings, worst first, at most 100; RV(findings_omitted) counts the others.
  returned: always
  type: list
  elements: dict
  sample:
    - id: cache-wrongpass
      status: fail
      severity: fail
      message: >-
        redis at my-agent-redis-master:6379: no session: invalid username-password pair or user is disabled (seen by 3
        of 3 pods).
      hint: Correct the password in redis-url (WRONGPASS); a rotation changes both sides.
      runbook: docs/runbook.md#cache-wrongpass
      dependency: redis
      layer: auth
      pods: [my-agent-7c9f-4x2lp, my-agent-7c9f-8k7zd, my-agent-7c9f-q5wjn]
findings_omitted:
  description: Findings left out.
  returned: when a verdict was possible
  type: int
counts:
  description: Findings by status.
  returned: when a verdict was possible
  type: dict
subject:
  description: Namespace and release, or the places that were asked.
  returned: when a verdict was possible
  type: str
  sample: dev/my-agent
form:
  description: Name and version of the form of this report, which other modules share.
  returned: when a verdict was possible
  type: str
  sample: ai_platform.agent/report/1
kind:
  description: What made the report.
  returned: when a verdict was possible
  type: str
  sample: connectivity_test
error_id:
  description: Id of the finding that made a verdict impossible.
  returned: when no verdict was possible
  type: str
  sample: release-missing
"""

from ansible_collections.ai_platform.agent.plugins.module_utils._common.module import end, started
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.module import (
    ARGUMENTS,
    CONSTRAINTS,
    execute,
)


def main() -> None:
    module = started(ARGUMENTS, **CONSTRAINTS)
    if module.check_mode and not module.params["run_in_check_mode"]:
        module.exit_json(changed=False, skipped=True, msg="Not tested: run_in_check_mode is off.", findings=[])
    # Helm writes into its record of the release when it last tested it.
    end(module, execute, module.params | ({"helm_test": False} if module.check_mode else {}))


if __name__ == "__main__":
    main()
