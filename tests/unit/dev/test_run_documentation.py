"""A page's shell: commands in their order, at a terminal, in one session; and what a stranger's editor writes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader

from dev import run_documentation
from dev.documentation import Block, Command, read
from lab import registry
from lab.paths import ROOT


@pytest.fixture
def place(tmp_path: Path) -> run_documentation.Workplace:
    made = run_documentation.Workplace(
        tmp_path / "checkout", tmp_path / "home", tmp_path / "bin", {"PATH": "/usr/bin:/bin"}
    )
    for folder in (made.folder, made.home, made.bin):
        folder.mkdir()
    made.address = "127.0.0.1:5000"
    return made


def commands(*texts: str) -> list[Command]:
    return [Command("page.md", number, text) for number, text in enumerate(texts)]


def test_one_session_runs_all_of_them(place: run_documentation.Workplace) -> None:
    code, output = run_documentation._shell(
        place, commands("mkdir a && cd a", "export B=c", "echo $B > d", "cat ../a/d")
    )
    assert code == 0, output
    assert output.rstrip().endswith("\nc")
    assert (place.folder / "a/d").read_text() == "c\n"


def test_the_first_that_fails_ends_it_also_on_the_left_of_an_and(place: run_documentation.Workplace) -> None:
    code, output = run_documentation._shell(place, commands("true", "(exit 3) && true", "echo never > reached"))
    assert code == 3
    assert run_documentation._BEGIN.findall(output)[-1] == "1"
    assert not (place.folder / "reached").exists()


def test_a_prompt_for_a_password_is_answered_at_the_terminal(place: run_documentation.Workplace) -> None:
    ask = "read -r -s -p 'Vault password (staging): ' p < /dev/tty && echo && test \"$p\" = " + place.password
    code, output = run_documentation._shell(place, commands(ask, ask))
    assert code == 0, output


def test_registry_and_namespaces_are_those_of_the_lab(place: run_documentation.Workplace) -> None:
    printed = "helm install dev x --namespace dev -f values-dev.yaml --set r=registry.example.com/team"
    assert place.here(printed) == (
        "helm install dev x --namespace docs-dev -f values-dev.yaml --set r=127.0.0.1:5000/team"
    )
    assert place.here("kubectl create namespace staging") == "kubectl create namespace docs-staging"
    assert place.here("ai_agent_namespace: prod") == "ai_agent_namespace: docs-prod"


def test_the_editor_sets_what_stands_as_a_comment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    clusters = [{"cluster": {"server": "https://127.0.0.1:6443"}}]
    kubeconfig.write_text(yaml.safe_dump({"current-context": "kind-lab", "clusters": clusters}))
    monkeypatch.setattr(run_documentation, "KUBECONFIG", kubeconfig)
    monkeypatch.setattr(registry, "address", lambda: "127.0.0.1:5000")
    source = ROOT / "inventories/staging/group_vars/all"
    (tmp_path / "main.yml").write_text((source / "main.yml").read_text())
    (tmp_path / "vault.yml").write_text((source / "vault.yml.example").read_text())
    run_documentation.edit("README.md", tmp_path, ["main.yml", "vault.yml"])
    main = yaml.safe_load((tmp_path / "main.yml").read_text())
    assert (main["ai_agent_context"], main["ai_agent_kubeconfig"]) == ("kind-lab", str(kubeconfig))
    assert (main["ai_agent_cluster"], main["ai_agent_subcharts"]) == ("https://127.0.0.1:6443", "embedded")
    # !unsafe is a tag of Ansible's.
    assert len(set(DataLoader().load_from_file(str(tmp_path / "vault.yml")).values())) == 4
    run_documentation.edit("chart/README.md", tmp_path, ["my-values.yaml"])
    values = yaml.safe_load((tmp_path / "my-values.yaml").read_text())
    assert values["redis"]["image"]["registry"] == "127.0.0.1:5000"


def test_the_image_of_the_page_has_all_its_files() -> None:
    blocks: list[Block] = read("docs/agent-image.md")
    assert set(run_documentation.files(blocks)) == {
        "Dockerfile", "main.py", "alembic.ini", "migrations/env.py", "migrations/script.py.mako",
        "migrations/versions/0001_notes.py",
    }  # fmt: skip


def test_a_tool_finds_the_collections_code_by_itself(tmp_path: Path) -> None:
    """`make chart` sets no PYTHONPATH, and pytest's settings do not reach it."""
    words = [sys.executable, "-m", "dev.assemble_chart", "--help"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
