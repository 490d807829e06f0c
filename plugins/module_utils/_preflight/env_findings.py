"""Findings about env.py: whether what it does when it migrates is what was rendered. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.session_settings import milliseconds

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import Online

# SQLAlchemy's names of drivers that are made of libpq, and read PGOPTIONS as it does.
LIBPQ: t.Final = frozenset({"psycopg", "psycopg2", "psycopg_async", "psycopg2cffi", "pygresql"})
_OF_NAMES: t.Final = re.compile(r"search_path|\brole\b|session\s+authorization", re.IGNORECASE)


def env_findings(online: Online, *, blocks: bool = False) -> list[Finding]:
    """What env.py configures or runs online alone.

    :param blocks: whether a revision commits in between, with autocommit_block()
    """
    if online.problem:
        words = f"env.py was not seen as it goes online ({online.problem}); what it configures then may differ."
        return [finding("env-online-unseen", words)]
    found = []
    differing = [name for name, value in online.options.items() if online.offline.get(name, value) != value]
    if differing:
        listed = ", ".join(f"{name}={online.options[name]!r} for {online.offline[name]!r}" for name in differing)
        words = f"env.py configures online, and not with --sql, {listed}; it was judged as it goes online."
        found.append(finding("env-branches-differ", words))
    if online.autocommit:
        words = "env.py migrates on a connection in AUTOCOMMIT, where each statement is a transaction of its own."
        found.append(finding("env-branches-differ", words, severity="unknown"))
    elif online.options.get("transactional_ddl") is False:
        words = (
            "env.py configures transactional_ddl=False on a connection that is not in AUTOCOMMIT: SQLAlchemy keeps the"
            " statements in a transaction all the same, which --sql does not show."
        )
        found.append(finding("env-branches-differ", words, severity="unknown"))
    if online.executed:
        words = f"env.py itself runs online, beside the revisions: {'; '.join(online.executed)}."
        found.append(finding("env-online-statements", words))
    if online.begun == "lost":
        words = (
            "env.py runs a statement before context.configure() and does not commit it: Alembic takes the transaction"
            " for env.py's own, and all that the upgrade did is rolled back, with exit code 0."
        )
        found.append(finding("env-online-statements", words, severity="fail"))
    elif online.begun and blocks:
        words = (
            "env.py begins the transaction before context.configure(), so that Alembic cannot end it, and"
            " autocommit_block() fails with an AssertionError."
        )
        found.append(finding("env-online-statements", words, severity="fail"))
    return found


def changes_names(online: Online | None) -> bool:
    """Whether env.py itself runs what decides to which objects names lead, or as whom."""
    return online is not None and any(_OF_NAMES.search(text) for text in online.executed)


def own_timeouts(online: Online | None) -> dict[str, int]:
    """Time-outs in milliseconds that env.py sets for its session, after whatever the role or the migrator has set."""
    values = {name: milliseconds(text) for name, text in (online.timeouts if online else {}).items()}
    return {name: value for name, value in values.items() if value is not None}


def reads_pgoptions(online: Online | None) -> bool:
    """Whether the migrator's PGOPTIONS reach its session; a driver that is not known is taken for one of libpq."""
    return online is None or online.driver is None or online.driver in LIBPQ


def unread_pgoptions(online: Online) -> Finding:
    """The finding about a migrator that says it sets lock_timeout and connects with another driver."""
    words = (
        f"env.py connects with {online.driver}, which reads no PGOPTIONS: a lock_timeout that the migrator passes in"
        " them is not set."
    )
    return finding("lock-timeout-missing", words)


__all__ = ("changes_names", "env_findings", "own_timeouts", "reads_pgoptions", "unread_pgoptions")
