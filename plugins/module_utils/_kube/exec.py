"""A program in a running pod that answers lines with lines: one session for several messages."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import concurrent.futures
import contextlib
import threading
import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.framing import MOST_BYTES
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Forbidden

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster

OPEN_SECONDS = 20.0
# Most characters of a program's stderr that are kept, the newest.
KEPT_ERROR_CHARACTERS = 2000


def may_exec(cluster: Cluster, namespace: str) -> bool:
    """Whether the account may open such a session: `get` opens it, and from Kubernetes 1.35 on `create` as well.

    Never under impersonation, which the client's websocket would silently leave out.
    """
    if any(str(name).lower() == "impersonate-user" for name in cluster.api.default_headers):
        return False
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(lambda: all(cluster.may(verb, "pods/exec", namespace) for verb in ("get", "create")))
        # What a session needs is read while the answers are on their way.
        from kubernetes import stream  # noqa: F401

        return answer.result()


class ExecSession(contextlib.AbstractContextManager["ExecSession"]):
    """A command in a container, with its stdin and stdout. What is sent and received must be ASCII."""

    def __init__(self, cluster: Cluster, namespace: str, pod: str, container: str, command: list[str]) -> None:
        """:raises Forbidden: the account lacks the right
        :raises FindingError: `cluster-unreachable`: no session opens in time
        """
        self.where = f"pod {namespace}/{pod}"
        self._stderr = ""
        self._left: list[str] = []
        opened: list[t.Any] = []

        # What a slow machine takes to import shall not count.
        from kubernetes import stream  # noqa: F401

        def open_it() -> None:
            try:
                opened.append(_open(cluster, namespace, pod, container, command))
            except Exception as error:
                opened.append(error)

        # The websocket library has no time limit for opening: a node that is gone would hold the caller for minutes.
        opening = threading.Thread(target=open_it, daemon=True)
        opening.start()
        opening.join(OPEN_SECONDS)
        if not opened:
            words = f"No session in {self.where} opens within {OPEN_SECONDS:g} s; check the node that runs it."
            raise FindingError("cluster-unreachable", words)
        if isinstance(opened[0], Exception):
            text = str(opened[0])
            if "403" in text or "Forbidden" in text:
                raise Forbidden("get", "pods/exec", namespace)
            words = f"No session opens in {self.where} ({_brief(text)}); check that it still runs."
            raise FindingError("cluster-unreachable", words)
        self._socket = opened[0]
        # The library keeps all that comes; whatever it takes in goes through here.
        self._socket._all = _Counted(self.where)

    def __exit__(self, *_: object) -> None:
        # The program reads the end of its stdin and ends by itself.
        with contextlib.suppress(Exception):
            self._socket.close()

    def send(self, line: str) -> None:
        """One line to stdin, without its end.

        :raises FindingError: the session is lost
        """
        try:
            self._socket.write_stdin(line + "\n")
        except Exception:
            raise self._lost() from None

    def receive(self, seconds: float) -> str | None:
        """The next line of stdout without its end, None when the program ended.

        :raises FindingError: `seconds` passed without a line, the session is lost, or `answer-too-large`
        """
        if self._left:
            return self._left.pop(0)
        deadline = time.monotonic() + seconds
        try:
            line: str = self._socket.readline_stdout(timeout=seconds)
            self._keep_errors()
            if not line and not self._socket.is_open():
                # The library does not look at what came together with the end.
                self._left = [text for text in self._socket.read_stdout(timeout=0).splitlines() if text]
        except FindingError:
            raise
        except Exception:
            raise self._lost() from None
        if not line and self._socket.is_open() and time.monotonic() >= deadline:
            words = f"The program in {self.where} does not answer within {seconds:g} s; look at the pod's load."
            raise FindingError("cluster-unreachable", words)
        return line or (self._left.pop(0) if self._left else None)

    @property
    def stderr(self) -> str:
        """The end of what the program wrote to stderr until now; foreign words, not for a result as they are."""
        return self._stderr

    @property
    def last_words(self) -> str:
        """The last line of that, short, for a sentence."""
        return self._stderr.strip().rpartition("\n")[2][:200].rstrip(".") or "without a word"

    @property
    def exit_code(self) -> int | None:
        """The exit code of the program, once `receive` has returned its end; None where it is not known."""
        try:
            return t.cast("int | None", self._socket.returncode)
        except Exception:
            return None

    def _keep_errors(self) -> None:
        with contextlib.suppress(Exception):
            self._stderr = (self._stderr + self._socket.read_stderr(timeout=0))[-KEPT_ERROR_CHARACTERS:]

    def _lost(self) -> FindingError:
        return FindingError("cluster-unreachable", f"The session in {self.where} broke; run it again.")


@contextlib.contextmanager
def signs_of_life(session: ExecSession, seconds: float) -> t.Iterator[None]:
    """Send an empty line now and then, the first one at once.

    What a killed caller leaves open may stay so at the API server (seen with Kubernetes 1.34), so a program in a
    pod cannot tell by the end of its stdin that nobody waits for it any more.
    """
    over = threading.Event()

    def send() -> None:
        with contextlib.suppress(FindingError):
            session.send("")
            while not over.wait(seconds):
                session.send("")

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(seconds)


class _Counted:
    """Takes the place of the library's memory of all output, and ends a session that says too much."""

    def __init__(self, where: str) -> None:
        self._where, self._left = where, MOST_BYTES

    def write(self, text: str) -> None:
        """Called by the library for each piece of stdout and stderr."""
        self._left -= len(text)
        if self._left < 0:
            words = f"The program in {self._where} answers with more than {MOST_BYTES >> 20} MiB"
            raise FindingError("answer-too-large", f"{words}; look for what else writes there.")


def _open(cluster: Cluster, namespace: str, pod: str, container: str, command: list[str]) -> t.Any:
    """The open websocket. The generated CoreV1Api would do the same, and takes a second to import its models."""
    from kubernetes.stream import ws_client

    configuration = cluster.api.configuration
    login = [item for item in configuration.auth_settings().values() if item["in"] == "header" and item["value"]]
    query = [("container", container), ("stdin", "true"), ("stdout", "true"), ("stderr", "true"), ("tty", "false")]
    return ws_client.websocket_call(
        configuration,
        "GET",
        f"{configuration.host}/api/v1/namespaces/{namespace}/pods/{pod}/exec",
        query_params=query + [("command", word) for word in command],
        headers={item["key"].lower(): item["value"] for item in login},
        _preload_content=False,
    )


def _brief(text: str) -> str:
    """The cause in one line: the library repeats headers and addresses."""
    line = next((line.strip() for line in text.splitlines() if "Reason" in line), text.strip().partition("\n")[0])
    return line.removeprefix("Reason: ").partition(" -+-+- ")[0][:200].rstrip(".")


__all__ = ("ExecSession", "may_exec", "signs_of_life")
