"""A shell command in a container, from its input to its exit code, for files that belong in no log."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import gzip
import time
import typing as t
import zlib

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec import ExecSession

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster

# What is unpacked of an answer at most; what comes over the wire is limited by the session.
MOST_BYTES: t.Final = 64 << 20
_END: t.Final = "@@end"
# The client cannot tell a program the end of its stdin, so a line of its own does.
_UNPACK: t.Final = f"sed -n '/^{_END}$/q;p' | base64 -d | gzip -d"
_LINE: t.Final = 48_000


class Ran(t.NamedTuple):
    """How a command ended.

    :param returncode: None where nobody knows it
    :param stderr: the end of what it wrote there
    """

    returncode: int | None
    stdout: bytes
    stderr: str


class Container(t.NamedTuple):
    """Where commands run, with a shell and the usual programs for text (base64, gzip, sed)."""

    cluster: Cluster
    namespace: str
    pod: str
    container: str

    def feed(self, text: bytes, command: str, *arguments: str, seconds: float) -> Ran:
        """Run a command that reads `text`; what it prints to stdout is not kept.

        :param command: of a POSIX shell, in which `arguments` are $1 and so on
        :raises FindingError: the session is lost, or `seconds` passed
        """
        words = ["sh", "-c", f"{_UNPACK} | {{ {command}; }} >/dev/null", "sh", *arguments]
        with ExecSession(self.cluster, self.namespace, self.pod, self.container, words) as session:
            packed = base64.b64encode(gzip.compress(text, 6)).decode()
            try:
                for start in range(0, len(packed), _LINE):
                    session.send(packed[start : start + _LINE])
                session.send(_END)
            except FindingError:
                # A command that ended at its first error no longer reads.
                pass
            return _ended(session, seconds)

    def fetch(self, command: str, *arguments: str, seconds: float) -> Ran:
        """Run a command, and return what it wrote into the file $OUT.

        :raises FindingError: the session is lost, `seconds` passed, or `answer-too-large`
        """
        pack = 'code=$?; [ $code = 0 ] && gzip -c "$OUT" | base64 -w 0 && echo; rm -f "$OUT"; exit $code'
        script = f'OUT="/tmp/ai-agent-out.$$"; {command}\n{pack}'
        with ExecSession(
            self.cluster, self.namespace, self.pod, self.container, ["sh", "-c", script, "sh", *arguments]
        ) as session:
            ran = _ended(session, seconds)
        return ran._replace(stdout=_unpacked(ran.stdout)) if ran.returncode == 0 else ran


def _ended(session: ExecSession, seconds: float) -> Ran:
    end = time.monotonic() + seconds
    lines = []
    while (line := session.receive(max(0.1, end - time.monotonic()))) is not None:
        lines.append(line)
    return Ran(session.exit_code, "".join(lines).encode(), session.stderr)


def _unpacked(text: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        found = inflater.decompress(base64.b64decode(text), MOST_BYTES)
    except (ValueError, zlib.error):
        raise FindingError("cluster-unreachable", "What came from the pod is incomplete; run it again.") from None
    if inflater.unconsumed_tail:
        words = f"A file in the pod holds more than {MOST_BYTES >> 20} MiB"
        raise FindingError("answer-too-large", f"{words}; load data outside of migrations.")
    return found


__all__ = ("Container", "Ran")
