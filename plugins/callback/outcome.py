# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: outcome
type: aggregate
author: The ai_platform.agent authors (@ai-platform)
short_description: One line at the end of a run that says how it went for each release
version_added: 1.0.0
description:
  - Ansible's recap counts tasks. This callback prints, after it, one line for each host, what became of its release,
    also where the run failed, and even where other output is hidden (C(ANSIBLE_DISPLAY_OK_HOSTS=no)).
  - Where a vault of the inventory cannot be opened, it names the file and what to pass, before Ansible's own error,
    which names neither.
requirements:
  - It is enabled by C(callbacks_enabled = ai_platform.agent.outcome) in C(ansible.cfg), as this project's own does.
"""

import typing as t
from pathlib import Path

from ansible import context
from ansible.errors import AnsibleError
from ansible.plugins.callback import CallbackBase

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible.executor.stats import AggregateStats

_FOLDERS = ("group_vars", "host_vars")
_HEADER = b"$ANSIBLE_VAULT;"
# What says how a run went, the later ones in place of the earlier ones: a verdict, and the report of the whole run.
_SUMMARY_BEGINS = {
    "connectivity_test",
    "data_retention",
    "database_backup",
    "migration_preflight",
    "release_soak",
    "release_uninstall",
}
_SUMMARY_ENDS = {"credentials_rotation", "database_move", "image_contract"}
_SENTENCE = {"deployment_report", "release_plan", "release_rollback"}


def line(module: str, result: t.Mapping[str, t.Any]) -> str:
    """What a module's result says of the run in one line, empty where it is none of those that say it."""
    name = module.rpartition(".")[2]
    if name in _SENTENCE:
        said = result.get("sentence") or ""
        return f"{result['word']}. {said}" if result.get("word") else str(said)
    # The records of all backups are asked for after one was made, and are not what the run did.
    if name not in _SUMMARY_BEGINS | _SUMMARY_ENDS or "backups" in result:
        return ""
    lines = list(result.get("summary") or ()) or [""]
    return " ".join(str(lines[0 if name in _SUMMARY_BEGINS else -1]).split())


def of_fleet(module: str, result: t.Mapping[str, t.Any]) -> dict[str, tuple[str, str]]:
    """By host, a level and what a report of a whole fleet says of it; empty where the module is another one."""
    said = result.get("said") if module.rpartition(".")[2] == "fleet_report" else None
    return {host: (str(one["level"]), str(one["text"])) for host, one in (said or {}).items()}


def closed_vaults(sources: t.Iterable[str], opens: t.Callable[[bytes], bool]) -> list[tuple[Path, str]]:
    """Encrypted files of variables that none of the secrets opens, each with its vault id.

    :param sources: inventories as they were named
    :param opens: whether a file's content can be decrypted
    """
    found = []
    for source in sources:
        place = Path(source)
        folder = place if place.is_dir() else place.parent
        files = (file for name in _FOLDERS for file in sorted((folder / name).rglob("*")) if file.is_file())
        for file in files:
            content = file.read_bytes()
            if content.startswith(_HEADER) and not opens(content):
                label = content.partition(b"\n")[0].decode().split(";")[3:]
                found.append((file, label[0] if label else ""))
    return found


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Callback plugin, see DOCUMENTATION."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "ai_platform.agent.outcome"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        """Know nothing of any host yet."""
        super().__init__()
        self._told: dict[str, str] = {}
        self._failed: dict[str, str] = {}
        self._fleet: dict[str, tuple[str, str]] = {}

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        """Name vaults that cannot be opened: what Ansible says of one names neither file nor remedy."""
        vault = getattr(getattr(playbook, "_loader", None), "_vault", None)
        if vault is None:
            return

        def opens(content: bytes) -> bool:
            try:
                vault.decrypt(content)
            except AnsibleError:
                return False
            return True

        sources = [source for source in context.CLIARGS.get("inventory") or () if "," not in source]
        for file, label in closed_vaults(sources, opens):
            given = [f"--vault-id {label or 'default'}@prompt"] + (
                ["--vault-id dev@lab/dev-vault-password"] if "inventories/dev/" in file.as_posix() else []
            )
            self._display.warning(
                f"{file} cannot be decrypted with the vault passwords of this run: pass {', or '.join(given)}"
                " (docs/runbook.md#wrong-vault-password)."
            )

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """Keep what says how the run goes."""
        host, module = result._host.get_name(), result._task.action
        self._fleet.update(of_fleet(module, result._result))
        said = line(module, result._result)
        if said:
            self._told[host] = said
            self._failed.pop(host, None)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """Keep the last failure; one that was caught is followed by others, or by a report."""
        if not ignore_errors:
            words = result._result.get("msg") or result._result.get("censored") or "no reason given"
            # A task of the action `guard` has many conditions; the one that held has a name of its own.
            name = result._result.get("stop") or result._task.get_name().rpartition(" : ")[2]
            self._failed[result._host.get_name()] = f"{name}: {words}"

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """Keep it as a failure."""
        self.v2_runner_on_failed(result)

    def v2_playbook_on_stats(self, stats: AggregateStats) -> None:
        """Print one line for each host."""
        for host in sorted(stats.processed):
            summary = stats.summarize(host)
            bad = bool(summary["failures"] or summary["unreachable"])
            said = self._failed.get(host, "") if bad else self._told.get(host, "")
            # One task speaks for all hosts of a fleet: a failure there is recorded, and rescued.
            if host in self._fleet:
                level, said = self._fleet[host]
                bad = level == "bad"
            if bad or said:
                words = " ".join(f"{'FAILED' if bad else 'OK'}  {host}: {said or 'see above'}".split(" "))
                self._display.display(words, color="red" if bad else "green")
