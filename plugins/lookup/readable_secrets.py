# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: readable_secrets
author: The ai_platform.agent authors (@ai-platform)
short_description: Find files of an inventory in which a secret stands in plain text
version_added: 1.0.0
description:
  - Reads the files in C(group_vars) and C(host_vars) of a folder that are not encrypted with Ansible Vault, and names
    those in which one of the secrets is a value.
  - So do the sources of the inventory itself, YAML or INI, and files that C(-e @file) names.
  - A vault that somebody forgot to encrypt works as well as an encrypted one, so nothing else would tell.
options:
  _terms:
    description: Folders, of an inventory or a playbook. One that does not exist is passed over.
    type: list
    elements: str
    required: true
  secrets:
    description: The secrets to look for. Empty ones are passed over.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Name the files that should be encrypted
  ansible.builtin.debug:
    msg: "{{ query('ai_platform.agent.readable_secrets', inventory_dir, secrets=[ai_agent_redis_password]) }}"
"""

RETURN = r"""
_raw:
  description: Paths of the files.
  type: list
  elements: path
"""

import re
import typing as t
from pathlib import Path

import yaml
from ansible import context
from ansible.plugins.lookup import LookupBase

_FOLDERS = ("group_vars", "host_vars")
_ENDINGS = {"", ".yml", ".yaml", ".json"}
# What an inventory may be written in besides; ansible.builtin.ini reads any ending that is not passed over.
_SOURCES = _ENDINGS | {".ini"}
_ENCRYPTED = b"$ANSIBLE_VAULT"
# A file of variables is small.
_MOST_BYTES = 1 << 20


class _Loader(yaml.SafeLoader):
    """Reads past tags, !vault among them: what they hold is not plain text."""


_Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)
# !unsafe is plain text that Ansible does not take for a template.
_Loader.add_constructor("!unsafe", lambda _loader, node: str(node.value) if isinstance(node, yaml.ScalarNode) else None)


def in_plain_text(folder: Path, secrets: t.Collection[str]) -> list[Path]:
    """The files of variables below `folder` that hold one of `secrets` as a value and are not encrypted."""
    files = sorted(file for name in _FOLDERS for file in (folder / name).rglob("*") if file.is_file())
    return _holding([file for file in files if file.suffix in _ENDINGS], secrets)


def in_sources(given: t.Iterable[Path], secrets: t.Collection[str]) -> list[Path]:
    """The sources of an inventory, or files of variables, that hold one of `secrets` and are not encrypted.

    :param given: files, or folders, of which Ansible reads each file; passed over where they do not exist
    """
    files = [file for path in given for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
    return _holding([file for file in files if file.is_file() and file.suffix in _SOURCES], secrets)


def _holding(files: t.Iterable[Path], secrets: t.Collection[str]) -> list[Path]:
    wanted = {str(secret) for secret in secrets if secret}
    return [file for file in files if wanted.intersection(_texts(_read(file))) or _in_ini(file, wanted)]


def _in_ini(file: Path, wanted: set[str]) -> bool:
    """Whether a file that is no YAML gives a variable one of the values, as `name=value` or `name='value'`."""
    if not wanted or file.suffix not in {"", ".ini"} or isinstance(_read(file), dict | list):
        return False
    values = "|".join(map(re.escape, sorted(wanted)))
    given = re.compile(rf"""=\s*(?:(["'])(?:{values})\1|(?:{values})(?=\s|$))""")
    return given.search(_content(file).decode(errors="replace")) is not None


def _content(file: Path) -> bytes:
    """What is in a file; nothing where it is encrypted, too large for one of variables, or not to be read."""
    try:
        content = file.read_bytes() if file.stat().st_size <= _MOST_BYTES else b""
    except OSError:
        return b""
    return b"" if content.startswith(_ENCRYPTED) else content


def _read(file: Path) -> t.Any:
    try:
        return yaml.load(_content(file), _Loader)  # noqa: S506 - a safe loader
    except (ValueError, yaml.YAMLError):
        # Whoever uses the file says what is wrong with it.
        return None


def _texts(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif value is not None:
        yield str(value)


def sources(variables: t.Mapping[str, t.Any]) -> list[Path]:
    """What this run was given: the sources of its inventory, and the files of `-e @file`."""
    extra = [str(word)[1:] for word in context.CLIARGS.get("extra_vars") or () if str(word).startswith("@")]
    return [Path(path) for path in [*(variables.get("ansible_inventory_sources") or []), *extra]]


class LookupModule(LookupBase):
    """Lookup plugin, see DOCUMENTATION."""

    def run(self, terms: list[str], variables: dict[str, t.Any] | None = None, **options: t.Any) -> list[str]:
        """Return one path for each file."""
        self.set_options(var_options=variables, direct=options)
        secrets = self.get_option("secrets")
        found = [file for folder in dict.fromkeys(terms) for file in in_plain_text(Path(folder), secrets)]
        return [str(file) for file in dict.fromkeys([*found, *in_sources(sources(variables or {}), secrets)])]
