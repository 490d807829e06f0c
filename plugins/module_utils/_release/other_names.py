"""What other charts call a value that this chart has under a name that is not like it.

The names are those of `helm create`, of Bitnami's charts, and of the charts of other AI servers, in November 2026.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

OTHER_NAMES: t.Final[dict[str, str]] = {
    "containerPort": "agent.port",
    "containerPorts": "agent.port",
    "customLivenessProbe": "agent.livenessProbe",
    "customReadinessProbe": "agent.readinessProbe",
    "customStartupProbe": "agent.startupProbe",
    "deploymentAnnotations": "agent.annotations",
    "deploymentStrategy": "agent.strategy",
    "envFrom": "agent.extraEnvFrom",
    "extraContainers": "agent.sidecars",
    "extraDeploy": "extraObjects",
    "extraEnvVars": "agent.extraEnv",
    "extraEnvVarsCM": "agent.extraEnvFrom",
    "extraEnvVarsSecret": "agent.extraEnvFrom",
    "extraInitContainers": "agent.initContainers",
    "extraManifests": "extraObjects",
    "extraResources": "extraObjects",
    "hpa": "agent.autoscaling",
    "image.registry": "agent.image.repository",
    "ingressClassName": "ingress.className",
    "llm.apiKey": "agent.llm.existingSecret",
    "lifecycleHooks": "agent.lifecycle",
    "minReplicaCount": "agent.autoscaling.minReplicas",
    "maxReplicaCount": "agent.autoscaling.maxReplicas",
    "pdb": "agent.podDisruptionBudget",
    "podAnnotations": "agent.podAnnotations",
    "podSecurityContext": "agent.podSecurityContext",
    "pullSecrets": "imagePullSecrets",
    "rbac": "extraObjects",
    "replicas": "agent.replicaCount",
    "route": "httpRoute",
    "securityContext": "agent.containerSecurityContext",
    "updateStrategy": "agent.strategy",
    "volumeMounts": "agent.extraVolumeMounts",
    "volumes": "agent.extraVolumes",
}
"""The path of the value here, by the last key there, or by its last two where one alone would say too little."""


def other_name(place: t.Sequence[str], name: str) -> list[str]:
    """Where a value is that other charts have under a name; empty where none is known.

    :param place: the keys above it
    """
    for key in (".".join([*place[-1:], name]), name):
        if found := OTHER_NAMES.get(key):
            return found.split(".")
    return []


__all__ = ("OTHER_NAMES", "other_name")
