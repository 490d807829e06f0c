"""The part of the catalogue of findings that is about connectivity: id, severity, hint."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

CONNECTIVITY_FINDINGS: t.Final[dict[str, tuple[t.Literal["fail", "unknown", "warn", "info", "skip"], str]]] = {
    # Names, and what is the same for every server
    "dns-unavailable": ("fail", "Look at the cluster's name service, and at the egress policy's rule for DNS."),
    "dns-slow": ("warn", "Look at CoreDNS' load, and at the search list: a name with a dot at its end asks once."),
    "driver-missing": ("fail", "Install psycopg 3 and redis in the image: docs/agent-image.md."),
    "service-without-endpoints": (
        "fail",
        "Look at the pods behind the Service: none is ready, or the selector is wrong.",
    ),
    "rounds-failed": ("fail", "Connections break while they are used: look at the server's log, restarts and proxies."),
    "latency-high": ("warn", "Look at the network, the nodes' load and the server's; or move the threshold."),
    "latency-worse": ("warn", "Look at what changed since: node, network, load; or move worse_factor and worse_ms."),
    "large-messages-lost": (
        "fail",
        "Compare the MTU of pods, nodes and tunnels: full packets are lost. Or the way is very slow.",
    ),
    "large-messages-slow": ("fail", "Look for a limit of bandwidth, a full tunnel and lost packets; or raise timeout."),
    "certificate-expires": (
        "warn",
        "Renew it, and look at why what renews it did not: cert-manager, the server's log.",
    ),
    "certificate-expired": ("fail", "Renew the server's certificate, and have the server load it."),
    # The model's endpoint
    "model-url-invalid": ("fail", "Correct agent.llm.baseUrl: https://host/v1. Or the key, if the message says so."),
    "model-host-unknown": ("fail", "Correct the host's name in agent.llm.baseUrl, or the cluster's name service."),
    "model-connection-refused": ("fail", "Nothing listens there: check host and port of agent.llm.baseUrl."),
    "model-filtered": ("fail", "Name the endpoint in networkPolicy.model.to, and look at firewalls on the way."),
    "model-proxy": ("fail", "Check HTTPS_PROXY and NO_PROXY of the agent, and what the proxy lets through."),
    "model-tls": ("fail", "Mount the endpoint's authority and set SSL_CERT_FILE; check the name and the scheme."),
    "model-silent": ("fail", "Something listens and does not answer in time: check the port and the endpoint's load."),
    "model-not-http": ("fail", "Another kind of server answers, or the scheme is wrong: https:// or http://."),
    "model-key-missing": ("fail", "The endpoint wants a key: name its Secret in agent.llm.existingSecret."),
    "model-key-refused": ("fail", "The key is wrong, revoked or of another endpoint: renew it in its Secret."),
    "model-forbidden": ("fail", "The key is known and may not: look at its rights, its project and allowed addresses."),
    "model-path-unknown": ("fail", "The address usually ends in /v1; an endpoint without /models has another path."),
    "model-redirected": ("fail", "Set agent.llm.baseUrl to where it leads: a key is not sent on to another address."),
    "model-rate-limited": ("warn", "Wait, or look at the limits and the credit of the key: others may use it up."),
    "model-unavailable": ("fail", "The endpoint itself fails: look at its status page or its log."),
    "model-refused": ("fail", "Look up the status in the endpoint's documentation, and what it logged."),
    "model-answer-unfit": ("warn", "Look at what answers there: a login page, a proxy, or an API of another kind."),
    "model-not-listed": ("warn", "Correct agent.llm.model, or give the key access to it."),
    "model-not-tested": (
        "skip",
        "Let the account exec into the agent's pods: roles/ai_agent/files/verifier-rbac.yaml.",
    ),
    # PostgreSQL
    "database-connection-refused": ("fail", "Nothing listens there: check port, Service and that the server runs."),
    "database-filtered": ("fail", "Packets are dropped: check NetworkPolicies, firewalls and the address."),
    "database-silent": ("fail", "Something listens and does not answer: check the port, and whether the server hangs."),
    "database-not-postgresql": ("fail", "Another kind of server answers: correct host and port of database-url."),
    "database-pooler": (
        "fail",
        "Look at the pooler's log, its server's address, and the login that it has of its own.",
    ),
    "database-encoding": ("warn", "Move it to a database that was made with ENCODING 'UTF8'."),
    "database-connections-exhausted": ("fail", "End idle sessions, lower pools or replicas, or raise max_connections."),
    "database-read-only": (
        "fail",
        "Find out who set default_transaction_read_only, and why: a full disk, maybe; or name the primary.",
    ),
    "database-write-denied": (
        "fail",
        "Grant the role TEMPORARY on the database.",
    ),
    "database-disk-full": ("fail", "Enlarge the volume or remove what fills it: WAL of a slot, temporary files."),
    "database-write-failed": ("fail", "Read the server's own words in the message and its log."),
    "schema-missing": ("fail", "No migration ran here, or this is another database: look at the migration's Job."),
    "replica-not-standby": ("warn", "The read Service leads to a primary: check its selector."),
    "replica-behind": ("warn", "Look at the replica's log, disk and network, and at long queries on it."),
    # Redis
    "cache-url-invalid": ("fail", "Use redis://:password@host:port/0, percent-encoded."),
    "cache-host-unknown": ("fail", "Correct the host's name in redis-url."),
    "cache-connection-refused": ("fail", "Nothing listens there: check port, Service and that Redis runs."),
    "cache-filtered": ("fail", "Packets are dropped: check NetworkPolicies, firewalls and the address."),
    "cache-silent": ("fail", "Something listens and does not answer: check the port, and whether Redis hangs."),
    "cache-tls": ("fail", "Make scheme (redis:// or rediss://), certificate and name fit."),
    "cache-not-redis": ("fail", "Another kind of server answers: correct host and port of redis-url."),
    "cache-noauth": ("fail", "Redis wants a password (NOAUTH): put it into redis-url."),
    "cache-wrongpass": ("fail", "Correct the password in redis-url (WRONGPASS); a rotation changes both sides."),
    "cache-permission": (
        "fail",
        "Give the user's ACL the commands and keys that the agent and this test need (NOPERM).",
    ),
    "cache-refused": ("fail", "Read the server's own words in the message and its log."),
    "cache-loading": ("fail", "Redis reads its data from disk: wait, and look at how long that takes."),
    "cache-connections-exhausted": ("fail", "End idle clients, lower pools, or raise maxclients."),
    "cache-read-only": ("fail", "This is a replica: name the master's Service in redis-url."),
    "cache-cluster": ("fail", "Name a server that takes every key in redis-url: the agent does not follow MOVED."),
    "cache-out-of-memory": ("fail", "Raise maxmemory, choose an eviction policy, or find what fills it (OOM)."),
    "cache-memory-unlimited": ("warn", "Set maxmemory below the pod's limit, and maxmemory-policy allkeys-lru."),
    "cache-memory-scarce": ("warn", "Raise maxmemory or choose an eviction policy before writes fail."),
    "cache-disk": ("fail", "Redis cannot write to its disk (MISCONF): look at the volume."),
    "cache-persistence-failing": ("warn", "The last save failed: look at the volume and at Redis' log."),
    "cache-write-failed": ("fail", "Read the server's own words in the message and its log."),
    # The agent itself
    "helm-test-failed": ("fail", "Read what its pod printed: it asks as the agent does, from a pod of its own."),
    "helm-test-forbidden": (
        "unknown",
        "Let helm test as the account that deploys (helm_kubeconfig), or leave it out (ai_agent_verify_helm_test).",
    ),
    "agent-absent": ("fail", "No pod of the agent runs: look at the Deployment and its events."),
    "agent-not-ready": ("fail", "Look at this pod: kubectl describe, its log, its node."),
    "agent-health": ("fail", "The process does not answer /health: look at the pod's log and limits."),
    "service-endpoints-differ": (
        "fail",
        "Compare selector and labels; look at the endpoint controller.",
    ),
    "service-unreachable": ("fail", "The pods answer, their Service does not: check port, selector and kube-proxy."),
    "service-not-testable": ("info", "Callers are limited by networkPolicy.callers: test from one of them."),
    # What must not be reached
    "policy-missing": ("fail", "Set networkPolicy.enabled, or find who removed or widened the policy."),
    "policy-not-enforced": ("fail", "The policies exist and nothing enforces them: use a network plugin that does."),
    "negative-not-tested": ("skip", "Give the account what the message names, or switch negative tests off."),
    # The test itself
    "collector-broken": ("unknown", "Look at the pod's memory limit, restarts and node, and run it again."),
    "rights-incomplete": (
        "skip",
        "Grant what roles/ai_agent/files/verifier-rbac.yaml lists.",
    ),
    "release-missing": ("fail", "Check release_name and release_namespace; the release must be installed."),
}

__all__ = ("CONNECTIVITY_FINDINGS",)
