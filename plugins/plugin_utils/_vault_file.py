"""Another value for one variable of a file that Ansible Vault encrypted, as a whole or value by value.

What was encrypted is encrypted again with the same secret and the same label. The rest of the file stays as it was,
comments among it, and at no time does anything of it stand on a disk in plain text.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import stat
import tempfile
import time
import typing as t
from pathlib import Path

import yaml
from ansible.errors import AnsibleError
from ansible.parsing.vault import is_encrypted, parse_vaulttext_envelope
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible.parsing.vault import VaultLib

TAG: t.Final = "!vault"
# The indent that ansible-vault encrypt_string prints.
INDENT: t.Final = " " * 10
LOCK_SECONDS: t.Final = 60
_OTHER_FORM: t.Final = "a form that is not replaced: write it as a text in quotes, without an anchor"


@dataclasses.dataclass(frozen=True)
class _Sealed:
    """A text that was encrypted, with what encrypts it again."""

    text: str
    label: str | None
    secret: t.Any = dataclasses.field(repr=False)


def replace(
    path: Path,
    current: str,
    new: str,
    vault: VaultLib,
    *,
    meant: str = "ai_agent_postgresql_password",
    write: bool = True,
) -> tuple[str, str]:
    """Give the one variable of a file that has a value another value.

    :param path: of the file of variables; it is replaced in one step, with its mode
    :param current: its value
    :param new: letters and digits only
    :param vault: with the secrets of the run
    :param meant: where several variables have this value, the end of the name of the one that is meant
    :param write: without it only what could stand in the way is looked for
    :return: the variable's name, and the label of what it is encrypted with (empty where it has none)
    :raises FindingError: `rotation-vault`; nothing was written
    """
    if not new.isalnum():
        raise ValueError("letters and digits only")
    path = path.resolve()
    with _alone(path):
        content = _content(path)
        whole = _unsealed(content, vault, path) if is_encrypted(content) else None
        text = whole.text if whole else content
        name, label, changed = _replaced(text, current, new, vault, path, meant=meant, sealed=whole is not None)
        if whole:
            changed, label = _sealed(changed, whole, vault), whole.label
        if write:
            _write(path, changed)
    return name, label or ""


def _content(path: Path) -> str:
    try:
        # Line breaks stay as they are: whoever compares two versions of the file sees one variable.
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, ValueError) as error:
        raise _refused(path, f"cannot be read ({type(error).__name__})") from None


def _refused(path: Path, words: str) -> FindingError:
    return FindingError("rotation-vault", f"{path}, which ai_agent_rotation_vault_file names, {words}.")


def _unsealed(text: str, vault: VaultLib, path: Path) -> _Sealed:
    try:
        plain, _used, secret = vault.decrypt_and_get_vault_id(text.encode())
        label = parse_vaulttext_envelope(text.encode())[3]
        # The default label stands in no header, as ansible-vault writes it.
        return _Sealed(plain.decode(), str(label) if label and label != "default" else None, secret)
    except (AnsibleError, ValueError):
        words = "cannot be decrypted with the vault's passwords of this run (--vault-id)"
        raise _refused(path, words) from None


def _sealed(text: str, before: _Sealed, vault: VaultLib) -> str:
    return str(vault.encrypt(text, secret=before.secret, vault_id=before.label).decode())


def _replaced(
    text: str, current: str, new: str, vault: VaultLib, path: Path, *, meant: str, sealed: bool
) -> tuple[str, str | None, str]:
    """Name, label and the whole text with another value."""
    found: list[tuple[str, yaml.ScalarNode, _Sealed | None]] = []
    for name, value in _entries(text, path):
        if value.tag == TAG:
            try:
                sealed_value = _unsealed(value.value.strip() + "\n", vault, path)
            except FindingError:
                # Another variable's, of another label.
                continue
            if sealed_value.text == current:
                found.append((name, value, sealed_value))
        elif value.value == current:
            found.append((name, value, None))
    if not found:
        words = "has no variable with the password that the inventory gives: name the file in which it stands"
        raise _refused(path, f"{words}; where another host of this run shares it, let that one be rotated alone")
    if len(found) > 1:
        found = [each for each in found if each[0].endswith(meant)]
    if len(found) != 1:
        words = "has several variables with the password that the inventory gives"
        raise _refused(path, f"{words}, and not one of them alone ends in {meant}: give them values of their own")
    name, value, inner = found[0]
    if inner is None and not sealed:
        raise _refused(path, f"has {name} in plain text: encrypt it (`ansible-vault encrypt`), and run again")
    if value.tag not in {TAG, "!unsafe", "tag:yaml.org,2002:str"}:
        raise _refused(path, f"has {name} in {_OTHER_FORM}")
    written = f'"{new}"'
    if inner:
        end_of_line = "\r\n" if "\r\n" in text else "\n"
        line = text.splitlines()[value.start_mark.line]
        indent = INDENT.ljust(len(line) - len(line.lstrip()) + 2)
        written = (end_of_line + indent).join((f"{TAG} |", *_sealed(new, inner, vault).splitlines()))
    # A block ends before the next token, with its line break and whatever comments follow.
    end = value.end_mark.index
    if value.style in {"|", ">"}:
        rest = text[value.start_mark.index : end]
        end -= len(rest) - len(rest.rstrip())
    # PyYAML counts a tag to its value.
    changed = text[: value.start_mark.index] + written + text[end:]
    _assert_alone(text, changed, name, path)
    return name, inner.label if inner else None, changed


def _entries(text: str, path: Path) -> list[tuple[str, yaml.ScalarNode]]:
    """Names and values, those of dictionaries in dictionaries as `outer.inner`."""
    try:
        node = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError:
        # The words of the error quote the file.
        raise _refused(path, "is no YAML") from None
    if not isinstance(node, yaml.MappingNode):
        raise _refused(path, "is no dictionary of variables")
    return list(_scalars(node, ""))


def _scalars(
    node: yaml.MappingNode, prefix: str, within: tuple[yaml.Node, ...] = ()
) -> t.Iterator[tuple[str, yaml.ScalarNode]]:
    for key, value in node.value:
        name = f"{prefix}{key.value}"
        if isinstance(value, yaml.ScalarNode):
            yield name, value
        # An alias may lead back to where it stands.
        elif isinstance(value, yaml.MappingNode) and value not in within:
            yield from _scalars(value, f"{name}.", (*within, value))


def _assert_alone(before: str, after: str, name: str, path: Path) -> None:
    """Nothing but one variable differs."""

    def others(text: str) -> list[tuple[str, str, str]]:
        return [(key, value.tag, value.value) for key, value in _entries(text, path) if key != name]

    try:
        same = others(before) == others(after) and len(_entries(before, path)) == len(_entries(after, path))
    except FindingError:
        # An anchor went with the value, which others refer to.
        same = False
    if not same:
        raise _refused(path, f"has {name} in {_OTHER_FORM}")


@contextlib.contextmanager
def _alone(path: Path) -> t.Iterator[None]:
    """One host of a run after the other: of two that share a variable, the second finds another value."""
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise _refused(path, f"cannot be read ({type(error).__name__})") from None
    try:
        _lock(folder, path)
        yield
    finally:
        os.close(folder)


def _lock(folder: int, path: Path) -> None:
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                words = f"is being changed by another run for {LOCK_SECONDS} s"
                raise _refused(path, f"{words}: look for its process, and run again") from None
            time.sleep(0.1)
        except OSError as error:
            raise _refused(path, f"is on a file system that cannot lock ({error.strerror})") from None
        else:
            return


def _write(path: Path, text: str) -> None:
    """Replace the file in one step: an interrupted run leaves the old file or the new one."""
    try:
        before = path.stat()
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
                    # Run by root, it stays its owner's.
                    with contextlib.suppress(PermissionError):
                        os.fchown(file.fileno(), before.st_uid, before.st_gid)
                os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _refused(path, f"cannot be written ({error.strerror})") from None


__all__ = ("replace",)
