"""The host's package manager in all the states in which a newcomer's machine may have it: real apt, dpkg and locks."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from lab import apt, debian, needs
from lab.needs import Need, Package
from lab.paths import ROOT
from lab.progress import LabError
from tests.integration.host.conftest import Manager
from tests.integration.waiting import eventually

Hold = Callable[[Path, float], AbstractContextManager[int]]


@pytest.mark.parametrize("lock", ["dpkg/lock-frontend", "dpkg/lock", "lists/lock", "cache/archives/lock"])
def test_a_lock_of_another_program_is_waited_for_and_its_holder_is_named(
    manager: Manager, held: Hold, capsys: pytest.CaptureFixture[str], lock: str
) -> None:
    manager.offer("one")
    with held(manager.root / lock, 1.5) as process:
        begin = time.monotonic()
        apt.install(["one"])
    assert time.monotonic() - begin > 1
    assert manager.has("one")
    lines = [line for line in capsys.readouterr().out.splitlines() if f"(process {process})" in line]
    assert len(lines) >= 3
    assert re.search(r"apt is in use by python\S* \(process \d+\): waiting for it, 10 minutes at most", lines[0])


def test_a_holder_that_does_not_end_is_named_with_what_to_do(
    manager: Manager, held: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apt, "PATIENCE", 0.6)
    with (
        held(manager.root / "lists" / "lock", 60) as process,
        pytest.raises(LabError, match=rf"in use by .*\(process {process}\) for .*wait for its end, or end it"),
    ):
        apt.install(["one"])


def test_real_apt_that_is_at_work_is_waited_for(manager: Manager, tmp_path: Path) -> None:
    go = tmp_path / "go"
    manager.offer("slow", f"touch {tmp_path}/begun; while [ ! -e {go} ]; do sleep 0.1; done")
    manager.offer("one")
    subprocess.run(["apt-get", "update"], check=True, capture_output=True)
    with subprocess.Popen(["apt-get", "install", "-y", "slow"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT):
        eventually((tmp_path / "begun").exists)
        who = apt.holder(apt.locks())
        threading.Timer(1, go.touch).start()
        apt.install(["one"])
    assert re.fullmatch(r"apt-get install \(process \d+\)", who)
    assert manager.has("slow")
    assert manager.has("one")


def test_two_threads_that_need_the_same_call_apt_once(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    manager.offer("one")
    program = manager.root / "usr" / "bin" / "one"
    need = Need("the one", (Package((str(program),), "one", "one"),), "install it")
    monkeypatch.setattr(debian, "host", lambda: debian.Host("debian", "trixie", "Debian 13"))
    failures: list[BaseException] = []

    def want() -> None:
        try:
            needs.ensure(need)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=want) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(manager.calls()) == 1


def test_two_checkouts_at_once_both_get_what_they_need(manager: Manager, tmp_path: Path) -> None:
    manager.offer("slow", "sleep 1")
    manager.offer("other", "sleep 1")
    code = "import os; os.geteuid = lambda: 0\nfrom lab import apt, shell\nfrom pathlib import Path\n"
    code += "import sys; shell.LOGS = Path(sys.argv[1]); apt.install(sys.argv[2:])"
    runs = []
    for name in ("slow", "other"):
        words = [sys.executable, "-c", code, str(tmp_path / f"log-{name}"), name]
        runs.append(subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
    said = [run.communicate(timeout=60)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    assert manager.has("slow")
    assert manager.has("other")


def test_an_apt_that_was_killed_half_way_is_mended(
    manager: Manager, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manager.offer("before")
    hanging = f"echo $PPID $$ > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/begun; exec sleep 60"
    manager.offer("half", f"[ ! -e {tmp_path}/hang ] || {{ {hanging}; }}")
    manager.offer("one")
    (tmp_path / "hang").touch()
    subprocess.run(["apt-get", "update"], check=True, capture_output=True)
    words = ["apt-get", "install", "-y", "before", "half"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as killed:
        eventually((tmp_path / "begun").exists)
        # apt gives dpkg a session of its own.
        for process in (killed.pid, *map(int, (tmp_path / "begun").read_text().split())):
            os.kill(process, signal.SIGKILL)
    (tmp_path / "hang").unlink()
    assert list((manager.root / "dpkg" / "updates").iterdir()), "dpkg kept no journal: nothing was interrupted"
    apt.install(["one"])
    assert "dpkg --configure -a" in capsys.readouterr().out
    assert manager.has("one")
    assert manager.has("before")


def test_a_stale_proxy_is_named_without_its_password(manager: Manager) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        manager.configure(f'Acquire::http::Proxy "http://user:hidden-word@127.0.0.1:{port}/";')
        manager.source("deb [trusted=yes] http://mirror.example.com/debian trixie main")
        with pytest.raises(LabError) as caught:
            apt.install(["one"])
    text = str(caught.value)
    assert f"a package mirror did not answer through the proxy http://127.0.0.1:{port}/" in text
    assert "correct that proxy (Acquire::http::Proxy, http_proxy), then run this again" in text
    assert "hidden-word" not in text
    assert "\n" not in text


def test_a_mirror_that_does_not_answer_is_named(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        manager.source(f"deb [trusted=yes] http://127.0.0.1:{closed.getsockname()[1]}/debian trixie main")
        with pytest.raises(
            LabError,
            match=r"a package mirror did not answer \(.*127\.0\.0\.1.*look at this machine's network, then run",
        ):
            apt.install(["one"])


def test_a_broken_source_that_has_nothing_to_do_with_it_does_not_matter(manager: Manager) -> None:
    manager.offer("one")
    mirror = f"deb [trusted=yes] file:{manager.root}/mirror ./"
    manager.source(f"{mirror}\ndeb file:{manager.root}/no-such-mirror trixie main")
    apt.install(["one"])
    assert manager.has("one")


def test_a_package_that_no_source_has_is_named(manager: Manager) -> None:
    manager.offer("one")
    with pytest.raises(LabError, match=r"could not install nowhere: its sources know no package nowhere; check"):
        apt.install(["nowhere"])


def test_who_is_not_root_is_told_the_command(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(LabError, match="run as root apt-get install one two, then this again"):
        apt.install(["one", "two"])
