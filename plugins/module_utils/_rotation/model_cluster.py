"""The Secret with the key of the model's provider, the release's Secret and its pods, for a rotation of that key."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release.keepers import keeper_of
from ansible_collections.ai_platform.agent.plugins.module_utils._release.model_key import ANNOTATION, Record, record_of
from ansible_collections.ai_platform.agent.plugins.module_utils._release.secret_data import decoded, encoded
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation import rotation_ids
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.cluster import Release, records_of
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.model_run import Facts

Object = dict[str, t.Any]
# Too Many Requests (RFC 6585): the provider knows the key, and will not answer just now.
_TAKEN = 429


@dataclasses.dataclass
class Keys:
    """Implements `model_run.Keeper` on the cluster.

    :param release: with the name of its own Secret
    :param name: of the Secret with the key
    :param entry: of that Secret
    :param wanted: the key
    :param model: how the endpoint is asked, as connectivity_test's `model`; with `ask: False` it is not
    """

    release: Release
    name: str
    entry: str
    wanted: str = dataclasses.field(repr=False)
    model: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)

    def facts(self) -> Facts:
        """Read the state of both Secrets and of the rollout.

        :raises FindingError: one of the Secrets is not there, or is kept by a controller
        """
        own, keys = self.release.secret(), self._keys()
        now = decoded((keys.get("data") or {}).get(self.entry, ""))
        rotation_id = rotation_ids.of(own)
        record, same = record_of(own), now == self.wanted
        if not same and (keeper := keeper_of(keys["metadata"])):
            words = f"Secret {self._named()} is kept by {keeper}, which would undo a new key there"
            raise FindingError("rotation-refused", f"{words}: change it where that takes it from.")
        return Facts(record, same, rotation_id, bool(record.before) and self.release.rolled(rotation_id))

    def put_key(self) -> None:
        """Write the wanted key into its Secret."""
        value = encoded(self.wanted)
        # The version refuses it where somebody else wrote the Secret meanwhile.
        body = {"metadata": {"resourceVersion": self._keys()["metadata"]["resourceVersion"]}}
        self.release.patch_secret(self.name, body | {"data": {self.entry: value}})

    def record(self, record: Record, rotation_id: str = "") -> None:
        """Patch the annotation, and the rotation id where one is given, in one request."""
        data = {rotation_ids.KEY: encoded(rotation_id)} if rotation_id else {}
        self.release.write_record(self.release.secret(), {ANNOTATION: record.as_annotation()}, data)

    def try_key(self) -> bool:
        """Ask the provider with the wanted key from an agent pod; False where that is not wanted."""
        if not self.model.get("ask", True):
            return False
        wanted = {"name": "model", "kind": "model", "optional": True, "key": self.wanted}
        wanted |= {"env": self.model["url_variable"], "model_env": self.model["name_variable"]}
        wanted |= {name: self.model[name] for name in ("ca_file", "path") if self.model.get(name)}
        assert_taken(self.release.probe(wanted))
        return True

    def _keys(self) -> Object:
        found = self.release.cluster.get("v1", "secrets", self.name, self.release.namespace)
        if found is None:
            words = f"There is no Secret {self._named()} (agent.llm.existingSecret of the values)"
            raise FindingError("rotation-refused", f"{words}: make it with the key in use, and deploy.")
        return found

    def _named(self) -> str:
        return f"{self.release.namespace}/{self.name}"


def assert_taken(lines: t.Iterable[str]) -> None:
    """What the probe's lines say of a key. Pure.

    :raises FindingError: the endpoint was not asked, did not answer, or does not take the key
    """
    records = records_of(lines, "The new key")
    phases = [each for each in records if each.get("record") == "phase"]
    failed = next((each for each in phases if not each["ok"]), None)
    if failed is None and any(each["phase"] == "models" for each in phases):
        return
    if failed is None:
        words = "The agent's pod names no endpoint of a model (LLM_BASE_URL, or url_variable of ai_agent_verify_model)"
        raise FindingError("rotation-model-key", f"{words}, so the new key cannot be tried. Nothing was changed.")
    facts = failed.get("facts") or {}
    status = facts.get("status")
    if status == _TAKEN:
        return
    place = ", ".join(facts.get("asked") or ()) or "the endpoint"
    if status:
        words = f"The provider does not take the new key: {place} answers {status}"
    else:
        words = f"The new key cannot be tried: {place} cannot be asked (step {failed['phase']})"
    raise FindingError("rotation-model-key", f"{words}. The key in use was not touched.")


__all__ = ("Keys", "assert_taken")
