"""The catalogue of a database, as it answered."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog_facts import from_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import NO_FACTS

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import Answer


def catalog_of(answer: Answer) -> Catalog:
    """The tables before the upgrade; of a database that nobody could ask, what is there is not known."""
    if answer.server is None:
        return Catalog(complete=False, timezone_is_utc=True, schema="public")
    server, facts = answer.server, answer.facts or NO_FACTS
    catalog = from_facts(facts, timezone=server["timezone"], schema=server["schema"])
    names = {row["oid"]: (row["schema"], row["name"]) for row in facts["classes"]}
    keys = [row for row in facts["relations"]["keys"] if row["oid"] in names]
    catalog.partition_keys = {names[row["oid"]]: (row["strategy"], tuple(row["parts"])) for row in keys}
    return catalog


__all__ = ("catalog_of",)
