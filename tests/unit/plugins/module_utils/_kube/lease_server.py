"""A Lease as an API server keeps it, with its optimistic locking, for clients in this process."""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Refused

Object = dict[str, t.Any]


class LeaseServer:
    """`away`: it answers nothing. `swallow`: so many writes are done and their answers lost."""

    def __init__(self) -> None:
        self.kept: Object | None = None
        self.version = 0
        self.away = False
        self.swallow = 0

    def _asked(self) -> None:
        if self.away:
            raise FindingError("cluster-unreachable", "The cluster does not answer.")

    def _stored(self, body: Object) -> Object:
        self.version += 1
        self.kept = copy.deepcopy(body)
        self.kept["metadata"]["resourceVersion"] = str(self.version)
        if self.swallow:
            self.swallow -= 1
            raise FindingError("cluster-unreachable", "The cluster does not answer in time.")
        return copy.deepcopy(self.kept)

    def get(self, *_names: str) -> Object | None:
        self._asked()
        return copy.deepcopy(self.kept)

    def create(self, _version: str, _plural: str, body: Object, _namespace: str) -> Object:
        self._asked()
        if self.kept is not None:
            raise Refused("cluster-refused", "There is one.", 409, "exists")
        return self._stored(body)

    def update(self, _version: str, _plural: str, _name: str, body: Object, _namespace: str) -> Object:
        self._asked()
        assert self.kept is not None
        if body["metadata"]["resourceVersion"] != self.kept["metadata"]["resourceVersion"]:
            raise Refused("cluster-refused", "It was changed.", 409, "changed")
        return self._stored(body)

    def spoil(self, **fields: t.Any) -> None:
        """Somebody else writes into the Lease."""
        assert self.kept is not None
        self.kept["spec"] |= fields
        self.version += 1
        self.kept["metadata"]["resourceVersion"] = str(self.version)
