"""Which keys of which Secrets pods cannot start without."""

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._release.references import needed

Object = dict[str, t.Any]


def variable(name: str, key: str, **more: t.Any) -> Object:
    return {"name": "X", "valueFrom": {"secretKeyRef": {"name": name, "key": key, **more}}}


def pod(**spec: t.Any) -> Object:
    return {"containers": [{"name": "c"} | spec.pop("container", {})], **spec}


def of(kind: str, spec: Object) -> Object:
    return {"kind": kind, "metadata": {"name": "x"}, "spec": spec}


def test_every_way_to_a_secret() -> None:
    volumes = [
        {"name": "a", "secret": {"secretName": "files", "items": [{"key": "one", "path": "p"}]}},
        {"name": "b", "secret": {"secretName": "maybe", "optional": True}},
        {
            "name": "c",
            "projected": {"sources": [{"secret": {"name": "projected", "items": [{"key": "two", "path": "p"}]}}]},
        },
        {"name": "d", "emptyDir": {}},
    ]
    container = {
        "env": [variable("ext", "uri"), variable("ext", "llm", optional=True), {"name": "Y", "value": "z"}],
        "envFrom": [
            {"secretRef": {"name": "whole"}},
            {"configMapRef": {"name": "n"}},
            {"secretRef": {"name": "o", "optional": True}},
        ],
    }
    gate = {"initContainers": [{"name": "i", "env": [variable("ext", "migration")]}]}
    objects = [
        of("Deployment", {"template": {"spec": pod(container=container, volumes=volumes, **gate)}}),
        of("Job", {"template": {"spec": pod(container={"env": [variable("job", "k")]})}}),
        of(
            "CronJob",
            {"jobTemplate": {"spec": {"template": {"spec": pod(container={"env": [variable("cron", "k")]})}}}},
        ),
        of("Pod", pod(container={"env": [variable("pod", "k"), variable("own", "k")]})),
        {"kind": "Secret", "metadata": {"name": "own"}},
        {"kind": "ConfigMap", "metadata": {"name": "n"}},
    ]
    assert needed(objects) == {
        "ext": {"uri", "migration"}, "files": {"one"}, "projected": {"two"}, "whole": frozenset(), "job": {"k"},
        "cron": {"k"}, "pod": {"k"},
    }  # fmt: skip
