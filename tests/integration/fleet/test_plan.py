"""playbooks/plan.yml and site.yml with what it kept: the role, the chart, helm and the API server are real."""

from __future__ import annotations

import json
import typing as t

from tests.integration.fleet.conftest import Fleet

PLAN: dict[str, t.Any] = {"playbook": "playbooks/plan.yml", "ai_agent_preflight": False, "ai_agent_quiet": False}
SITE: dict[str, t.Any] = {"playbook": "site.yml", "ai_agent_preflight": False, "ai_agent_progress": 1}


def plan_of(fleet: Fleet) -> dict[str, t.Any]:
    found: dict[str, t.Any] = json.loads((fleet.reports / "plan-a-plan.json").read_text())
    return found


def actions(plan: dict[str, t.Any]) -> set[str]:
    return {each["action"] for each in plan["objects"]}


def test_plan_deploy_plan(fleet: Fleet) -> None:
    fleet.hosts = {"plan-a": {}}
    done = fleet.run(**PLAN)
    assert (done.code, done.recap("changed") > 0) == (0, True), done.output
    assert fleet.revisions() == {}
    assert actions(plan_of(fleet)) == {"added"}
    beside = {(each["kind"], each["name"]) for each in plan_of(fleet)["objects"][:2]}
    assert beside == {("Namespace", "plan-a"), ("Secret", "plan-a-secret")}
    assert "pass-postgresql" not in done.output + (fleet.reports / "plan-a-plan.json").read_text()

    kept = fleet.folder / "kept.json"
    kept.write_text((fleet.reports / "plan-a-plan.json").read_text())
    done = fleet.run(**SITE, ai_agent_plan=str(kept))
    assert done.code == 0, done.output
    assert fleet.revisions() == {"plan-a": 1}
    # What was waited for, and for whom.
    assert "plan-a: [" in done.output

    done = fleet.run(**PLAN)
    assert (done.code, done.recap("changed")) == (0, 0), done.output
    assert actions(plan_of(fleet)) == {"unchanged"}
    assert "A deployment now would change nothing." in done.output

    # That plan is of a release that is there meanwhile.
    done = fleet.run(**SITE, ai_agent_plan=str(kept))
    assert done.code != 0
    assert "would not do what plan" in done.output
    assert "plan-differs" in done.output
    assert fleet.revisions() == {"plan-a": 1}

    done = fleet.run(**PLAN, ai_agent_values={"agent": {"replicaCount": 2}})
    found = plan_of(fleet)
    assert [each["name"] for each in found["objects"] if each["action"] == "changed"] == ["plan-a"]
    assert found["pods"][0].startswith("Deployment plan-a: ")
    done = fleet.run("--check", "--diff", **SITE, ai_agent_values={"agent": {"replicaCount": 2}})
    assert ".spec.replicas" in done.output
    assert fleet.revisions() == {"plan-a": 1}
