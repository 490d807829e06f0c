"""Every key of values.yaml, changed once: which objects change, and nothing else does."""

from __future__ import annotations

import functools
import typing as t
from collections.abc import Iterator

import pytest
import yaml

from tests.chart.cluster import Cluster
from tests.chart.conftest import RELEASE, ROOT, Object, Render
from tests.chart.test_migration import SERVING
from tests.chart.test_secrets import EXISTING, live_secret, secrets_read
from tests.chart.test_secrets import KEYS as SECRET_KEYS

# Values under which a key has its effect.
PASSWORDS: Object = {
    "rotationId": "r1",
    "postgresql": {"auth": {"password": "p", "postgresPassword": "a", "replicationPassword": "r"}},
    "redis": {"auth": {"password": "c"}},
}
EXTERNAL: Object = {
    "rotationId": "r1",
    "postgresql": {"enabled": False},
    "redis": {"enabled": False},
    "externalDatabase": {"host": "10.0.0.1", "password": "p"},
    "externalCache": {"host": "10.0.0.2", "password": "c"},
}
CONTEXTS: dict[str, Object] = {
    "plain": {},
    "scaled": {"agent": {"autoscaling": {"enabled": True}}},
    "by keda": {"agent": {"autoscaling": {"enabled": True, "keda": {"enabled": True}}}},
    "several": {"agent": {"replicaCount": 3}},
    "balanced": {"agent": {"service": {"type": "LoadBalancer"}}},
    "volume": {"agent": {"extraVolumes": [{"name": "ca", "emptyDir": {}}]}},
    "model": {"agent": {"llm": {"baseUrl": "http://10.0.0.3:8080/v1", "existingSecret": "llm"}}},
    "known callers": {"agent": {"auth": {"existingSecret": "callers"}}},
    "limited": {"agent": {"rateLimit": {"perMinute": 60}}},
    "traced": {"agent": {"tracing": {"endpoint": "http://10.0.0.9:4318", "existingSecret": "collector"}}},
    "replicated": {"postgresql": {"architecture": "replication"}},
    "two replicas": {
        "postgresql": {"architecture": "replication", "readReplicas": {"replicaCount": 2}},
        "redis": {"replica": {"replicaCount": 2}},
    },
    "scrapers": {"networkPolicy": {"scrapers": [{"podSelector": {"matchLabels": {"app": "prometheus"}}}]}},
    "scraped": {
        "networkPolicy": {"scrapers": [{"podSelector": {"matchLabels": {"app": "prometheus"}}}]},
        "serviceMonitor": {"enabled": True},
    },
    "command": {"migration": {"tool": "command", "command": ["migrate"]}},
    "itself": {"migration": {"tool": "none"}},
    "ingress": {"ingress": {"enabled": True, "hosts": ["a.example.org"]}},
    "route": {"httpRoute": {"enabled": True, "parentRefs": [{"name": "gateway"}]}},
    "external secret": {
        **EXISTING,
        "externalSecret": {
            "enabled": True,
            "storeRef": {"name": "vault", "kind": "SecretStore"},
            "dataFrom": [{"extract": {"key": "agent"}}],
        },
    },
    "stored": {"networkPolicy": {"backupStore": {"to": [{"ipBlock": {"cidr": "10.0.0.7/32"}}]}}},
    "watched": {"prometheusRule": {"enabled": True}},
    "retained": {"retention": {"schedule": "@daily"}},
    "to back up": {"backup": {"claim": "backups"}},
    "backed": {"backup": {"schedule": "@daily", "claim": "backups"}},
    "bucketed": {"backup": {"schedule": "@daily", "s3": {"bucket": "backups", "existingSecret": "keys"}}},
    "read": {"backup": {"schedule": "@daily", "claim": "backups", "databaseSecret": {"name": "reader", "key": "url"}}},
    "closed": {"backup": {"schedule": "@daily", "claim": "backups", "encryptionSecret": {"name": "age", "key": "key"}}},
    "external": EXTERNAL,
    "kept": {
        **EXISTING,
        "networkPolicy": {"database": {"to": [{"podSelector": {}}]}, "cache": {"to": [{"podSelector": {}}]}},
    },
}

PEERS = [{"ipBlock": {"cidr": "10.1.0.0/16"}}]
CONTAINER = {"name": "more", "image": "p:1", "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}}}

# Objects by kind and name; "~" is the release, "Job/~" the migration.
AGENT = {"Deployment/~"}
IMAGE = {"Deployment/~", "Job/~", "Pod/~-connection-test"}
CONFIG = {"ConfigMap/~-config", "Deployment/~", "Job/~"}
JOB = {"Job/~"}
TEST = {"Pod/~-connection-test"}
RETENTION = {"CronJob/~-retention"}
BACKUP = {"CronJob/~-backup"}
SERVICE = {"Service/~"}
SCALER = {"HorizontalPodAutoscaler/~"}
KEDA = {"ScaledObject/~"}
BUDGET = {"PodDisruptionBudget/~"}
POLICY = {"NetworkPolicy/~"}
CLIENTS = {"NetworkPolicy/~-db-clients"}
DNS = {"NetworkPolicy/~-db-clients", "NetworkPolicy/~-postgresql-server", "NetworkPolicy/~-redis-server"}
MONITOR = {"ServiceMonitor/~"}
INGRESS = {"Ingress/~"}
ROUTE = {"HTTPRoute/~"}
EXTERNAL_SECRET = {"ExternalSecret/kept"}
RULE = {"PrometheusRule/~"}
SECRET = {"Secret/~-secret"}
SERVER = {"NetworkPolicy/~-db-clients", "Secret/~-secret"}
REPLICA_BUDGETS = {"PodDisruptionBudget/~-postgresql-read", "PodDisruptionBudget/~-redis-replicas"}
PRIMARY = {"StatefulSet/~-postgresql"}
READ = {"StatefulSet/~-postgresql-read"}
MASTER = {"StatefulSet/~-redis-master"}
REPLICAS = {"StatefulSet/~-redis-replicas"}
REDIS = {"StatefulSet/~-redis-master", "StatefulSet/~-redis-replicas"}
OURS = {
    "ConfigMap/~-config",
    "ConfigMap/~-migration-scripts",
    "ConfigMap/~-test-scripts",
    "Deployment/~",
    "Job/~",
    "NetworkPolicy/~",
    "NetworkPolicy/~-db-clients",
    "NetworkPolicy/~-default-deny",
    "NetworkPolicy/~-postgresql-server",
    "NetworkPolicy/~-redis-server",
    "Pod/~-connection-test",
    "Secret/~-secret",
    "Service/~",
    "ServiceAccount/~",
}
NAMED = {
    "ConfigMap/~-config",
    "ConfigMap/~-migration-scripts",
    "ConfigMap/~-test-scripts",
    "Deployment/~",
    "Job/~",
    "NetworkPolicy/~",
    "NetworkPolicy/~-db-clients",
    "NetworkPolicy/~-default-deny",
    "Pod/~-connection-test",
    "Service/~",
    "ServiceAccount/~",
}

# Key: context, its new value, the objects that change.
KEYS: dict[str, tuple[str, t.Any, set[str]]] = {
    "nameOverride": ("plain", "app", OURS),
    "fullnameOverride": ("plain", "other", {name.replace("~", "other") for name in NAMED} | NAMED),
    "imagePullSecrets": ("plain", [{"name": "pull"}], IMAGE),
    "commonLabels": ("plain", {"team": "x"}, OURS),
    "commonAnnotations": ("plain", {"note": "x"}, OURS),
    "existingSecretKeys": ("kept", {"redis-url": {"name": "cache", "key": "url"}}, {"Deployment/~", *TEST}),
    "secrets.generate": ("plain", "never", set()),
    "rotationId": ("plain", "r2", {"Deployment/~", "Secret/~-secret"}),
    "agent.replicaCount": ("plain", 2, {"Deployment/~", "PodDisruptionBudget/~"}),
    "agent.image.repository": ("plain", "other/agent", IMAGE),
    "agent.image.tag": ("plain", "2", IMAGE),
    "agent.image.digest": ("plain", f"sha256:{'0' * 64}", IMAGE),
    "agent.image.pullPolicy": ("plain", "Always", IMAGE),
    "agent.service.type": ("plain", "NodePort", SERVICE),
    "agent.service.port": ("plain", 80, SERVICE),
    "agent.service.annotations": ("plain", {"a": "b"}, SERVICE),
    "agent.service.labels": ("plain", {"a": "b"}, SERVICE),
    "agent.service.nodePort": ("balanced", 30080, SERVICE),
    "agent.service.clusterIP": ("plain", "None", SERVICE),
    "agent.service.appProtocol": ("plain", "http", SERVICE),
    "agent.service.ipFamilyPolicy": ("plain", "PreferDualStack", SERVICE),
    "agent.service.ipFamilies": ("plain", ["IPv6"], SERVICE),
    "agent.service.sessionAffinity": ("plain", "ClientIP", SERVICE),
    "agent.service.trafficDistribution": ("plain", "PreferClose", SERVICE),
    "agent.service.internalTrafficPolicy": ("plain", "Local", SERVICE),
    "agent.service.externalTrafficPolicy": ("balanced", "Local", SERVICE),
    "agent.service.loadBalancerClass": ("balanced", "example.org/one", SERVICE),
    "agent.service.loadBalancerIP": ("balanced", "192.0.2.9", SERVICE),
    "agent.service.loadBalancerSourceRanges": ("balanced", ["192.0.2.0/24"], SERVICE),
    "agent.service.allocateLoadBalancerNodePorts": ("balanced", False, SERVICE),
    "agent.extraPorts": ("plain", [{"name": "grpc", "containerPort": 9000}], AGENT | SERVICE | POLICY),
    "agent.env.LOG_LEVEL": ("plain", "debug", CONFIG),
    "agent.env.WORKER_THREADS": ("plain", "2", CONFIG),
    "agent.llm.baseUrl": (
        "plain",
        "http://10.0.0.3/v1",
        {"ConfigMap/~-config", "Deployment/~", "Job/~", "NetworkPolicy/~"},
    ),
    "agent.llm.model": ("plain", "m", CONFIG),
    "agent.llm.existingSecret": ("plain", "llm", AGENT),
    "agent.llm.existingSecretKey": ("model", "token", AGENT),
    "agent.llm.reportUsage": ("plain", True, CONFIG),
    "agent.llm.prices.input": ("plain", 0.15, CONFIG),
    "agent.llm.prices.output": ("plain", 0.6, CONFIG),
    "agent.auth.existingSecret": ("plain", "callers", AGENT),
    "agent.auth.existingSecretKey": ("known callers", "other", AGENT),
    "agent.rateLimit.perMinute": ("plain", 60, CONFIG),
    "agent.rateLimit.burst": ("limited", 5, CONFIG),
    "agent.chatPage": ("plain", False, CONFIG),
    "agent.tracing.endpoint": (
        "plain",
        "http://10.0.0.9:4318",
        {"ConfigMap/~-config", "Deployment/~", "Job/~", "NetworkPolicy/~"},
    ),
    "agent.tracing.existingSecret": ("traced", "other", AGENT),
    "agent.tracing.existingSecretKey": ("traced", "other", AGENT),
    "agent.tracing.resourceAttributes": ("traced", {"team": "x"}, CONFIG),
    "agent.autoscaling.enabled": (
        "plain",
        True,
        {"Deployment/~", "HorizontalPodAutoscaler/~", "PodDisruptionBudget/~"},
    ),
    "agent.autoscaling.minReplicas": ("scaled", 3, SCALER),
    "agent.autoscaling.maxReplicas": ("scaled", 5, SCALER),
    "agent.autoscaling.targetCPUUtilizationPercentage": ("scaled", 50, SCALER),
    "agent.autoscaling.targetMemoryUtilizationPercentage": ("scaled", 80, SCALER),
    "agent.autoscaling.metrics": (
        "scaled",
        [{"type": "External", "external": {"metric": {"name": "queue"}, "target": {"type": "Value", "value": "9"}}}],
        SCALER,
    ),
    "agent.autoscaling.keda.enabled": ("scaled", True, SCALER | KEDA),
    "agent.autoscaling.keda.triggers": ("by keda", [{"type": "cron", "metadata": {"timezone": "UTC"}}], KEDA),
    "agent.autoscaling.keda.pollingInterval": ("by keda", 15, KEDA),
    "agent.autoscaling.keda.fallback": ("by keda", {"failureThreshold": 3, "replicas": 4}, KEDA),
    "agent.autoscaling.keda.annotations": ("by keda", {"a": "b"}, KEDA),
    "agent.autoscaling.behavior": ("scaled", {"scaleDown": {"stabilizationWindowSeconds": 60}}, SCALER),
    "agent.podDisruptionBudget.enabled": ("several", False, BUDGET),
    "agent.podDisruptionBudget.maxUnavailable": ("several", "50%", BUDGET),
    "agent.podDisruptionBudget.minAvailable": ("several", 2, BUDGET),
    "agent.preStopSeconds": ("plain", 7, AGENT),
    "agent.drainSeconds": ("plain", 20, CONFIG),
    "agent.terminationGracePeriodSeconds": ("plain", 90, AGENT),
    "agent.progressDeadlineSeconds": ("plain", 100, AGENT),
    "agent.strategy.type": ("plain", "Recreate", AGENT),
    "agent.strategy.rollingUpdate.maxSurge": ("plain", 2, AGENT),
    "agent.strategy.rollingUpdate.maxUnavailable": ("plain", 1, AGENT),
    "agent.minReadySeconds": ("plain", 5, AGENT),
    "agent.lifecycle": ("plain", {"postStart": {"sleep": {"seconds": 1}}}, AGENT),
    "agent.revisionHistoryLimit": ("plain", 2, AGENT),
    "agent.startupProbe.periodSeconds": ("plain", 3, AGENT),
    "agent.startupProbe.timeoutSeconds": ("plain", 4, AGENT),
    "agent.startupProbe.failureThreshold": ("plain", 61, AGENT),
    "agent.livenessProbe.periodSeconds": ("plain", 11, AGENT),
    "agent.livenessProbe.timeoutSeconds": ("plain", 4, AGENT),
    "agent.livenessProbe.failureThreshold": ("plain", 4, AGENT),
    "agent.readinessProbe.periodSeconds": ("plain", 6, AGENT),
    "agent.readinessProbe.timeoutSeconds": ("plain", 4, AGENT),
    "agent.readinessProbe.failureThreshold": ("plain", 3, AGENT),
    "agent.podSecurityContext.runAsNonRoot": ("plain", False, IMAGE),
    "agent.podSecurityContext.runAsUser": ("plain", 1001, IMAGE),
    "agent.podSecurityContext.runAsGroup": ("plain", 1001, IMAGE),
    "agent.podSecurityContext.fsGroup": ("plain", 1001, IMAGE),
    "agent.podSecurityContext.fsGroupChangePolicy": ("plain", "Always", IMAGE),
    "agent.podSecurityContext.seccompProfile.type": ("plain", "Unconfined", IMAGE),
    "agent.containerSecurityContext.allowPrivilegeEscalation": ("plain", True, IMAGE),
    "agent.containerSecurityContext.readOnlyRootFilesystem": ("plain", False, IMAGE),
    "agent.containerSecurityContext.capabilities.drop": ("plain", ["NET_RAW"], IMAGE),
    "agent.annotations": ("plain", {"a": "b"}, AGENT),
    "agent.podLabels": ("plain", {"a": "b"}, AGENT),
    "agent.podAnnotations": ("plain", {"a": "b"}, AGENT),
    "agent.extraEnv": ("plain", [{"name": "A", "value": "b"}], IMAGE),
    "agent.extraEnvFrom": ("plain", [{"secretRef": {"name": "more"}}], IMAGE),
    "agent.extraVolumes": ("plain", [{"name": "ca", "configMap": {"name": "ca"}}], IMAGE),
    "agent.extraVolumeMounts": ("volume", [{"name": "ca", "mountPath": "/ca"}], IMAGE),
    "agent.sidecars": ("plain", [CONTAINER], AGENT),
    "agent.initContainers": ("plain", [CONTAINER], AGENT),
    "agent.nodeSelector": ("plain", {"a": "b"}, IMAGE),
    "agent.tolerations": ("plain", [{"key": "a", "operator": "Exists"}], IMAGE),
    "agent.affinity": ("plain", {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}, AGENT),
    "agent.topologySpreadConstraints": (
        "plain",
        [{"maxSkew": 2, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}],
        AGENT,
    ),
    "agent.priorityClassName": ("plain", "high", IMAGE),
    "agent.runtimeClassName": ("plain", "nvidia", IMAGE),
    "agent.schedulerName": ("plain", "volcano", IMAGE),
    "agent.hostAliases": ("plain", [{"ip": "192.0.2.7", "hostnames": ["a.example.org"]}], IMAGE),
    "agent.dnsPolicy": ("plain", "Default", IMAGE),
    "agent.dnsConfig": ("plain", {"searches": ["example.org"]}, IMAGE),
    "agent.resourceClaims": ("plain", [{"name": "card", "resourceClaimName": "card"}], AGENT),
    "agent.tmp.medium": ("plain", "Memory", IMAGE),
    "agent.tmp.sizeLimit": ("plain", "64Mi", IMAGE),
    "serviceAccount.create": ("plain", False, {"Deployment/~", "Job/~", "Pod/~-connection-test", "ServiceAccount/~"}),
    "serviceAccount.name": (
        "plain",
        "mine",
        {"Deployment/~", "Job/~", "Pod/~-connection-test", "ServiceAccount/mine", "ServiceAccount/~"},
    ),
    "serviceAccount.annotations": ("plain", {"a": "b"}, {"ServiceAccount/~"}),
    "serviceAccount.labels": ("plain", {"a": "b"}, {"ServiceAccount/~"}),
    "serviceAccount.imagePullSecrets": ("plain", [{"name": "a"}], {"ServiceAccount/~"}),
    "serviceAccount.automountServiceAccountToken": ("plain", True, AGENT),
    "migration.enabled": ("plain", False, {"ConfigMap/~-migration-scripts", "Deployment/~", "Job/~"}),
    "migration.image": ("plain", "m:1", JOB),
    "migration.lockTimeout": ("plain", "1s", {"Deployment/~", "Job/~"}),
    "migration.versionTable": ("plain", "other", {"Deployment/~", "Job/~"}),
    "migration.backoffLimit": ("plain", 2, JOB),
    "migration.ttlSecondsAfterFinished": ("plain", 604801, JOB),
    "migration.annotations": ("plain", {"a": "b"}, JOB),
    "migration.podAnnotations": ("plain", {"a": "b"}, JOB),
    "migration.nodeSelector": ("plain", {"a": "b"}, JOB),
    "migration.tolerations": ("plain", [{"key": "a", "operator": "Exists"}], JOB),
    "migration.affinity": ("plain", {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}, JOB),
    "connectionTest.timeout": ("plain", 61, TEST),
    "networkPolicy.enabled": (
        "plain",
        False,
        {
            "NetworkPolicy/~",
            "NetworkPolicy/~-db-clients",
            "NetworkPolicy/~-default-deny",
            "NetworkPolicy/~-postgresql-server",
            "NetworkPolicy/~-redis-server",
        },
    ),
    "networkPolicy.callers": ("plain", PEERS, POLICY),
    "networkPolicy.scrapers": ("plain", PEERS, POLICY),
    "networkPolicy.dns.to": ("plain", PEERS, DNS),
    "networkPolicy.dns.ports": ("plain", [5354], DNS),
    "networkPolicy.model.to": ("model", PEERS, POLICY),
    "networkPolicy.model.ports": ("model", [8081], POLICY),
    "networkPolicy.tracing.to": ("traced", PEERS, POLICY),
    "networkPolicy.tracing.ports": ("traced", [4319], POLICY),
    "networkPolicy.database.to": ("external", PEERS, CLIENTS),
    "networkPolicy.database.ports": ("external", [6432], CLIENTS),
    "networkPolicy.cache.to": ("external", PEERS, CLIENTS),
    "networkPolicy.cache.ports": ("external", [6380], CLIENTS),
    "networkPolicy.backupStore.to": ("plain", PEERS, {"NetworkPolicy/~-backup-store"}),
    "networkPolicy.backupStore.ports": ("stored", [9000], {"NetworkPolicy/~-backup-store"}),
    "networkPolicy.extraEgress": ("plain", [{"to": PEERS}], POLICY),
    "replicaPodDisruptionBudget.enabled": ("two replicas", False, REPLICA_BUDGETS),
    "replicaPodDisruptionBudget.maxUnavailable": ("two replicas", 2, REPLICA_BUDGETS),
    "serviceMonitor.enabled": ("scrapers", True, MONITOR),
    "serviceMonitor.interval": ("scraped", "60s", MONITOR),
    "serviceMonitor.scrapeTimeout": ("scraped", "5s", MONITOR),
    "serviceMonitor.labels": ("scraped", {"a": "b"}, MONITOR),
    "serviceMonitor.relabelings": ("scraped", [{"targetLabel": "a", "replacement": "b"}], MONITOR),
    "serviceMonitor.metricRelabelings": ("scraped", [{"action": "labeldrop", "regex": "a"}], MONITOR),
    "prometheusRule.enabled": ("plain", True, RULE),
    "prometheusRule.labels": ("watched", {"a": "b"}, RULE),
    "prometheusRule.errorPercent": ("watched", 1, RULE),
    "prometheusRule.latencySeconds": ("watched", 5, RULE),
    "prometheusRule.for": ("watched", "1m", RULE),
    "prometheusRule.extraRules": ("watched", [{"record": "a", "expr": "1"}], RULE),
    "organizationLabels.team": ("plain", "x", CONFIG),
    "organizationLabels.environment": ("plain", "x", CONFIG),
    "externalDatabase.host": ("external", "10.0.0.9", SERVER),
    "externalDatabase.port": ("external", 5433, SERVER),
    "externalDatabase.username": ("external", "u", SECRET),
    "externalDatabase.database": ("external", "d", SECRET),
    "externalDatabase.password": ("external", "q", SECRET),
    "externalDatabase.parameters": ("external", "sslmode=require", SECRET),
    "externalCache.host": ("external", "10.0.0.9", SERVER),
    "externalCache.port": ("external", 6380, SERVER),
    "externalCache.username": ("external", "u", SECRET),
    "externalCache.password": ("external", "q", SECRET),
    "externalCache.database": ("external", 3, SECRET),
    "externalCache.tls": ("external", True, SECRET),
    "postgresql.architecture": (
        "plain",
        "replication",
        {
            "Secret/~-secret",
            "Service/~-postgresql",
            "Service/~-postgresql-hl",
            "Service/~-postgresql-primary",
            "Service/~-postgresql-primary-hl",
            "Service/~-postgresql-read",
            "Service/~-postgresql-read-hl",
            "StatefulSet/~-postgresql",
            "StatefulSet/~-postgresql-primary",
            "StatefulSet/~-postgresql-read",
        },
    ),
    "postgresql.image.registry": ("plain", "changed", PRIMARY),
    "postgresql.image.repository": ("plain", "changed", PRIMARY),
    "postgresql.image.tag": ("plain", "changed", PRIMARY),
    "postgresql.commonLabels.app": (
        "plain",
        "x",
        {"Service/~-postgresql", "Service/~-postgresql-hl", "ServiceAccount/~-postgresql", "StatefulSet/~-postgresql"},
    ),
    "postgresql.auth.username": ("plain", "u", {"Secret/~-secret", "StatefulSet/~-postgresql"}),
    "postgresql.auth.database": ("plain", "d", {"Secret/~-secret", "StatefulSet/~-postgresql"}),
    "postgresql.auth.password": ("plain", "q", SECRET),
    "postgresql.auth.postgresPassword": ("plain", "q", SECRET),
    "postgresql.auth.replicationPassword": ("plain", "q", SECRET),
    "postgresql.primary.persistence.enabled": ("plain", False, PRIMARY),
    "postgresql.primary.persistence.size": ("plain", "9Gi", PRIMARY),
    "postgresql.readReplicas.replicaCount": (
        "replicated",
        2,
        {"PodDisruptionBudget/~-postgresql-read", "StatefulSet/~-postgresql-read"},
    ),
    "postgresql.readReplicas.persistence.enabled": ("replicated", False, READ),
    "postgresql.readReplicas.persistence.size": ("replicated", "9Gi", READ),
    "postgresql.serviceAccount.create": ("plain", False, {"ServiceAccount/~-postgresql", "StatefulSet/~-postgresql"}),
    "postgresql.serviceAccount.automountServiceAccountToken": (
        "plain",
        True,
        {"ServiceAccount/~-postgresql", "StatefulSet/~-postgresql"},
    ),
    "redis.architecture": ("plain", "standalone", {"Service/~-redis-replicas", "StatefulSet/~-redis-replicas"}),
    "redis.image.registry": ("plain", "changed", REDIS),
    "redis.image.repository": ("plain", "changed", REDIS),
    "redis.image.tag": ("plain", "changed", REDIS),
    "redis.commonLabels.app": (
        "plain",
        "x",
        {
            "ConfigMap/~-redis-configuration",
            "Service/~-redis-headless",
            "Service/~-redis-master",
            "Service/~-redis-replicas",
            "ServiceAccount/~-redis",
            "StatefulSet/~-redis-master",
            "StatefulSet/~-redis-replicas",
        },
    ),
    "redis.auth.enabled": (
        "plain",
        False,
        {"Secret/~-secret", "StatefulSet/~-redis-master", "StatefulSet/~-redis-replicas"},
    ),
    "redis.auth.password": ("plain", "q", SECRET),
    "redis.auth.existingSecretPasswordKey": ("kept", "other", REDIS),
    "redis.master.configuration": ("plain", "maxmemory 1mb", {"ConfigMap/~-redis-configuration", *MASTER}),
    "redis.master.persistence.enabled": ("plain", False, MASTER),
    "redis.master.persistence.size": ("plain", "9Gi", MASTER),
    "redis.master.serviceAccount.automountServiceAccountToken": ("plain", True, MASTER),
    "redis.replica.replicaCount": (
        "plain",
        2,
        {"PodDisruptionBudget/~-redis-replicas", "StatefulSet/~-redis-replicas"},
    ),
    "redis.replica.persistence.enabled": ("plain", False, REPLICAS),
    "redis.replica.persistence.size": ("plain", "9Gi", REPLICAS),
    "agent.port": ("plain", 8283, AGENT),
    "agent.command": ("plain", ["serve"], AGENT),
    "agent.args": ("plain", ["--port", "8000"], AGENT),
    "agent.workingDir": ("plain", "/srv", AGENT | JOB),
    "agent.urls.database": ("plain", [{"name": "PG_URI", "scheme": "postgresql+pg8000"}], AGENT | JOB | SECRET),
    "agent.urls.cache": ("plain", [{"name": "CACHE_URL"}], AGENT),
    "agent.metrics.path": ("scraped", "/prometheus", MONITOR),
    "agent.metrics.port": ("scraped", 9000, AGENT | SERVICE | POLICY | MONITOR),
    "migration.tool": ("plain", "none", {"ConfigMap/~-migration-scripts"} | AGENT | JOB | POLICY),
    "migration.command": ("command", ["migrate", "now"], AGENT | JOB),
    "migration.workingDir": ("plain", "/srv/db", AGENT | JOB),
    "migration.alembic.config": ("plain", "db/alembic.ini", AGENT | JOB),
    "migration.alembic.scriptLocation": ("plain", "p:m", {"ConfigMap/~-migration-scripts"} | AGENT | JOB),
    "migration.ledger": ("command", "ledger", AGENT | JOB),
    "migration.firstPodSeconds": ("itself", 60, AGENT),
    "migration.gate.image": ("plain", "example.org/python:1", AGENT),
    "connectionTest.image": ("plain", "example.org/python:1", TEST),
    "backup.schedule": ("to back up", "17 2 * * *", BACKUP | {"ConfigMap/~-backup"}),
    "backup.timeZone": ("backed", "Europe/Berlin", BACKUP),
    "backup.suspend": ("backed", True, BACKUP),
    "backup.claim": ("backed", "others", BACKUP),
    "backup.s3.bucket": ("bucketed", "others", BACKUP),
    "backup.s3.prefix": ("bucketed", "agents/one", BACKUP),
    "backup.s3.endpoint": ("bucketed", "https://store.example.org:9000", BACKUP),
    "backup.s3.region": ("bucketed", "eu-central-1", BACKUP),
    "backup.s3.pathStyle": ("bucketed", True, BACKUP),
    "backup.s3.caCertificates": ("bucketed", "-----BEGIN CERTIFICATE-----", BACKUP),
    "backup.s3.existingSecret": ("bucketed", "other-keys", BACKUP),
    "backup.s3.accessKey": ("bucketed", "user", BACKUP),
    "backup.s3.secretKey": ("bucketed", "word", BACKUP),
    "backup.workClaim": ("backed", "work", BACKUP),
    "backup.databaseSecret.name": ("read", "other", BACKUP),
    "backup.databaseSecret.key": ("read", "other", BACKUP),
    "backup.encryptionSecret.name": ("closed", "other", BACKUP),
    "backup.encryptionSecret.key": ("closed", "other", BACKUP),
    "backup.serverImage": ("backed", "example.org/postgresql:15", BACKUP),
    "backup.serverUser": ("backed", 70, BACKUP),
    "backup.keep.last": ("backed", 5, BACKUP),
    "backup.keep.daily": ("backed", 0, BACKUP),
    "backup.keep.weekly": ("backed", 0, BACKUP),
    "backup.keep.monthly": ("backed", 0, BACKUP),
    "backup.jobs": ("backed", 4, BACKUP),
    "backup.maxSeconds": ("backed", 60, BACKUP),
    "retention.schedule": ("plain", "30 3 * * 1-5", RETENTION | {"ConfigMap/~-retention"}),
    "retention.timeZone": ("retained", "Europe/Berlin", RETENTION),
    "retention.suspend": ("retained", True, RETENTION),
    "retention.days": ("retained", 7.5, RETENTION),
    "retention.tables": ("retained", [{"table": "threads", "key": "id", "time": "updated_at"}], RETENTION),
    "retention.batch": ("retained", 10, RETENTION),
    "retention.pauseMs": ("retained", 100, RETENTION),
    "retention.statementTimeout": ("retained", 0.5, RETENTION),
    "retention.maxSeconds": ("retained", 60, RETENTION),
    "retention.image": ("retained", "example.org/python:1", RETENTION),
    "ingress.enabled": ("ingress", False, INGRESS),
    "ingress.className": ("ingress", "nginx", INGRESS),
    "ingress.annotations": ("ingress", {"a": "b"}, INGRESS),
    "ingress.hosts": ("ingress", ["b.example.org"], INGRESS),
    "ingress.labels": ("ingress", {"a": "b"}, INGRESS),
    "ingress.path": ("ingress", "/agent", INGRESS),
    "ingress.pathType": ("ingress", "Exact", INGRESS),
    "ingress.tls": ("ingress", [{"secretName": "tls", "hosts": ["a.example.org"]}], INGRESS),
    "httpRoute.enabled": ("route", False, ROUTE),
    "httpRoute.annotations": ("route", {"a": "b"}, ROUTE),
    "httpRoute.labels": ("route", {"a": "b"}, ROUTE),
    "httpRoute.parentRefs": ("route", [{"name": "other"}], ROUTE),
    "httpRoute.hostnames": ("route", ["a.example.org"], ROUTE),
    "httpRoute.matches": ("route", [{"path": {"type": "Exact", "value": "/v1"}}], ROUTE),
    "httpRoute.filters": ("route", [{"type": "URLRewrite"}], ROUTE),
    "httpRoute.timeouts": ("route", {"request": "300s"}, ROUTE),
    "externalSecret.enabled": ("external secret", False, EXTERNAL_SECRET),
    "externalSecret.storeRef": ("external secret", {"name": "other"}, EXTERNAL_SECRET),
    "externalSecret.refreshInterval": ("external secret", "5m", EXTERNAL_SECRET),
    "externalSecret.data": (
        "external secret",
        [{"secretKey": "password", "remoteRef": {"key": "agent"}}],
        EXTERNAL_SECRET,
    ),
    "externalSecret.dataFrom": ("external secret", [{"extract": {"key": "other"}}], EXTERNAL_SECRET),
    "externalSecret.templateData": ("external secret", {"redis-url": "{{ .cache }}"}, EXTERNAL_SECRET),
    "extraObjects": (
        "plain",
        [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "more"}}],
        {"ConfigMap/more"},
    ),
    "redis.replica.serviceAccount.automountServiceAccountToken": ("plain", True, REPLICAS),
    "redis.serviceAccount.create": (
        "plain",
        False,
        {"ServiceAccount/~-redis", "StatefulSet/~-redis-master", "StatefulSet/~-redis-replicas"},
    ),
    "redis.serviceAccount.automountServiceAccountToken": ("plain", True, {"ServiceAccount/~-redis"}),
    "postgresql.enabled": (
        "kept",
        False,
        {
            "NetworkPolicy/~-db-clients",
            "NetworkPolicy/~-postgresql-server",
            "Service/~-postgresql",
            "Service/~-postgresql-hl",
            "ServiceAccount/~-postgresql",
            "StatefulSet/~-postgresql",
        },
    ),
    "redis.enabled": (
        "kept",
        False,
        {
            "ConfigMap/~-redis-configuration",
            "NetworkPolicy/~-db-clients",
            "NetworkPolicy/~-redis-server",
            "Service/~-redis-headless",
            "Service/~-redis-master",
            "Service/~-redis-replicas",
            "ServiceAccount/~-redis",
            "StatefulSet/~-redis-master",
            "StatefulSet/~-redis-replicas",
        },
    ),
}
RESOURCES = {
    "agent": ("plain", AGENT),
    "migration": ("plain", JOB),
    "migration.gate": ("plain", AGENT),
    "connectionTest": ("plain", TEST),
    "retention": ("retained", RETENTION),
    "backup": ("backed", BACKUP),
    "postgresql.primary": ("plain", PRIMARY),
    "postgresql.readReplicas": ("replicated", READ),
    "redis.master": ("plain", MASTER),
    "redis.replica": ("plain", REPLICAS),
}
KEYS |= {
    f"{part}.resources.{kind}.{name}": (context, value, changed)
    for part, (context, changed) in RESOURCES.items()
    for kind, cpu, bytes_ in (("requests", "9m", "9Mi"), ("limits", "9", "9Gi"))
    for name, value in (("cpu", cpu), ("memory", bytes_), ("ephemeral-storage", bytes_))
}
# Redis is told to evict at a share of its limit.
KEYS["redis.master.resources.limits.memory"] = ("plain", "9Gi", {"ConfigMap/~-redis-configuration", *MASTER})
# Keys that do nothing, or nothing good, without a cluster or without each other: changed in the tests at the end.
HOOK: dict[str, tuple[t.Any, set[str]]] = {
    "migration.hook": (
        False,
        {
            "ConfigMap/~-pre-upgrade",
            "Job/~",
            "Job/~-pre-upgrade-migration",
            "NetworkPolicy/~-pre-upgrade",
            "Secret/~-pre-upgrade",
        },
    ),
    "migration.timeout": (200, {"Job/~-pre-upgrade-migration"}),
    "migration.startTimeout": (30, {"Job/~-pre-upgrade-migration"}),
    "migration.databaseTimeout": (30, {"Job/~-pre-upgrade-migration"}),
}
SECRETS = {"existingSecret", "postgresql.auth.existingSecret", "redis.auth.existingSecret"}


def leaves(values: Object, path: str = "") -> Iterator[str]:
    """Yield the path of every value that is not a map with something in it."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}"


def nested(path: str, value: t.Any) -> Object:
    """Return the map that sets one path."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return t.cast("Object", value)


def by_name(made: t.Iterable[Object]) -> dict[str, Object]:
    """Return objects by kind and name, a migration's without its hash."""
    return {f"{item['kind']}/{item['metadata']['name'].partition('-db-migrate-')[0]}": item for item in made}


def test_every_key_is_changed_here() -> None:
    values = yaml.safe_load((ROOT / "chart" / "values.yaml").read_text())
    assert set(leaves(values)) == KEYS.keys() | HOOK.keys() | SECRETS


@pytest.fixture(scope="module")
def objects(render: Render) -> t.Callable[..., dict[str, Object]]:
    """Render values on top of a context."""

    def call(context: str, *values: Object) -> dict[str, Object]:
        given = [] if "existingSecret" in CONTEXTS[context] else [PASSWORDS]
        return by_name(render(*given, CONTEXTS[context], *values))

    return call


@pytest.fixture(scope="module")
def before(objects: t.Callable[..., dict[str, Object]]) -> t.Callable[[str], dict[str, Object]]:
    """Return what a context alone renders."""
    return functools.cache(objects)


@pytest.mark.parametrize("key", KEYS)
def test_key(
    objects: t.Callable[..., dict[str, Object]], before: t.Callable[[str], dict[str, Object]], key: str
) -> None:
    context, value, expected = KEYS[key]
    old, new = before(context), objects(context, nested(key, value))
    changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    assert {name.replace(RELEASE, "~") for name in changed} == expected


@pytest.mark.parametrize("key", HOOK)
def test_key_of_the_hook(render: Render, cluster: Cluster, key: str) -> None:
    value, expected = HOOK[key]
    cluster.add(live_secret(dict.fromkeys(SECRET_KEYS, "same")))
    cluster.add(SERVING)
    given: Object = {"rotationId": "r1"}
    old, new = (by_name(render(given, more, cluster=cluster)) for more in ({}, nested(key, value)))
    changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    assert {name.replace(RELEASE, "~") for name in changed} == expected


def test_secret_is_named_in_three_places(render: Render) -> None:
    for name in ("one", "two"):
        made: Object = {}
        for key in SECRETS:
            part, _, _ = key.rpartition(".")
            made |= nested(key, name) if not part else {part.split(".")[0]: {"auth": {"existingSecret": name}}}
        assert secrets_read(render(made)) == {name}
