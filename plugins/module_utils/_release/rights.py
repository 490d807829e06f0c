"""What the account must be allowed to do for a deployment, and what it is not. Pure: manifests and answers in."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Planned

Rule = dict[str, t.Any]


class Access(t.NamedTuple):
    """One question of a SelfSubjectAccessReview in the release's namespace."""

    verb: str
    group: str
    resource: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}" + (f".{self.group}" if self.group else "")


# Helm applies (create, patch), replaces (update), removes what a newer chart lacks, and waits by watching.
_MANAGED = ("get", "list", "watch", "create", "update", "patch", "delete")
_READ = ("get", "list", "watch")
# What a deployment uses beside the kinds of its manifests: helm's releases, its test pod, hooks, the diagnosis, the
# record for a rollback, and the Lease of the run.
_BESIDE: t.Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    ("", "secrets", _MANAGED),
    ("", "pods", ("get", "list", "watch", "create", "delete")),
    ("", "pods/log", ("get",)),
    ("", "events", ("list",)),
    ("batch", "jobs", _MANAGED),
    ("apps", "replicasets", ("list", "watch")),
    ("", "configmaps", ("get", "create", "patch")),
    ("coordination.k8s.io", "leases", ("get", "create", "update")),
)
_PLURALS = {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses"}


def needed(plan: Planned) -> tuple[Access, ...]:
    """Everything that deploying these manifests asks of the API server, without duplicates."""
    wanted: dict[Access, None] = {}
    for version, kind in sorted(plan.kinds):
        group = version.rpartition("/")[0]
        resource = _PLURALS.get(kind) or f"{kind.lower()}s"
        wanted |= dict.fromkeys(Access(verb, group, resource) for verb in _MANAGED)
    for group, resource, verbs in _BESIDE:
        wanted |= dict.fromkeys(Access(verb, group, resource) for verb in verbs)
    return tuple(wanted)


def not_granted(wanted: t.Iterable[Access], rules: t.Sequence[Rule]) -> tuple[Access, ...]:
    """The rights that no rule of a SelfSubjectRulesReview (`status.resourceRules`) grants as a whole.

    Rules with resourceNames grant nothing here. An authorizer that cannot list its rules leaves the review incomplete:
    then each of these is to be asked for by itself.
    """
    whole = [rule for rule in rules if not rule.get("resourceNames")]
    return tuple(item for item in wanted if not any(_grants(rule, item) for rule in whole))


def _grants(rule: Rule, item: Access) -> bool:
    base = item.resource.partition("/")[2]
    resources = rule.get("resources") or ()
    return (
        bool({item.verb, "*"} & set(rule.get("verbs") or ()))
        and bool({item.group, "*"} & set(rule.get("apiGroups") or ()))
        and bool({item.resource, "*", *([f"*/{base}"] if base else [])} & set(resources))
    )


def judge_permissions(missing: t.Sequence[Access], namespace: str) -> list[Finding]:
    """One finding that names everything that is missing, by resource."""
    if not missing:
        return []
    verbs: dict[str, list[str]] = {}
    for item in missing:
        verbs.setdefault(item.resource + (f".{item.group}" if item.group else ""), []).append(item.verb)
    lacking = "; ".join(f"{resource}: {', '.join(many)}" for resource, many in verbs.items())
    return [finding("permission-missing", f"The account lacks rights in namespace {namespace}: {lacking}.")]


__all__ = ("Access", "judge_permissions", "needed", "not_granted")
