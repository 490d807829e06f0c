"""Plans to show: what release_plan returns as `plan`."""

from __future__ import annotations

import typing as t

Json = dict[str, t.Any]
MARKUP = "<script>alert(1)</script>\u202e"
LONG = "postgresql://agent@a-very-long-host-name.databases.internal.example.com:5432/agent?" + "x" * 200


def entry(kind: str, name: str, action: str, *differences: Json, notes: tuple[str, ...] = ()) -> Json:
    return {"kind": kind, "name": name, "action": action, "differences": list(differences), "notes": list(notes)}


def field(path: str, before: str | None, after: str | None) -> Json:
    return {"path": path, "before": before, "after": after}


def plan(*objects: Json, **more: t.Any) -> Json:
    """A plan with these objects beside one that stays."""
    return {
        "kind": "ai_platform.agent.plan",
        "made": 1795262400.0,
        "digest": "3f9c02aa",
        "release": "agent",
        "namespace": "prod",
        "cluster": "https://10.0.0.1:6443",
        "chart": {"before": "ai-agent-1.0.0+81d2c5e0", "after": "ai-agent-1.0.0+3f9c02aa"},
        "revision": {"before": 7, "after": 8},
        "helm_runs": True,
        "preflight": {"verdict": "safe", "pending_count": 0},
        "stops": [],
        "objects": [*objects, entry("Service", "agent", "unchanged")],
        "changes": bool(objects),
        "hooks": [],
        "pods": [],
        "volumes": [],
        "unseen": [],
    } | more


def nothing() -> Json:
    return plan(changes=False, helm_runs=False, revision={"before": 7, "after": 7})


def upgrade() -> Json:
    image = field('.spec.template.spec.containers["agent"].image', "registry/agent:1.3.2", "registry/agent:1.4.0")
    text = {"path": ".data.PROMPT", "before": None, "after": None, "lines": ["- be short", "+ be brief", "  and kind"]}
    return plan(
        entry("Deployment", "agent", "changed", image, field(".spec.replicas", "2", "3")),
        entry("ConfigMap", "agent-config", "changed", text, field(".data.MODEL_URL", None, LONG)),
        entry("Secret", "agent-secret", "changed", field(".data.redis-password", "***", "***")),
        entry("HorizontalPodAutoscaler", "agent", "added"),
        preflight={
            "verdict": "warn",
            "pending_count": 2,
            "live_revisions": ["0006"],
            "target_revisions": ["0008"],
        },
        hooks=["pre-upgrade: Job agent-migration-8", "post-upgrade: Job agent-after"],
        pods=["Deployment agent: 2 pods are replaced one after the other, and one more starts."],
    )


def doubtful() -> Json:
    return plan(
        entry("PodDisruptionBudget", "agent", "removed", notes=("somebody deleted it",)),
        entry("NetworkPolicy", MARKUP, "drifted", field(".spec.podSelector", MARKUP, None)),
        entry("PersistentVolumeClaim", "data", "kept"),
        preflight={"verdict": "unsafe", "pending_unknown": True},
        stops=["The preflight's verdict is unsafe: 1 finding reaches fail_on=unknown (lock-blocks-reads)."],
        volumes=["data-agent-postgresql-0 stays."],
        unseen=["ConfigMap agent-scripts is read at the pods' next start."],
    )


ALL: t.Final[dict[str, t.Callable[[], Json]]] = {"nothing": nothing, "upgrade": upgrade, "doubtful": doubtful}
