"""Another value for one variable of an encrypted file: with Ansible's own vault, and read back by it."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import typing as t
from pathlib import Path

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.plugin_utils import _vault_file

OLD, NEW = "demo-only/agent@dev:p%20ss", "N3w" * 10
SECRETS = [("prod", VaultSecret(b"of prod")), ("dev", VaultSecret(b"of dev")), ("default", VaultSecret(b"plain"))]
VAULT = VaultLib(SECRETS)
PLAIN = f"""---
# A comment that stays.
other: "{{{{ lookup('env', 'HOME') }}}}"  # untouched
vault_ai_agent_postgresql_password: {OLD}  # of 2025

vault_list: [1, 2]
vault_admin: !unsafe 'it''s {{{{ so }}}}'
"""


def whole(path: Path, text: str, label: str | None = "dev") -> Path:
    secret = dict(SECRETS)[label or "default"]
    path.write_bytes(VAULT.encrypt(text, secret=secret, vault_id=label))
    path.chmod(0o640)
    return path


def read(path: Path, label: str = "dev") -> str:
    """With that label's password alone."""
    return str(VaultLib([(label, dict(SECRETS)[label])]).decrypt(path.read_text()).decode())


def value_by_value(name: str, text: str, label: str = "dev") -> str:
    sealed = VAULT.encrypt(text, secret=dict(SECRETS)[label], vault_id=label).decode()
    return f"{name}: !vault |\n" + "".join(f"          {line}\n" for line in sealed.splitlines())


@pytest.mark.parametrize(
    "written",
    [OLD, f'"{OLD}"', f"'{OLD}'", f"!unsafe '{OLD}'", f"|-\n  {OLD}", f">-\n  {OLD}"],
    ids=["plain", "double", "single", "unsafe", "literal", "folded"],
)
def test_a_whole_file_gets_the_new_value_and_nothing_else(tmp_path: Path, written: str) -> None:
    text = PLAIN.replace(f": {OLD}  # of 2025", f": {written}")
    path = whole(tmp_path / "vault.yml", text)
    assert _vault_file.replace(path, OLD, NEW, VAULT) == ("vault_ai_agent_postgresql_password", "dev")
    assert path.read_text().startswith("$ANSIBLE_VAULT;1.2;AES256;dev\n")
    assert read(path) == text.replace(f": {written}", f': "{NEW}"')
    assert path.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["vault.yml"]


def test_the_label_stays_what_it_was_none_too(tmp_path: Path) -> None:
    path = whole(tmp_path / "vault.yml", PLAIN, None)
    assert _vault_file.replace(path, OLD, NEW, VAULT)[1] == ""
    assert path.read_text().startswith("$ANSIBLE_VAULT;1.1;AES256\n")
    assert NEW in read(path, "default")


@pytest.mark.parametrize("after", ["", "\n# behind it\nlast: 1\n"], ids=["at the end", "in the middle"])
def test_a_single_value_is_encrypted_again_with_its_own_label(tmp_path: Path, after: str) -> None:
    path = tmp_path / "vars.yml"
    first = "first: in plain text\n" + value_by_value("of_others", "x", "prod")
    path.write_text(first + value_by_value("ai_agent_postgresql_password", OLD) + after)
    # The run has one of the two passwords.
    mine = VaultLib([SECRETS[1]])
    assert _vault_file.replace(path, OLD, NEW, mine) == ("ai_agent_postgresql_password", "dev")
    text = path.read_text()
    assert text.startswith(first)
    assert text.endswith(after or "\n")
    assert NEW not in text
    # And once more, found by what was written.
    assert _vault_file.replace(path, NEW, "another", mine)


def test_the_one_that_is_meant_where_several_have_the_same(tmp_path: Path) -> None:
    path = whole(tmp_path / "vault.yml", "a: x\nb_ai_agent_postgresql_password: same\nvault_redis: same\n")
    assert _vault_file.replace(path, "same", NEW, VAULT)[0] == "b_ai_agent_postgresql_password"
    assert read(path) == f'a: x\nb_ai_agent_postgresql_password: "{NEW}"\nvault_redis: same\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read"),
        (f"ai_agent_postgresql_password: {OLD}\n", "in plain text: encrypt it"),
        ("a: [\n", "is no YAML"),
        ("- a\n", "is no dictionary"),
        ("a: b\n", "has no variable with the password"),
        ("$ANSIBLE_VAULT;1.2;AES256;dev\n6162\n", "cannot be decrypted"),
    ],
)
def test_what_is_refused_stays_as_it_was(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "vault.yml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(FindingError, match=words) as caught:
        _vault_file.replace(path, OLD, NEW, VAULT)
    assert (caught.value.id, OLD in caught.value.message) == ("rotation-vault", False)
    assert (path.read_text() if path.exists() else None) == text


def test_another_vault_password_and_several_variables(tmp_path: Path) -> None:
    path = whole(tmp_path / "vault.yml", PLAIN)
    with pytest.raises(FindingError, match="cannot be decrypted"):
        _vault_file.replace(path, OLD, NEW, VaultLib([SECRETS[0]]))
    twice = whole(tmp_path / "twice.yml", "a: same\nb: same\n")
    with pytest.raises(FindingError, match="several variables"):
        _vault_file.replace(twice, "same", NEW, VAULT)


def test_looking_writes_nothing(tmp_path: Path) -> None:
    path = whole(tmp_path / "vault.yml", PLAIN)
    before = path.read_text()
    assert _vault_file.replace(path, OLD, NEW, VAULT, write=False)[0] == "vault_ai_agent_postgresql_password"
    assert path.read_text() == before


def test_a_link_stays_one(tmp_path: Path) -> None:
    path = whole(tmp_path / "real.yml", PLAIN)
    link = tmp_path / "vault.yml"
    link.symlink_to(path)
    _vault_file.replace(link, OLD, NEW, VAULT)
    assert link.is_symlink()
    assert NEW in read(path)


def _attempt(path: Path, new: str, results: t.Any) -> None:
    try:
        results.put(_vault_file.replace(path, OLD, new, VAULT)[0])
    except FindingError as error:
        results.put(error.message)


def test_of_two_hosts_that_share_a_password_one_gets_it(tmp_path: Path) -> None:
    path = whole(tmp_path / "vault.yml", PLAIN)
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    hosts = [context.Process(target=_attempt, args=(path, NEW + str(number), results)) for number in range(4)]
    for host in hosts:
        host.start()
    answers = [results.get(timeout=60) for _host in hosts]
    for host in hosts:
        host.join()
    assert sorted("no variable" in each for each in answers) == [False, True, True, True]
    assert read(path).count(NEW) == 1


def test_line_breaks_of_other_systems_stay(tmp_path: Path) -> None:
    text = f"first: 1\r\nai_agent_postgresql_password: '{OLD}'\r\nlast: ü\r\n"
    path = whole(tmp_path / "vault.yml", text)
    _vault_file.replace(path, OLD, NEW, VAULT)
    assert read(path) == text.replace(f"'{OLD}'", f'"{NEW}"')
    path = tmp_path / "vars.yml"
    path.write_bytes((value_by_value("ai_agent_postgresql_password", OLD) + "last: ü\n").replace("\n", "\r\n").encode())
    _vault_file.replace(path, OLD, NEW, VAULT)
    content = path.read_bytes()
    assert content.count(b"\n") == content.count(b"\r\n") > 3
    assert content.endswith("\r\nlast: ü\r\n".encode())
    assert _vault_file.replace(path, NEW, "another", VAULT)


def test_a_value_of_a_dictionary_in_a_dictionary(tmp_path: Path) -> None:
    text = f"vault:\n  # Of the database.\n  postgresql: {{user: x, password: '{OLD}'}}\n  list: [{{a: b}}]\n"
    path = whole(tmp_path / "vault.yml", text)
    assert _vault_file.replace(path, OLD, NEW, VAULT) == ("vault.postgresql.password", "dev")
    assert read(path) == text.replace(f"'{OLD}'", f'"{NEW}"')
    path = tmp_path / "vars.yml"
    text = value_by_value("password", OLD) + "last: 1\n"
    for depth in range(1, 5):
        text = f"level{depth}:\n" + "".join(f"    {line}\n" for line in text.splitlines())
        path.write_text(text)
        assert _vault_file.replace(path, OLD, NEW, VAULT)[0].count(".") == depth
        assert path.read_text().endswith("    last: 1\n")
        assert _vault_file.replace(path, NEW, "another", VAULT)[0].endswith("level1.password")


def test_braces_of_an_unsafe_text(tmp_path: Path) -> None:
    path = whole(tmp_path / "vault.yml", "ai_agent_postgresql_password: !unsafe 'it {{ is }}'\n")
    _vault_file.replace(path, "it {{ is }}", NEW, VAULT)
    assert read(path) == f'ai_agent_postgresql_password: "{NEW}"\n'


@pytest.mark.parametrize(
    "text", [f"ai_agent_postgresql_password: &it '{OLD}'\nother: [*it]\n", "a: &a {b: *a, c: x}\n"]
)
def test_what_others_refer_to_is_refused(tmp_path: Path, text: str) -> None:
    path = whole(tmp_path / "vault.yml", text)
    with pytest.raises(FindingError, match=r"without an anchor|has no variable"):
        _vault_file.replace(path, OLD, NEW, VAULT)
    assert read(path) == text


def test_the_owner_stays_and_a_lock_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = whole(tmp_path / "vault.yml", PLAIN)
    if os.geteuid() == 0:
        os.chown(path, 65534, 65533)
    before = path.stat()
    monkeypatch.setattr(_vault_file, "LOCK_SECONDS", 0)
    folder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    with pytest.raises(FindingError, match="is being changed by another run"):
        _vault_file.replace(path, OLD, NEW, VAULT)
    os.close(folder)
    _vault_file.replace(path, OLD, NEW, VAULT)
    assert (path.stat().st_uid, path.stat().st_gid, path.stat().st_mode) == (
        before.st_uid,
        before.st_gid,
        before.st_mode,
    )


def test_the_variable_that_is_meant_among_several_with_one_value(tmp_path: Path) -> None:
    text = f"vault_ai_agent_postgresql_password: {OLD}\nvault_ai_agent_redis_password: {OLD}\n"
    path = whole(tmp_path / "vault.yml", text)
    assert _vault_file.replace(path, OLD, NEW, VAULT, meant="ai_agent_redis_password")[0].endswith("redis_password")
    assert read(path) == text.replace(f"redis_password: {OLD}", f'redis_password: "{NEW}"')
    path = whole(tmp_path / "other.yml", text)
    with pytest.raises(FindingError, match="not one of them alone ends in ai_agent_replication_password"):
        _vault_file.replace(path, OLD, NEW, VAULT, meant="ai_agent_replication_password")
