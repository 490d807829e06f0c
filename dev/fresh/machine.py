"""A bare Debian as a privileged container, in which another Docker engine can run; gone when its owner is."""

from __future__ import annotations

import contextlib
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from dev.fresh import settings
from lab import debian, images, shell
from lab.paths import REGISTRY, ROOT
from lab.progress import LabError

README_HAS = ("git", "make", "python3", "python3-venv", "ca-certificates")
"""What the README says a newcomer has."""
HYBRID = Path("/sys/fs/cgroup/unified")
"""Where a machine with control groups of both versions has those of version 2."""
CHECKOUT = "/root/ai_platform.agent"
CACHES = {"cache": "/root/.cache", "go": "/root/go"}
"""Folders of the machine that may be lent to it, by their names in the lender's folder."""


def image(suite: str) -> str:
    """Name of the root file system: Debian's minbase and :data:`README_HAS`."""
    name = f"{REGISTRY}/newcomer:{suite}-{debian.root_key(suite, README_HAS)}"
    if not images.present(name):
        with images.workspace() as folder:
            debian.make_root(suite, README_HAS, folder / "root.tar")
            words = ["docker", "import", folder / "root.tar", name]
            shell.run(words, log="fresh", what=f"importing {name}")
        images.remember(name)
    return name


class Machine:
    """One machine; use it as a context."""

    def __init__(self, suite: str, lent: Path | None = None) -> None:
        self.suite = suite
        self.lent = lent
        self.name = f"newcomer-{suite}-{secrets.token_hex(3)}"
        self._client: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Machine:
        words = ["docker", "run", "--rm", "--interactive", "--init", "--privileged", "--cgroupns", "private"]
        words += ["--name", self.name, "--hostname", "newcomer", "--volume", "/var/lib/docker"]
        words += ["--volume", "/var/lib/containerd"]
        if Path("/lib/modules").is_dir():
            # The machine has this one's kernel, so it has its modules.
            words += ["--volume", "/lib/modules:/lib/modules:ro"]
        if self.lent:
            for name, target in CACHES.items():
                (self.lent / name).mkdir(parents=True, exist_ok=True)
                words += ["--volume", f"{(self.lent / name).resolve()}:{target}"]
        handed = settings.environment()
        # Names only: docker takes the values from its environment, for an index may be written with a password.
        for name in handed:
            words += ["--env", name]
        # The machine lives as long as it can read from this process: nothing is left behind, however this one ends.
        self._client = subprocess.Popen(
            [*words, image(self.suite), "cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=shell.environment(handed),
        )
        try:
            self._wait()
            self._configure()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._client and self._client.stdin:
            self._client.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._client.wait(60)
        shell.capture(["docker", "rm", "--force", "--volumes", self.name], timeout=120)
        if self._client and self._client.stderr:
            self._client.stderr.close()

    def read(self, *words: str, timeout: float = 600) -> str:
        """What a command on the machine prints.

        :raises LabError: it failed
        """
        done = shell.capture(["docker", "exec", self.name, *words], timeout=timeout)
        if done.returncode:
            raise LabError(f"{' '.join(words[:3])} on the new machine failed: {done.stderr.strip()[-600:]}")
        return done.stdout

    def put(self, source: Path, target: str) -> None:
        """Copy a file or folder of this machine to the new one, as root's."""
        self.read("mkdir", "-p", str(Path(target).parent))
        words = ["docker", "cp", "--quiet", "--follow-link", str(source), f"{self.name}:{target}"]
        done = shell.capture(words, timeout=600)
        if done.returncode:
            raise LabError(f"copying {source.name} to the new machine failed: {done.stderr.strip()}")

    def clone(self) -> None:
        """A clone of this checkout's last commit, as ``git clone`` makes it."""
        with tempfile.TemporaryDirectory() as folder:
            bare = Path(folder) / "origin.git"
            shell.run(["git", "clone", "--quiet", "--bare", ROOT, bare], log="fresh", what="cloning the last commit")
            self.put(bare, "/srv/origin.git")
        self.read("git", "clone", "--quiet", "/srv/origin.git", CHECKOUT)

    def run(self, command: str, log: Path, env: Mapping[str, str] | None = None, timeout: float = 7200) -> int:
        """Run a line of a shell in the checkout, its output shown and kept with the time of each line.

        :return: exit code; 124 when it did not end within `timeout` seconds
        """
        words = [
            "docker",
            "exec",
            "--workdir",
            CHECKOUT,
            *(f"--env={name}={value}" for name, value in (env or {}).items()),
        ]
        words += [self.name, "sh", "-c", f"{command} 2>&1"]
        begin = time.monotonic()
        log.parent.mkdir(parents=True, exist_ok=True)
        late = threading.Event()

        def stop() -> None:
            late.set()
            run.kill()

        with (
            log.open("w", encoding="utf-8") as file,
            subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace"
            ) as run,
            _alarm(timeout, stop),
        ):
            for line in run.stdout or ():
                file.write(f"{time.monotonic() - begin:7.0f} {line}")
                file.flush()
                sys.stdout.write(f"    | {line}")
                sys.stdout.flush()
        return 124 if late.is_set() else run.returncode

    def background(self, log: str, *words: str) -> None:
        """Start a command on the machine that goes on; what it says is in the machine's file *log*."""
        self.read("sh", "-c", f'"$@" > {log} 2>&1 < /dev/null &', "sh", *words)

    def _wait(self) -> None:
        deadline = time.monotonic() + 300
        client = self._client
        while client and time.monotonic() < deadline:
            if client.poll() is not None:
                said = client.stderr.read().decode(errors="replace") if client.stderr else ""
                raise LabError(f"Docker could not start the new machine: {said.strip()}")
            if shell.capture(["docker", "exec", self.name, "true"]).returncode == 0:
                return
            time.sleep(0.2)
        raise LabError("the new machine did not start within 5 minutes: see docker ps")

    def _configure(self) -> None:
        texts = {"/etc/pip.conf": settings.pip(), "/etc/apt/apt.conf.d/90-as-its-host": settings.apt()}
        with tempfile.TemporaryDirectory() as folder:
            for target, text in texts.items():
                if text:
                    file = Path(folder) / "text"
                    file.write_text(text)
                    file.chmod(0o644)
                    self.put(file, target)
        if HYBRID.is_dir():
            # Docker leaves out the second tree of control groups, without which the nodes' systemds would share one.
            self.read("sh", "-c", f"mkdir -p {HYBRID} && mount -t cgroup2 cgroup2 {HYBRID}")
        for path in settings.certificates():
            if path != debian.TRUSTED:
                self.put(path, str(path))


@contextlib.contextmanager
def _alarm(seconds: float, action: Callable[[], object]) -> Iterator[None]:
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
