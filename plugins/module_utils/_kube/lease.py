"""A Lease of coordination.k8s.io/v1: one holder at a time, as client-go's leader election takes, renews and frees it.

Clocks of two controllers are never compared: a Lease has expired when whoever wants it has watched it unchanged for as
long as it says that it holds (https://pkg.go.dev/k8s.io/client-go/tools/leaderelection, "does not depend on clocks").
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import datetime
import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Refused

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Object

API, PLURAL = "coordination.k8s.io/v1", "leases"
# HTTP: somebody else changed it in between, or there is no such namespace.
CONFLICT, MISSING = 409, 404


class Lost(Exception):
    """Another holder has the Lease now; its name is the text."""


@dataclasses.dataclass(frozen=True)
class Seen:
    """What a Lease says.

    :param holder: empty where nobody has it
    :param since: when it was taken, by its holder's clock, RFC 3339; for people, never for a decision
    :param renewed: the last sign of life, likewise
    :param seconds: how long it holds without a further sign
    """

    holder: str = ""
    since: str = ""
    renewed: str = ""
    seconds: int = 0


def seen(found: Object | None) -> Seen:
    """The holder and times in a Lease object; an absent object has no holder."""
    spec: Object = (found or {}).get("spec") or {}
    return Seen(
        str(spec.get("holderIdentity") or ""),
        str(spec.get("acquireTime") or ""),
        str(spec.get("renewTime") or ""),
        int(spec.get("leaseDurationSeconds") or 0),
    )


def look(cluster: Cluster, name: str, namespace: str) -> Seen:
    """Who has a Lease now.

    :raises FindingError: the API server refuses or does not answer
    """
    return seen(cluster.get(API, PLURAL, name, namespace))


class Lease:
    """A Lease as one holder takes, renews and frees it. `touched`: when its last renewal was sent, by its own clock."""

    def __init__(
        self,
        cluster: Cluster,
        place: tuple[str, str],
        holder: str,
        *,
        seconds: int,
        labels: t.Mapping[str, str],
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        """:param place: its name and its namespace
        :param holder: a name that no other run has
        :param seconds: how long it holds without a sign of life
        :param clock: seconds, of this machine alone
        """
        self.cluster, (self.name, self.namespace) = cluster, place
        self.holder, self.seconds, self.labels, self._clock = holder, seconds, dict(labels), clock
        self.touched = 0.0
        self._mine: Object | None = None
        self._watched: Object | None = None
        self._unchanged_since = 0.0

    def take(self) -> Seen | None:
        """Take it if nobody has it, or who had it gave no sign for as long as it holds. None: it is taken.

        To be called again and again: the first look at a foreign Lease only begins to watch it.

        :return: who has it instead
        :raises FindingError: the API server refuses or does not answer
        """
        found = self.cluster.get(API, PLURAL, self.name, self.namespace)
        if found is None:
            return self._written(lambda: self.cluster.create(API, PLURAL, self._new(), self.namespace))
        there = seen(found)
        # The answer to an earlier request of ours may have been lost on its way.
        if there.holder == self.holder:
            self._mine = found
            self.renew()
            return None
        if there.holder and not self._has_expired(found, there):
            return there
        return self._written(lambda: self._update(self._taken_over(found)))

    def renew(self) -> None:
        """Give a sign of life.

        :raises Lost: another one has it
        :raises FindingError: the API server refuses or does not answer; it may be tried again
        """
        self._change({"renewTime": _now()})

    def free(self) -> None:
        """Let others have it at once.

        :raises Lost: another one has it already
        :raises FindingError: the API server refuses or does not answer
        """
        self._change({"holderIdentity": "", "renewTime": _now()})
        self._mine = None

    def _change(self, fields: Object) -> None:
        found = self._mine
        while True:
            if found is None or seen(found).holder != self.holder:
                raise Lost(seen(found).holder)
            begun = self._clock()
            try:
                self._mine = self._update(found | {"spec": found["spec"] | fields})
            except Refused as error:
                if error.status not in {CONFLICT, MISSING}:
                    raise
            else:
                self.touched = begun
                return
            # Somebody wrote a label, or an answer was lost: whose it is decides.
            found = self.cluster.get(API, PLURAL, self.name, self.namespace)

    def _update(self, body: Object) -> Object:
        return self.cluster.update(API, PLURAL, self.name, body, self.namespace)

    def _written(self, write: t.Callable[[], Object]) -> Seen | None:
        begun = self._clock()
        try:
            self._mine = write()
            self.touched = begun
        except Refused as error:
            if error.status != CONFLICT:
                raise
            # Another one was quicker.
            return look(self.cluster, self.name, self.namespace)
        return None

    def _has_expired(self, found: Object, there: Seen) -> bool:
        now = self._clock()
        # Only the spec: a label that somebody sets is no sign of the holder's life.
        if self._watched != found["spec"]:
            self._watched, self._unchanged_since = found["spec"], now
        return now - self._unchanged_since >= max(1, there.seconds)

    def _new(self) -> Object:
        metadata = {"name": self.name, "namespace": self.namespace, "labels": self.labels}
        return {"apiVersion": API, "kind": "Lease", "metadata": metadata, "spec": self._spec(0)}

    def _taken_over(self, found: Object) -> Object:
        return found | {"spec": self._spec(int((found.get("spec") or {}).get("leaseTransitions") or 0) + 1)}

    def _spec(self, changes: int) -> Object:
        now = _now()
        return {
            "holderIdentity": self.holder,
            "leaseDurationSeconds": self.seconds,
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": changes,
        }


def _now() -> str:
    """A MicroTime of Kubernetes."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


__all__ = ("Lease", "Lost", "Seen", "look", "seen")
