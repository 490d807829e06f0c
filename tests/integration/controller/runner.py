"""A job as AWX runs it: ansible-runner with a private folder, a project that cannot be written, and an account without
a home folder or an entry in /etc/passwd.

What AWX does is read in its source: the inventory is a program that prints what ansible-inventory exported, credentials
come as variables, vault passwords at a prompt, a survey's answers as extra variables.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import typing as t
from pathlib import Path

from dev import artefact, controllers, sanity

from .conftest import ROOT, read_only

Object = dict[str, t.Any]
# Nobody's on any machine of these tests.
UID = 54321
VAULT_PASSWORD = "v4ult-p4ssword"


class Job:
    """One private folder; each run of it has its own folder of artefacts."""

    def __init__(self, folder: Path, password: str, core: str = sanity.NEWEST) -> None:
        """Lay out the folder.

        :param password: of the agent's servers, which the inventory holds encrypted
        """
        self.folder, self.programs = folder / "private", controllers.environment(core)
        for part in ("env", "inventory", "project"):
            (self.folder / part).mkdir(parents=True)
        for name in artefact.tracked():
            target = self.folder / "project" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target, follow_symlinks=False)
        self.home = folder / "nobody"
        self.home.mkdir()
        read_only(self.home)
        self._inventory(folder, password)
        read_only(self.folder / "project")
        prompt = r"Vault password \(dev\):\s*?$"
        (self.folder / "env" / "passwords").write_text(json.dumps({prompt: VAULT_PASSWORD}))
        self.flags = "--vault-id dev@prompt"

    def _inventory(self, folder: Path, password: str) -> None:
        """As a sync of the project exports it, without a password for the vault."""
        mine = folder / "inventories" / "dev"
        shutil.copytree(ROOT / "inventories/dev", mine)
        (mine / "group_vars/all/vault.yml").unlink()
        (folder / "vault").write_text(VAULT_PASSWORD)
        words = ["ansible-vault", "encrypt_string", "--vault-id", f"dev@{folder}/vault", "--encrypt-vault-id", "dev"]
        text = self._ansible([*words, "--stdin-name", "NAME"], text=password)
        names = [
            f"vault_ai_agent_{name}_password" for name in ("postgresql", "postgresql_admin", "replication", "redis")
        ]
        main = mine / "group_vars/all/main.yml"
        main.write_text(main.read_text() + "".join(text.replace("NAME", name).rstrip() + "\n" for name in names))
        exported = self._ansible(["ansible-inventory", "-i", str(mine / "hosts.yml"), "--list", "--export"])
        assert "__ansible_vault" in exported
        program = self.folder / "inventory" / "hosts"
        program.write_text(f"#!/usr/bin/env python3\nprint({exported!r})\n")
        program.chmod(0o700)

    def _ansible(self, words: list[str], text: str = "") -> str:
        environment = os.environ | {"ANSIBLE_HOME": str(self.folder.parent / "home")}
        done = subprocess.run(
            [self.programs / "bin" / words[0], *words[1:]],
            cwd=self.folder.parent, env=environment, input=text, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, playbook: str, ident: str, environment: dict[str, str], **variables: t.Any) -> tuple[int, str]:
        """The exit code and what the job printed."""
        output = self.folder.parent / f"output of {ident}"
        running = self.start(playbook, ident, environment, output, **variables)
        return running.wait(), output.read_text()

    def start(
        self, playbook: str, ident: str, environment: dict[str, str], output: Path, **variables: t.Any
    ) -> subprocess.Popen[bytes]:
        """Begin a run that prints into a file: into a pipe that nobody reads it would stop after 64 KiB."""
        path = os.pathsep.join([str(self.folder / "project" / "collections"), str(self.programs / "collections")])
        given = environment | {
            "HOME": str(self.home),
            "ANSIBLE_COLLECTIONS_PATH": path,
            "ANSIBLE_FORCE_COLOR": "0",
            "ANSIBLE_NOCOLOR": "1",
        }
        (self.folder / "env" / "envvars").write_text(json.dumps(given))
        (self.folder / "env" / "extravars").write_text(json.dumps(variables))
        (self.folder / "env" / "cmdline").write_text(self.flags)
        words: list[str | Path] = [self.programs / "bin/ansible-runner", "run", self.folder, "--playbook", playbook]
        inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        inherited |= {"HOME": str(self.home), "PATH": f"{self.programs / 'bin'}{os.pathsep}{inherited['PATH']}"}
        with output.open("wb") as file:
            return subprocess.Popen(
                ["unshare", "--user", f"--map-user={UID}", *words, "--ident", ident],
                cwd=self.folder, env=inherited, stdout=file, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def events(self, ident: str) -> list[Object]:
        """What AWX keeps of a job, one after the other."""
        files = (self.folder / "artifacts" / ident / "job_events").glob("[0-9]*.json")
        found = [json.loads(file.read_text()) for file in files]
        return sorted(found, key=lambda event: int(event["counter"]))

    def holding(self, secrets: t.Iterable[str]) -> list[str]:
        """The files a run left in which one of the secrets stands: output, events, facts.

        Not runner's own record of how it was started, `command`, which has the variables of the process: it goes with
        the private folder, and AWX keeps a record of its own without the secrets.
        """
        files = [path for path in (self.folder / "artifacts").rglob("*") if path.is_file() and path.name != "command"]
        return [str(path) for path in files if any(secret.encode() in path.read_bytes() for secret in secrets)]


def failures(events: list[Object]) -> list[str]:
    """What failed tasks said that nothing caught."""
    failed = [event for event in events if event["event"] == "runner_on_failed"]
    return [str(event["event_data"]["res"].get("msg")) for event in failed if not event["event_data"]["ignore_errors"]]
