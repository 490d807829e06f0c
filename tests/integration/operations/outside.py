"""PostgreSQL, PgBouncer and Redis that are no part of a release, in a namespace of their own."""

from __future__ import annotations

import base64
import typing as t
from urllib.parse import quote

from dev import pooler
from lab import images, registry
from lab.cluster import kubectl

from .loaded import applied

DATABASE = "agents"
# Who owns the schema and migrates it, and who only works with it: the agent, through the pooler.
OWNER, AGENT = "schema_owner", "agent"
# The role that a rotation makes; whoever keeps the pooler has it in the list beforehand.
ROTATED = f"{AGENT}_a"
PASSWORDS = {
    OWNER: "owner's pass/word",
    AGENT: "agent@pass%word",
    "postgres": "administrator",
    "redis": "c ache:pass",
    ROTATED: "rotated agent@pass",
}
_RIGHTS = f"""
CREATE ROLE {AGENT} LOGIN PASSWORD '{PASSWORDS[AGENT]}';
GRANT CONNECT ON DATABASE {DATABASE} TO {AGENT};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {AGENT};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT USAGE, SELECT ON SEQUENCES TO {AGENT};
"""
Object = dict[str, t.Any]


class Outside:
    """The servers, and what an agent needs to know of them."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        # As NetworkPolicy peers.
        self.peers: list[Object] = [
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}},
        ]

    def __enter__(self) -> Outside:
        kubectl("delete", "namespace", self.namespace, "--ignore-not-found")
        kubectl("create", "namespace", self.namespace)
        pgbouncer = pooler.image()
        registry.push([pgbouncer])
        database = {"POSTGRES_USER": OWNER, "POSTGRES_PASSWORD": PASSWORDS[OWNER], "POSTGRES_DATABASE": DATABASE}
        database["POSTGRES_POSTGRES_PASSWORD"] = PASSWORDS["postgres"]
        self._serve("database", images.POSTGRESQL.reference, 5432, database)
        self._serve("cache", images.REDIS.reference, 6379, {"REDIS_PASSWORD": PASSWORDS["redis"]})
        settings = {
            "pgbouncer.ini": pooler.ini(
                f"{DATABASE} = host=database port=5432",
                listen_addr="*",
                listen_port=6432,
                auth_type="plain",
                auth_file="/etc/pgbouncer/test/users.txt",
                default_pool_size=4,
            ),
            "users.txt": "".join(f'"{role}" "{PASSWORDS[role]}"\n' for role in (AGENT, ROTATED)),
        }
        applied({"apiVersion": "v1", "kind": "Secret", "metadata": self._named("pooler"), "stringData": settings})
        self._serve("pooler", pgbouncer, 6432, {}, mounted="/etc/pgbouncer/test")
        kubectl("-n", self.namespace, "wait", "pod", "--all", "--for=condition=Ready", "--timeout=120s", timeout=130)
        self.sql(_RIGHTS)
        return self

    def __exit__(self, *_: object) -> None:
        kubectl("delete", "namespace", self.namespace, "--wait=false")

    def secret(self, name: str, namespace: str) -> Object:
        """The Secret that somebody keeps for a release: three URLs, and no password of the release's own."""
        where = f"{self.namespace}.svc"
        urls = {
            "database-url": f"postgresql://{_login(AGENT)}@pooler.{where}:6432/{DATABASE}",
            "migration-database-url": f"postgresql://{_login(OWNER)}@database.{where}:5432/{DATABASE}",
            "redis-url": f"redis://:{quote(PASSWORDS['redis'], safe='')}@cache.{where}:6379/0",
        }
        data = {key: base64.b64encode(url.encode()).decode() for key, url in urls.items()}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "data": data}

    def sql(self, text: str) -> str:
        """What statements give, as the administrator."""
        psql = [
            "psql",
            "-XAtq",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
            "-d",
            DATABASE,
            "-c",
            text,
        ]
        login = ["env", f"PGPASSWORD={PASSWORDS['postgres']}"]
        return kubectl("-n", self.namespace, "exec", "database", "--", *login, *psql).strip()

    def _named(self, name: str) -> Object:
        return {"name": name, "namespace": self.namespace, "labels": {"app": name}}

    def _serve(self, name: str, image: str, port: int, variables: dict[str, str], mounted: str = "") -> None:
        container: Object = {
            "name": name,
            "image": image,
            "env": [{"name": key, "value": value} for key, value in variables.items()],
            "readinessProbe": {"tcpSocket": {"port": port}, "periodSeconds": 1},
        }
        spec: Object = {"containers": [container]}
        if mounted:
            container["volumeMounts"] = [{"name": "settings", "mountPath": mounted}]
            spec["volumes"] = [{"name": "settings", "secret": {"secretName": name}}]
        service = {"selector": {"app": name}, "ports": [{"port": port}]}
        applied(
            {"apiVersion": "v1", "kind": "Pod", "metadata": self._named(name), "spec": spec},
            {"apiVersion": "v1", "kind": "Service", "metadata": self._named(name), "spec": service},
        )


def _login(role: str) -> str:
    return f"{role}:{quote(PASSWORDS[role], safe='')}"


__all__ = ("AGENT", "OWNER", "PASSWORDS", "ROTATED", "Outside")
