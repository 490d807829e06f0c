"""What a deployment would change, as a person reads it: fields, pods, volumes, secrets hidden, deviations named."""

from __future__ import annotations

import copy
import json
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.redaction import HIDDEN, without_named
from ansible_collections.ai_platform.agent.plugins.module_utils._common.spellings import pattern
from ansible_collections.ai_platform.agent.plugins.module_utils._release import (
    consequences,
    plan,
    plan_look,
    plan_text,
    three_way,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._release.differences import differences

Object = dict[str, t.Any]
CANARY = "kanarienvogel-4711"


def redact(text: str) -> str:
    return without_named(pattern([CANARY]).sub(HIDDEN, text))


def item(kind: str = "Deployment", **more: t.Any) -> Object:
    version = "apps/v1" if kind in {"Deployment", "StatefulSet", "DaemonSet"} else "v1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "a"}} | more


def pod(*env: Object, **more: t.Any) -> Object:
    container = {"name": "agent", "image": "i:1", "env": list(env)} | more
    return {"template": {"spec": {"containers": [container]}}}


def deployment(replicas: int = 3, image: str = "i:1", kind: str = "Deployment", **more: t.Any) -> Object:
    return item(kind, spec={"replicas": replicas} | pod(image=image) | more)


def told(before: Object, after: Object) -> list[str]:
    return [line for each in differences(before, after, redact) for line in each.said]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        # What the server writes, and what is empty, is no difference: Argo's and helm-diff's noise.
        (item(metadata={"name": "a", "uid": "1", "generation": 1}), item(metadata={"name": "a", "uid": "2"}), []),
        (item(status={"replicas": 1}), item(status={"replicas": 2}), []),
        (item(spec={"a": {}, "b": None}), item(spec={"b": []}), []),
        (item(spec={"a": 1}), item(spec={"a": 2}), [".spec.a: 1 -> 2"]),
        (item(spec={}), item(spec={"a": 0}), [".spec.a: + 0"]),
        (item(spec={"a": False}), item(spec={}), [".spec.a: - false"]),
        (item(spec={"a": None}), item(spec={"a": "x"}), [".spec.a: null -> x"]),
        # Members of lists by their key, not by their place.
        (item(spec=pod({"name": "A", "value": "1"}, {"name": "B", "value": "2"})),
         item(spec=pod({"name": "B", "value": "2"})),
         ['.spec.template.spec.containers[agent].env[A]: - {"name": "A", "value": "1"}']),
        (item(spec=pod({"name": "A", "value": "1"}, {"name": "B", "value": "2"})),
         item(spec=pod({"name": "B", "value": "2"}, {"name": "A", "value": "1"})),
         [".spec.template.spec.containers[agent].env (order): A, B -> B, A"]),
        # A name twice tells nothing apart; then the lists are shown as they are.
        (item(spec={"l": [{"name": "A"}, {"name": "A"}]}), item(spec={"l": [{"name": "A"}]}),
         ['.spec.l: [{"name": "A"}, {"name": "A"}] -> [{"name": "A"}]']),
        (item(spec={"l": ["a"]}), item(spec={"l": ["a", "b"]}), ['.spec.l: ["a"] -> ["a", "b"]']),
        (item(metadata={"labels": {"helm.sh/chart": "a-1"}}), item(metadata={"labels": {"helm.sh/chart": "a-2"}}),
         ['.metadata.labels["helm.sh/chart"]: a-1 -> a-2']),
        # Secrets: by kind, by name, by place in a text, by value.
        (item("Secret", data={"k": "YQ=="}), item("Secret", data={"k": "Yg==", "n": "Yw=="}),
         [".data.k: *** -> ***", ".data.n: + ***"]),
        (item("Secret", stringData={"password": "a"}), item("Secret"), [".stringData.password: - ***"]),
        (item(spec=pod({"name": "DB_PASSWORD", "value": "a"})), item(spec=pod({"name": "DB_PASSWORD", "value": "b"})),
         [".spec.template.spec.containers[agent].env[DB_PASSWORD].value: *** -> ***"]),
        (item(spec=pod()), item(spec=pod({"name": "API_TOKEN", "value": "b7"})),
         ['.spec.template.spec.containers[agent].env[API_TOKEN]: + {"name": "API_TOKEN", "value": "***"}']),
        (item("ConfigMap", data={"u": "redis://x:one7@h"}), item("ConfigMap", data={"u": "redis://x:two8@h"}),
         [".data.u: redis://x:***@h (hidden) -> redis://x:***@h (hidden, another)"]),
        (item("ConfigMap", data={"u": "a"}), item("ConfigMap", data={"u": f"x {CANARY}"}), [".data.u: a -> x ***"]),
        (item("Secret", metadata={"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "pw"}}),
         item("Secret", metadata={}), []),
        (item(spec={"l": [{"key": "a"}]}), item(spec={"l": [{"key": "a"}, {"key": CANARY}]}),
         ['.spec.l[***]: + {"key": "***"}']),
        # Where a secret is, is none.
        (item(spec={"secretName": "a"}), item(spec={"secretName": "b"}), [".spec.secretName: a -> b"]),
        (item(spec={"automountServiceAccountToken": True}), item(spec={"automountServiceAccountToken": False}),
         [".spec.automountServiceAccountToken: true -> false"]),
        # Texts of several lines: only what changes of them.
        (item("ConfigMap", data={"s": "a\nb\nc\n"}), item("ConfigMap", data={"s": "a\nB\nc\n"}),
         [".data.s:", "  -b", "  +B"]),
        (item("ConfigMap", data={"s": "a\npassword=x9\n"}), item("ConfigMap", data={"s": "a\npassword=y9\n"}),
         [".data.s:", "  (hidden, or only the ends of lines)"]),
        # A terminal is not driven by what somebody wrote.
        (item(spec={"a": "x"}), item(spec={"a": "\x1b[2Jy"}), [".spec.a: x -> \ufffd[2Jy"]),
    ],
)  # fmt: skip
def test_a_difference_in_words(before: Object, after: Object, said: list[str]) -> None:
    assert told(before, after) == said


def test_long_values_show_where_they_differ() -> None:
    [line] = told(item(spec={"a": "x" * 500 + "1"}), item(spec={"a": "x" * 500 + "2"}))
    assert "1 ->" in line
    assert line.endswith("2")
    assert len(line) < 300
    many = told(item("ConfigMap", data={"s": "\n"}), item("ConfigMap", data={"s": "\n".join(map(str, range(900)))}))
    assert len(many) < 20
    assert "lines more" in many[-1]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (deployment(), deployment(image="i:2"),
         "3 pods are replaced, up to 1 more meanwhile, never fewer ready than now"),
        (deployment(4), deployment(4, "i:2"),
         "4 pods are replaced, up to 1 more meanwhile, at least 3 of 4 ready meanwhile"),
        (deployment(), deployment(image="i:2", strategy={"type": "Recreate"}), "nobody serves meanwhile"),
        (deployment(), deployment(image="i:2", paused=True), "is paused"),
        (deployment(), deployment(0), "3 -> 0 pods: nobody serves any more"),
        (deployment(), deployment(5), "3 -> 5 pods"),
        (None, deployment(1), "1 pod starts"),
        (deployment(2), None, "its 2 pods end for good"),
        (deployment(1, kind="StatefulSet"), deployment(1, "i:2", kind="StatefulSet"), "what it serves is away"),
        (deployment(3, kind="StatefulSet"), deployment(3, "i:2", kind="StatefulSet"),
         "one after the other, the last one first"),
        (deployment(3, kind="StatefulSet"),
         deployment(3, "i:2", kind="StatefulSet", updateStrategy={"type": "OnDelete"}), "until somebody deletes them"),
        (deployment(3, kind="StatefulSet"),
         deployment(3, "i:2", kind="StatefulSet", updateStrategy={"rollingUpdate": {"partition": 2}}),
         "2 pods stay (partition 2)"),
        (deployment(kind="DaemonSet"), deployment(image="i:2", kind="DaemonSet"), "node by node"),
    ],
)  # fmt: skip
def test_what_happens_to_pods(before: Object | None, after: Object | None, said: str) -> None:
    [sentence] = consequences.pods([(before, after)])
    assert said in sentence


def test_pods_that_stay() -> None:
    same = deployment()
    other = copy.deepcopy(same) | {"metadata": {"name": "a", "labels": {"helm.sh/chart": "b"}}}
    assert consequences.pods([(same, other), (item("ConfigMap"), item("ConfigMap", data={"a": "b"}))]) == []
    assert consequences.pods([(deployment(0), deployment(0, "i:2"))]) == []


def stateful(replicas: int, **policy: str) -> Object:
    claims = [{"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}]
    more: Object = {"persistentVolumeClaimRetentionPolicy": policy} if policy else {}
    return deployment(replicas, kind="StatefulSet", volumeClaimTemplates=claims, **more)


def claim(size: str) -> Object:
    return item("PersistentVolumeClaim", spec={"resources": {"requests": {"storage": size}}})


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (None, stateful(2), "data-a-0, data-a-1: made, unless they are there already"),
        (stateful(1), stateful(2), "data-a-1: made, unless it is there already"),
        (stateful(2), stateful(1), "data-a-1: stays, with its data, without a pod"),
        (stateful(2), stateful(1, whenScaled="Delete"), "data-a-1: DELETED WITH ITS DATA"),
        (stateful(1), None, "data-a-0: stays, with its data, without a pod"),
        (stateful(1, whenDeleted="Delete"), None, "data-a-0: DELETED WITH ITS DATA"),
        (None, claim("1Gi"), "a: made, 1Gi"),
        (claim("1Gi"), claim("2Gi"), "a: 1Gi -> 2Gi"),
        (claim("2Gi"), claim("1Gi"), "a: 2Gi -> 1Gi, which Kubernetes refuses"),
        (claim("1Gi"), None, "a: DELETED, and its data with it unless its volume's reclaim policy is Retain"),
    ],
)
def test_what_happens_to_volumes(before: Object | None, after: Object | None, said: str) -> None:
    assert consequences.volumes([(before, after)]) == [said]


@pytest.mark.parametrize(
    ("last", "planned", "sent"),
    [
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"d": 2}}, {"b": {"d": 2, "c": None}, "a": None}),
        ({"env": [{"name": "A"}, {"name": "B"}]}, {"env": [{"name": "B"}]},
         {"env": [{"name": "B"}, {"$patch": "delete", "name": "A"}]}),
        ({"env": [{"name": "A"}]}, {}, {"env": [{"$patch": "delete", "name": "A"}]}),
        ({"env": [{"name": "A", "value": "x"}]}, {"env": [{"name": "A", "valueFrom": {}}]},
         {"env": [{"name": "A", "valueFrom": {}, "value": None}]}),
        ({"args": ["a", "b"]}, {"args": ["b"]}, {"args": ["b"]}),
        ({"ports": [{"port": 80}]}, {"ports": [{"port": 81}]},
         {"ports": [{"port": 81}, {"$patch": "delete", "port": 80}]}),
        (None, {"a": 1}, {"a": 1}),
    ],
)  # fmt: skip
def test_the_patch_of_a_release_that_is_not_applied_on_the_server(
    last: Object | None, planned: Object, sent: Object
) -> None:
    assert three_way.patch(last, planned) == sent


def test_of_a_kind_that_is_not_kubernetes_own_lists_are_replaced() -> None:
    assert three_way.patch({"env": [{"name": "A"}]}, {"env": []}, strategic=False) == {"env": []}


ABOUT = {"release": "r", "namespace": "n", "cluster": "https://c", "chart": "ai-agent-1.0.1"}


def made(*states: plan_look.State, hooks: t.Any = (), **known: t.Any) -> Object:
    given: Object = {"helm_runs": True, "preflight": {"verdict": "safe", "pending_count": 0}} | known
    found = plan_look.Look(3, "ai-agent-1.0.0", states, tuple(hooks))
    return plan.plan(found, plan.Circumstances(about=ABOUT, **given), redact, made=1_800_000_000)


def state(before: Object | None, after: Object | None, **more: t.Any) -> plan_look.State:
    return plan_look.State(before, after, **more)


def test_helm_has_nothing_to_do_and_others_changed_something() -> None:
    drift = state(deployment(7), deployment(3))
    found = made(drift, helm_runs=False)
    assert (found["changes"], found["pods"], found["objects"][0]["action"]) == (False, [], "drifted")
    assert found["revision"] == {"before": 3, "after": 3}
    assert "1 that others changed would be left as they are" in plan_text.sentence(found)
    deleted = made(state(None, item("Service")), helm_runs=False)
    assert "! Service a differs from the chart and stays so: Helm has nothing to do (somebody deleted it)" in (
        plan_text.page(deleted)
    )
    # The role takes back what the chart sets of a workload.
    taken = made(drift, helm_runs=False, taken={("Deployment", "a")})
    assert (taken["changes"], taken["pods"]) == (True, ["Deployment a: 7 -> 3 pods"])


def test_labels_of_the_chart_alone() -> None:
    old, new = (item("ConfigMap", metadata={"name": "a", "labels": {"helm.sh/chart": name}}) for name in "ab")
    found = made(state(old, new), state(item("Service"), item("Service")))
    assert [each["action"] for each in found["objects"]] == ["relabelled", "unchanged"]
    assert "put new labels of the chart on 1" in plan_text.sentence(found)
    assert not [line for line in plan_text.page(found) if line.startswith("~")]


def test_what_the_role_makes_beside_helm() -> None:
    secret = {"name": "r-secret", "exists": True, "missing": ["redis-password"], "differing": ["redis-url"]}
    found = made(secret=secret, new_namespace=True)
    actions = [(each["kind"], each["action"]) for each in found["objects"]]
    assert actions == [("Namespace", "added"), ("Secret", "changed")]
    assert "    .data.redis-password: + ***" in plan_text.page(found)


def test_what_stops_a_deployment_is_told_first() -> None:
    found = made(state(deployment(), deployment(image="i:2"), refused="field is immutable"),
                 preflight={"verdict": "unsafe", "msg": "lock-blocks-reads."})  # fmt: skip
    assert found["stops"] == [
        "The preflight stops it: lock-blocks-reads.",
        "It would be refused: Deployment a: field is immutable",
    ]
    lines = plan_text.page(found)
    assert [line[:4] for line in lines[2:4]] == ["STOP", "STOP"]


def test_a_page_is_a_page() -> None:
    many = [state(None, item("ConfigMap", metadata={"name": f"c{number}"})) for number in range(300)]
    lines = plan_text.page(made(*many), "plan.json")
    assert len(lines) <= plan_text.PAGE
    assert lines[-1] == "... and 247 lines more: plan.json"


@pytest.mark.parametrize(
    ("preflight", "said"),
    [
        ({}, "gave no verdict"),
        ({"verdict": "safe", "pending_count": 0}, "safe, no migration would run"),
        ({"verdict": "warn", "pending_count": 2, "live_revisions": ["5"], "target_revisions": ["7"]},
         "warn, 2 migrations would run (5 -> 7)"),
        ({"verdict": "safe", "pending_count": 1, "live_revisions": [], "target_revisions": ["1"]},
         "safe, 1 migration would run (nothing -> 1)"),
        ({"verdict": "unknown", "pending_count": None, "pending_unknown": True},
         "how many migrations would run is not known"),
    ],
)  # fmt: skip
def test_the_preflight_on_the_page(preflight: Object, said: str) -> None:
    assert [line for line in plan_text.page(made(preflight=preflight)) if line.startswith("preflight") and said in line]


def test_nobody_sees_a_secret_anywhere() -> None:
    env = {"name": "MODE", "value": f"x{CANARY}y"}
    found = made(state(item(spec=pod()), item(spec=pod(env)), refused=f"denied: {CANARY}", notes=(f"said {CANARY}",)))
    assert CANARY not in json.dumps(found) + "\n".join(plan_text.page(found))


def test_deviations() -> None:
    one = made(state(deployment(), deployment(image="i:2")))
    assert plan.deviations(one, copy.deepcopy(one)) == []
    later = plan.plan(plan_look.Look(3, "ai-agent-1.0.0", (state(deployment(), deployment(image="i:2")),), ()),
                      plan.Circumstances(ABOUT, helm_runs=True, preflight={"verdict": "safe", "pending_count": 0}),
                      redact, made=1_800_009_999)  # fmt: skip
    assert (later["digest"], plan.deviations(one, later)) == (one["digest"], [])
    other = made(state(deployment(4), deployment(image="i:3")), state(None, item("Service")),
                 preflight={"verdict": "warn", "pending_count": 0})  # fmt: skip
    found = plan.deviations(one, other)
    assert "the preflight's verdict was safe and is warn" in found
    assert "pods, not planned: Deployment a: 4 -> 3 pods" in found
    path = ".spec.template.spec.containers[agent].image"
    assert f"Deployment a {path}: planned i:1 -> i:2, now i:1 -> i:3" in found
    assert "Service a was to be left out, and would be added" in found


def test_a_secret_that_was_written_meanwhile_is_named() -> None:
    def at(version: str) -> Object:
        old = item("Secret", metadata={"name": "s", "resourceVersion": version}, data={"k": "YQ=="})
        return made(state(old, item("Secret", metadata={"name": "s"}, data={"k": "Yg=="})))

    assert plan.deviations(at("1"), at("1")) == []
    assert plan.deviations(at("1"), at("2")) == ["Secret s was written after the plan was made"]


def test_helms_own_marks_are_no_difference() -> None:
    found = plan_look.marked(item("ConfigMap"), "r", "n")
    assert found["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "Helm"}
    assert found["metadata"]["annotations"] == {
        "meta.helm.sh/release-name": "r",
        "meta.helm.sh/release-namespace": "n",
    }
    assert "labels" not in item("ConfigMap")["metadata"]
