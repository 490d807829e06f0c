"""A release whose database, pooler and cache are somebody else's: installed, migrated under load, and rolled back.

The agent logs in through PgBouncer in transaction mode as a role that may not change the schema; the migration goes
past the pooler as the role that owns it.
"""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Iterator

import pytest

from lab import images
from lab.cluster import kubectl

from .loaded import RELEASE, LoadedRelease, applied
from .outside import AGENT, OWNER, PASSWORDS, ROTATED, Outside

SECRET = "urls"
NEXT = {
    "ai_agent_images": {
        "agent": dict(zip(("repository", "tag"), images.AGENT_NEXT.reference.rsplit(":", 1), strict=True))
    }
}


class OutsideRelease(LoadedRelease):
    """A release that finds the Secret of somebody else."""

    def __init__(self, lab: dict[str, t.Any], servers: Outside) -> None:
        peers = {"database": {"to": servers.peers, "ports": [6432, 5432]}, "cache": {"to": servers.peers}}
        values = {"postgresql": {"enabled": False}, "redis": {"enabled": False}, "networkPolicy": peers}
        super().__init__(lab, "outside-agent", ai_agent_existing_secret=SECRET, ai_agent_values=values)
        self.servers = servers

    def prepare(self) -> None:
        """The three URLs."""
        applied(self.servers.secret(SECRET, self.namespace))

    def upgraded(self) -> dict[str, t.Any]:
        """Variables of the next version, whose image has one revision more."""
        return {"ai_agent_images": {**self.variables["ai_agent_images"], **NEXT["ai_agent_images"]}}


@pytest.fixture(scope="module")
def servers() -> Iterator[Outside]:
    with Outside("outside") as made:
        yield made


@pytest.fixture(scope="module")
def release(lab: dict[str, t.Any], servers: Outside) -> Iterator[OutsideRelease]:
    with OutsideRelease(lab, servers) as made:
        yield made


def test_it_has_no_server_of_its_own_and_the_agent_may_not_change_the_schema(
    release: OutsideRelease, servers: Outside
) -> None:
    assert json.loads(kubectl("-n", release.namespace, "get", "statefulsets", "-o", "json"))["items"] == []
    owners = servers.sql("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
    assert owners == OWNER
    assert servers.sql(f"SELECT has_schema_privilege('{AGENT}', 'public', 'CREATE')") == "f"
    sessions = servers.sql(
        "SELECT DISTINCT usename FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    assert sessions.split() == [AGENT]


def test_a_second_run_is_quiet_and_no_password_is_printed(release: OutsideRelease) -> None:
    again = release.play("site.yml", "-vv", "--diff")
    assert (again.code, again.recap("changed")) == (0, 0), again.output[-3000:]
    assert not [name for name, password in PASSWORDS.items() if password in again.output]


def test_an_upgrade_migrates_past_the_pooler_and_nobody_notices(release: OutsideRelease, servers: Outside) -> None:
    before = servers.sql("SELECT version_num FROM alembic_version")
    done = release.play("site.yml", **release.upgraded())
    assert done.code == 0, done.output[-4000:]
    assert servers.sql("SELECT version_num FROM alembic_version") != before
    counts = release.counts(20)
    assert counts["failed"] == 0, counts
    print(f"\nupgrade on servers of others: {counts}")


def test_the_way_back_leaves_the_schema(release: OutsideRelease, servers: Outside) -> None:
    newest = servers.sql("SELECT version_num FROM alembic_version")
    done = release.play("playbooks/rollback.yml", **release.upgraded())
    assert done.code == 0, done.output[-4000:]
    assert servers.sql("SELECT version_num FROM alembic_version") == newest
    assert f"Release {RELEASE} in namespace {release.namespace} was rolled back to revision 1" in " ".join(
        done.output.split()
    )
    assert release.counts(20)["failed"] == 0


def test_its_password_is_rotated_by_what_an_administrator_is_told(release: OutsideRelease, servers: Outside) -> None:
    """Behind a pooler, under load; the administrator does what is printed, twice."""
    printed = re.compile(r"^ +((?:CREATE|COMMENT|GRANT|ALTER|REASSIGN|SELECT|\\password) .*)$", re.MULTILINE)
    new = PASSWORDS[ROTATED]
    for _time in range(2):
        run = release.play(
            "playbooks/rotate_credentials.yml", ai_agent_postgresql_password=new, ai_agent_rotation_session_seconds=20
        )
        assert "docs/runbook.md#rotation-outside" in run.errors[0], run.output[-4000:]
        assert new not in run.output
        statements = printed.findall(run.output)
        assert statements, run.output[-4000:]
        for statement in statements:
            # psql would ask for it.
            typed = statement.startswith("\\")
            servers.sql(f"ALTER ROLE {ROTATED} PASSWORD '{new}'" if typed else statement)
    last = release.play("playbooks/rotate_credentials.yml", ai_agent_postgresql_password=new)
    assert last.code == 0, last.output[-4000:]
    assert servers.sql("SELECT rolname FROM pg_roles WHERE rolname LIKE 'agent%' AND rolcanlogin") == ROTATED
    quiet = release.play("site.yml")
    assert (quiet.code, quiet.recap("changed")) == (0, 0), quiet.output[-4000:]
    counts = release.counts(20)
    assert counts["failed"] == 0, counts


def test_leading_the_release_elsewhere_is_refused(release: OutsideRelease, servers: Outside) -> None:
    """Another database under the same Secret is another identity: the run stops before anything changes."""
    values = {"postgresql": {"enabled": True}, "redis": {"enabled": False}}
    done = release.play("site.yml", ai_agent_values=values)
    assert done.code != 0
    assert "FAILED" in done.output
    assert json.loads(kubectl("-n", release.namespace, "get", "statefulsets", "-o", "json"))["items"] == []
    assert release.counts(5)["failed"] == 0
