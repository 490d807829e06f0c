"""The rulebook names what is there; tests/integration/events runs it."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
[RULES] = yaml.safe_load((ROOT / "extensions/eda/rulebooks/verify_on_alert.yml").read_text())


def test_it_starts_a_playbook_that_changes_nothing() -> None:
    [rule] = RULES["rules"]
    [(kind, action)] = rule["action"].items()
    assert kind == "run_playbook"
    namespace, collection, playbook = action["name"].split(".")
    assert (namespace, collection, playbook) == ("ai_platform", "agent", "verify")
    assert (ROOT / "playbooks" / f"{playbook}.yml").is_file()


def test_it_asks_for_a_token() -> None:
    [source] = RULES["sources"]
    assert source["eda.builtin.webhook"]["token"] == "{{ ai_agent_eda_token }}"


def test_every_alert_of_the_chart_is_one_of_those_that_it_answers() -> None:
    [prefix] = re.findall(r'alertname is match\("(\w+)"', RULES["rules"][0]["condition"])
    alerts = re.findall(r"- alert: (\w+)", (ROOT / "chart/templates/prometheusrule.yaml").read_text())
    assert len(alerts) >= 5
    assert all(alert.startswith(prefix) for alert in alerts)
