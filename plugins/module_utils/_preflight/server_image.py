"""The image with PostgreSQL's own programs, of which a release's trace makes its throw-away server. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._release.identity import servers

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import Options
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Live, Planned

Object = dict[str, t.Any]


class ServerImage(t.NamedTuple):
    """An image.

    :param user: the user id that its programs want, None for the pod's
    """

    reference: str
    pull_policy: str | None
    user: int | None

    def container(self, name: str, command: t.Sequence[str], resources: t.Mapping[str, t.Any]) -> Object:
        """A container that runs the image, as an entry of a pod spec."""
        found: Object = {
            "name": name,
            "image": self.reference,
            "command": list(command),
            "resources": dict(resources),
        }
        found |= {"imagePullPolicy": self.pull_policy} if self.pull_policy else {}
        return found | ({"securityContext": {"runAsUser": self.user}} if self.user is not None else {})


def server_image(wanted: Planned, live: Live, options: Options) -> ServerImage | None:
    """The image that somebody named, else that of the release's own server: as it runs, or as it would be deployed."""
    if options.trace_image:
        return ServerImage(options.trace_image, None, options.trace_user)
    running = [item for item in servers(live.statefulsets) if item.chart == "postgresql"]
    found = next((item for item in [*running, *wanted.servers] if item.chart == "postgresql"), None)
    if found is None:
        return None
    pod: Object = found.template["spec"]
    container: Object = pod["containers"][0]
    contexts = [item.get("securityContext") or {} for item in (container, pod)]
    user = next((item["runAsUser"] for item in contexts if "runAsUser" in item), None)
    return ServerImage(container["image"], container.get("imagePullPolicy"), user)


__all__ = ("ServerImage", "server_image")
