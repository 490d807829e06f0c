"""What the agent's container says of itself: which variables hold its URLs, and where it answers. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.model_causes import MODEL
from ansible_collections.ai_platform.agent.plugins.module_utils._release.references import OWN_NAME

Object = dict[str, t.Any]
# By the dependency: the name of the contract (docs/agent-image.md).
VARIABLES: t.Final[dict[str, str]] = {"postgresql": "DATABASE_URL", "redis": "REDIS_URL"}
# What the chart calls the model's endpoint, its key and the model (chart/templates/_config.tpl, deployment.yaml).
MODEL_VARIABLES: t.Final[dict[str, str]] = {
    "url_variable": "LLM_BASE_URL",
    "key_variable": "LLM_API_KEY",
    "name_variable": "LLM_MODEL",
}


def variables(container: Object) -> dict[str, str]:
    """The variable with each dependency's plain URL. An agent without a cache has none for it."""
    names = {item["name"] for item in container.get("env") or ()}
    found = {}
    for dependency, plain in VARIABLES.items():
        here = [name for name in (OWN_NAME + plain, plain) if name in names]
        # Without a database nothing works: that its variable is missing is for the probe to say.
        if here or dependency == "postgresql":
            found[dependency] = here[0] if here else plain
    return found


def model_dependency(named: t.Mapping[str, t.Any]) -> Object:
    """The model's endpoint, as the agent finds it in its environment; where that has none, nothing is asked.

    :param named: by `url_variable`, `key_variable` and `name_variable` those of an image with names of its own, with
        `ca_file` and `path` what it has in place of the usual ones
    """
    chosen = MODEL_VARIABLES | {name: value for name, value in named.items() if value}
    asked = {"name": MODEL, "kind": MODEL, "optional": True, "env": chosen["url_variable"]}
    asked |= {"key_env": chosen["key_variable"], "model_env": chosen["name_variable"]}
    return asked | {name: chosen[name] for name in ("ca_file", "path") if chosen.get(name)}


def answers(container: Object) -> list[Object]:
    """Port and path of what the kubelet asks by HTTP, liveness first; nothing where its probes ask otherwise.

    A probe with headers or TLS of its own is the kubelet's alone: what it needs is not known here.
    """
    found: list[Object] = []
    for kind in ("liveness", "readiness"):
        asked = (container.get(f"{kind}Probe") or {}).get("httpGet") or {}
        place = {"port": port_number(container, asked.get("port")), "path": asked.get("path", "/")}
        plain = asked and asked.get("scheme", "HTTP") == "HTTP" and not asked.get("httpHeaders")
        if plain and place["port"] and place not in found:
            found.append(place)
    return found


def health_path(container: Object) -> str | None:
    """The path that says whether the process lives, None where none is asked for that alone."""
    return ((container.get("livenessProbe") or {}).get("httpGet") or {}).get("path")


def port_number(container: Object, port: t.Any) -> int | None:
    """A container's port by its number or name; None for a name that it does not have."""
    named = {item.get("name"): int(item["containerPort"]) for item in container.get("ports") or ()}
    return named.get(port) if isinstance(port, str) and not port.isdigit() else int(port) if port else None


def service_port(container: Object, service: Object, port: int) -> int | None:
    """The port of the Service that leads to a port of the container; None where none does."""
    for item in service["spec"]["ports"]:
        if port_number(container, item.get("targetPort") or item["port"]) == port:
            return int(item["port"])
    return None


__all__ = ("MODEL_VARIABLES", "VARIABLES", "answers", "health_path", "model_dependency", "service_port", "variables")
