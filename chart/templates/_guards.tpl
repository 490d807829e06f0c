{{/* Mistakes that the schema of the values cannot see. Each stops the rendering with one sentence that says what to change. */}}
{{- define "ai-agent.guards" -}}
{{- include "ai-agent.guards.serviceNames" . -}}
{{- include "ai-agent.guards.servers" . -}}
{{- include "ai-agent.guards.architecture" . -}}
{{- include "ai-agent.guards.identity" . -}}
{{- include "ai-agent.guards.secret" . -}}
{{- include "ai-agent.guards.keys" . -}}
{{- include "ai-agent.guards.subcharts" . -}}
{{- include "ai-agent.guards.claims" . -}}
{{- include "ai-agent.guards.backup" . -}}
{{- include "ai-agent.guards.reservedNames" . -}}
{{- include "ai-agent.guards.process" . -}}
{{- include "ai-agent.guards.urlVariables" . -}}
{{- include "ai-agent.guards.migrationTool" . -}}
{{- include "ai-agent.guards.doors" . -}}
{{- include "ai-agent.guards.timing" . -}}
{{- include "ai-agent.guards.scaling" . -}}
{{- include "ai-agent.guards.resources" . -}}
{{- include "ai-agent.guards.labels" . -}}
{{- include "ai-agent.guards.duplicates" . -}}
{{- include "ai-agent.guards.pods" . -}}
{{- include "ai-agent.guards.network" . -}}
{{- end -}}

{{/* A claim of the user's own is one server's: two in one data directory destroy it where the file system knows no locks. */}}
{{- define "ai-agent.guards.claims" -}}
{{- $seen := dict -}}
{{- range $server := list (list "postgresql" "primary" "") (list "postgresql" "readReplicas" "replication") (list "redis" "master" "") (list "redis" "replica" "replication") -}}
{{- $values := index $.Values (first $server) -}}
{{- $kind := index $server 1 -}}
{{- $path := printf "%s.%s" (first $server) $kind -}}
{{- $claim := dig $kind "persistence" "existingClaim" "" $values -}}
{{- $used := and $values.enabled $claim (dig $kind "persistence" "enabled" true $values) -}}
{{- if and $used (or (not (last $server)) (eq (toString $values.architecture) (last $server))) -}}
{{- if hasKey $seen $claim -}}
{{- fail (printf "%s.persistence.existingClaim is %s, which %s uses as well: give each server a claim of its own." $path $claim (get $seen $claim)) -}}
{{- end -}}
{{- if and (last $server) (gt (int (dig $kind "replicaCount" 1 $values)) 1) -}}
{{- fail (printf "%s.persistence.existingClaim is one claim for %d pods: leave it empty, so that each gets its own, or set %s.replicaCount to 1." $path (int (dig $kind "replicaCount" 1 $values)) $path) -}}
{{- end -}}
{{- $_ := set $seen $claim $path -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Where the database and the cache are must be said once. An agent may have no cache, never no database. */}}
{{- define "ai-agent.guards.servers" -}}
{{- range $chart, $external := dict "postgresql" "externalDatabase" "redis" "externalCache" -}}
{{- $host := (index $.Values $external).host -}}
{{- if and (index $.Values $chart).enabled $host -}}
{{- fail (printf "%s.host is set, but %s.enabled is true: set %s.enabled to false to use your own server." $external $chart $chart) -}}
{{- end -}}
{{- if not (or (index $.Values $chart).enabled $host $.Values.existingSecret (eq $chart "redis")) -}}
{{- fail (printf "%s.enabled is false, so the chart must know your own server: set %s.host, or name a Secret that holds its URL in existingSecret." $chart $external) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A primary with replicas is another StatefulSet, with another volume, than a single server: its database would be empty. */}}
{{- define "ai-agent.guards.architecture" -}}
{{- $postgresql := .Values.postgresql -}}
{{- if and .Release.IsUpgrade $postgresql.enabled -}}
{{- $other := ternary "standalone" "replication" (eq $postgresql.architecture "replication") -}}
{{- $name := include "ai-agent.subchartFullname" (dict "root" . "chart" "postgresql") -}}
{{- if eq $other "replication" -}}
{{- $name = include "ai-agent.subchartObjectName" (dict "root" . "chart" "postgresql" "suffix" (dig "primary" "name" "primary" $postgresql)) -}}
{{- end -}}
{{- if and (lookup "apps/v1" "StatefulSet" .Release.Namespace $name) (not (lookup "apps/v1" "StatefulSet" .Release.Namespace (include "ai-agent.postgresql.host" .))) -}}
{{- fail (printf "postgresql.architecture is %s, but the database of this release is %s, in the StatefulSet %s: the other one would begin empty. Set it back (values-dev.yaml and values-staging.yaml are standalone, values-prod.yaml is replication), or install another release." $postgresql.architecture $other $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
The keys of the Secret from which a server of this release takes its passwords, and below `auth` the value that names each, as JSON.
Argument: dict "root" the root context, "chart" postgresql or redis.
*/}}
{{- define "ai-agent.serverKeys" -}}
{{- $auth := (index .root.Values .chart).auth -}}
{{- $keys := dict -}}
{{- if eq .chart "postgresql" -}}
{{- $_ := set $keys "postgres-password" "secretKeys.adminPasswordKey" -}}
{{- $_ := set $keys "password" "secretKeys.userPasswordKey" -}}
{{- if eq .root.Values.postgresql.architecture "replication" -}}
{{- $_ := set $keys "replication-password" "secretKeys.replicationPasswordKey" -}}
{{- end -}}
{{- else if $auth.enabled -}}
{{- $_ := set $keys "redis-password" "existingSecretPasswordKey" -}}
{{- end -}}
{{- $keys | toJson -}}
{{- end -}}

{{/* PostgreSQL and Redis must read the Secret from which the agent's URLs come, and a password must have one source. */}}
{{- define "ai-agent.guards.secret" -}}
{{- $root := . -}}
{{- range $chart := list "postgresql" "redis" -}}
{{- $values := index $root.Values $chart -}}
{{- if $values.enabled -}}
{{- $global := ternary (dig "postgresql" "auth" "existingSecret" "" (default dict $root.Values.global)) "" (eq $chart "postgresql") -}}
{{- $named := tpl (default (default "" $values.auth.existingSecret) $global) $root -}}
{{- range $key, $path := include "ai-agent.serverKeys" (dict "root" $root "chart" $chart) | fromJson -}}
{{- $place := include "ai-agent.secretKey" (dict "root" $root "key" $key) | fromJson -}}
{{- $reader := ternary (printf "existingSecretKeys.%s names" $key) "the agent reads" $place.mapped -}}
{{- if ne $named $place.secret -}}
{{- fail (printf "%s.auth.existingSecret names %q but %s %q: set %s.auth.existingSecret to %q." $chart $named $reader $place.secret $chart $place.secret) -}}
{{- end -}}
{{- $own := default $key (dig (last (splitList "." $path)) (dig "secretKeys" (last (splitList "." $path)) "" $values.auth) $values.auth) -}}
{{- if and $place.mapped (ne $own $place.key) -}}
{{- fail (printf "%s.auth.%s is %q but existingSecretKeys.%s names the key %q: set %s.auth.%s to %q." $chart $path $own $key $place.key $chart $path $place.key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.existingSecretKeys (not .Values.existingSecret) -}}
{{- fail "existingSecretKeys is set, but existingSecret is empty: the chart's own Secret has its own keys; name the Secret that holds the others in existingSecret, or remove existingSecretKeys." -}}
{{- end -}}
{{- if .Values.existingSecret -}}
{{- $auth := .Values.postgresql.auth -}}
{{- $global := default dict .Values.global -}}
{{- $passwords := dict
  "postgresql.auth.password" $auth.password
  "postgresql.auth.postgresPassword" $auth.postgresPassword
  "postgresql.auth.replicationPassword" $auth.replicationPassword
  "redis.auth.password" .Values.redis.auth.password
  "global.postgresql.auth.password" (dig "postgresql" "auth" "password" "" $global)
  "global.postgresql.auth.postgresPassword" (dig "postgresql" "auth" "postgresPassword" "" $global)
  "global.redis.password" (dig "redis" "password" "" $global)
  "externalDatabase.password" .Values.externalDatabase.password
  "externalCache.password" .Values.externalCache.password
-}}
{{- range $path, $password := $passwords -}}
{{- if include "ai-agent.givenPassword" (list $password) -}}
{{- fail (printf "%s and existingSecret are both set: remove the password (or set it to \"unused\", which satisfies the upgrade check of Bitnami's chart)." $path) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A server that does not find its password in the Secret stays in CreateContainerConfigError. */}}
{{- define "ai-agent.guards.keys" -}}
{{- $keys := dict
  "postgresql.auth.secretKeys.adminPasswordKey" (list "postgres-password" (dig "secretKeys" "adminPasswordKey" "" .Values.postgresql.auth))
  "postgresql.auth.secretKeys.userPasswordKey" (list "password" (dig "secretKeys" "userPasswordKey" "" .Values.postgresql.auth))
  "postgresql.auth.secretKeys.replicationPasswordKey" (list "replication-password" (dig "secretKeys" "replicationPasswordKey" "" .Values.postgresql.auth))
  "redis.auth.existingSecretPasswordKey" (list "redis-password" .Values.redis.auth.existingSecretPasswordKey)
-}}
{{- if not .Values.existingSecret -}}
{{- range $path, $names := $keys -}}
{{- if not (has (last $names) (list "" (first $names))) -}}
{{- fail (printf "%s is %q, but the chart's own Secret has the key %s: remove it, or name a Secret of your own in existingSecret." $path (last $names) (first $names)) -}}
{{- end -}}
{{- end -}}
{{- else if and .Values.postgresql.enabled (eq .Values.postgresql.architecture "replication") -}}
{{- $key := default "replication-password" (last (index $keys "postgresql.auth.secretKeys.replicationPasswordKey")) -}}
{{- $secret := (include "ai-agent.secretKey" (dict "root" . "key" "replication-password") | fromJson).secret -}}
{{- $live := lookup "v1" "Secret" .Release.Namespace $secret -}}
{{- if and $live (not (hasKey (default dict $live.data) $key)) -}}
{{- fail (printf "postgresql.architecture is replication, but the Secret %s has no key %s: add the password of the read replicas to it." $secret $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What this chart cannot work with, and names that Kubernetes would refuse later. */}}
{{- define "ai-agent.guards.subcharts" -}}
{{- if and .Values.redis.enabled (dig "sentinel" "enabled" false .Values.redis) -}}
{{- fail "redis.sentinel.enabled is not supported, because the agent's redis-url names one master: set it to false." -}}
{{- end -}}
{{- if and .Values.redis.enabled (dig "pdb" "create" false .Values.redis) -}}
{{- fail "redis.pdb.create is true, but Kubernetes evicts no pod that has two PodDisruptionBudgets: set it to false and use replicaPodDisruptionBudget." -}}
{{- end -}}
{{- if and .Values.postgresql.enabled (gt (len (include "ai-agent.postgresql.host" .)) 52) -}}
{{- fail (printf "The StatefulSet %s has a name of more than 52 characters, for which Kubernetes cannot create pods: choose a shorter release name." (include "ai-agent.postgresql.host" .)) -}}
{{- end -}}
{{- $redis := include "ai-agent.redis.host" . -}}
{{- if gt (int (include "ai-agent.redis.replicas" .)) 0 -}}
{{- $redis = include "ai-agent.subchartObjectName" (dict "root" . "chart" "redis" "suffix" "replicas") -}}
{{- end -}}
{{- if and .Values.redis.enabled (gt (len $redis) 52) -}}
{{- fail (printf "The StatefulSet %s has a name of more than 52 characters, for which Kubernetes cannot create pods: choose a shorter release name." $redis) -}}
{{- end -}}
{{- end -}}

{{- define "ai-agent.guards.timing" -}}
{{- $agent := .Values.agent -}}
{{- $leave := add $agent.preStopSeconds $agent.drainSeconds -}}
{{- if le (int $agent.terminationGracePeriodSeconds) (int $leave) -}}
{{- fail (printf "agent.terminationGracePeriodSeconds (%d) cuts running requests off: set it above preStopSeconds + drainSeconds (%d)." (int $agent.terminationGracePeriodSeconds) (int $leave)) -}}
{{- end -}}
{{- if le (int .Values.migration.timeout) (int .Values.migration.databaseTimeout) -}}
{{- fail (printf "migration.databaseTimeout (%d) leaves no time to migrate: set it below migration.timeout (%d)." (int .Values.migration.databaseTimeout) (int .Values.migration.timeout)) -}}
{{- end -}}
{{- end -}}

{{/* An autoscaler with nothing to do, and a PodDisruptionBudget that blocks every drain. */}}
{{- define "ai-agent.guards.scaling" -}}
{{- with .Values.agent.autoscaling -}}
{{- if .enabled -}}
{{- if gt (int .minReplicas) (int .maxReplicas) -}}
{{- fail (printf "agent.autoscaling.minReplicas (%d) is above agent.autoscaling.maxReplicas (%d): lower it." (int .minReplicas) (int .maxReplicas)) -}}
{{- end -}}
{{- $more := ternary .keda.triggers .metrics .keda.enabled -}}
{{- if not (or .targetCPUUtilizationPercentage .targetMemoryUtilizationPercentage $more) -}}
{{- $key := ternary "keda.triggers" "metrics" .keda.enabled -}}
{{- fail (printf "agent.autoscaling.enabled is true, but there is nothing to scale by: set agent.autoscaling.targetCPUUtilizationPercentage, targetMemoryUtilizationPercentage or %s." $key) -}}
{{- end -}}
{{- end -}}
{{- if and .keda.enabled (not .enabled) -}}
{{- fail "agent.autoscaling.keda.enabled is true, but agent.autoscaling.enabled is false: turn it on too, or KEDA off." -}}
{{- end -}}
{{- if and .keda.enabled .metrics -}}
{{- fail "agent.autoscaling.metrics are a HorizontalPodAutoscaler's, and agent.autoscaling.keda.enabled is true: write them as keda.triggers." -}}
{{- end -}}
{{- if .keda.enabled -}}
{{- /* KEDA's webhook refuses a Deployment that another autoscaler scales, and Helm removes that only at the end: when the migration has run. */ -}}
{{- range (lookup "autoscaling/v2" "HorizontalPodAutoscaler" $.Release.Namespace "").items -}}
{{- if and (include "ai-agent.scalesAgent" (list $ .)) (ne .metadata.name (include "ai-agent.kedasAutoscaler" $)) -}}
{{- fail (printf "agent.autoscaling.keda.enabled is true, but the HorizontalPodAutoscaler %s scales the agent, and KEDA refuses a second one: deploy once with agent.autoscaling.enabled false, or delete it." .metadata.name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $budget := .Values.agent.podDisruptionBudget -}}
{{- $pods := int (include "ai-agent.fewestReplicas" .) -}}
{{- if include "ai-agent.podDisruptionBudget" . -}}
{{- $least := toString $budget.minAvailable -}}
{{- $stay := int $least -}}
{{- if hasSuffix "%" $least -}}
{{- /* Kubernetes rounds up. */ -}}
{{- $stay = int (div (add (mul (int (trimSuffix "%" $least)) $pods) 99) 100) -}}
{{- end -}}
{{- if and (ne $least "") (ge $stay $pods) -}}
{{- fail (printf "agent.podDisruptionBudget.minAvailable (%s) keeps all %d agent pods, which blocks every drain of a node: lower it, or use maxUnavailable." $least $pods) -}}
{{- end -}}
{{- if and (eq $least "") (has (toString $budget.maxUnavailable) (list "0" "0%")) -}}
{{- fail "agent.podDisruptionBudget.maxUnavailable is 0, which blocks every drain of a node: set it to 1 or more." -}}
{{- end -}}
{{- end -}}
{{- if has (toString .Values.replicaPodDisruptionBudget.maxUnavailable) (list "0" "0%") -}}
{{- fail "replicaPodDisruptionBudget.maxUnavailable is 0, which blocks every drain of a node: set it to 1 or more." -}}
{{- end -}}
{{- end -}}

{{/* A request above its limit: the API server refuses the pods, when the migration has run and the old version does not know its schema. */}}
{{- define "ai-agent.guards.resources" -}}
{{- $places := list "agent" "migration" "migration.gate" "connectionTest" -}}
{{- $places = concat $places (ternary (list "postgresql.primary" "postgresql.readReplicas") list .Values.postgresql.enabled) -}}
{{- $places = concat $places (ternary (list "redis.master" "redis.replica") list .Values.redis.enabled) -}}
{{- range $place := $places -}}
{{- $values := $.Values -}}
{{- range splitList "." $place -}}
{{- $values = get $values . | default dict -}}
{{- end -}}
{{- $resources := $values.resources | default dict -}}
{{- range $name, $limit := $resources.limits | default dict -}}
{{- $request := get ($resources.requests | default dict) $name -}}
{{- if and (ne (toString $request) "") (not (kindIs "invalid" $limit)) -}}
{{- if gt (include "ai-agent.number" $request | float64) (include "ai-agent.number" $limit | float64) -}}
{{- /* As JSON, for %v prints a large number as 6.7e+07. */ -}}
{{- $request = toJson $request | trimAll "\"" -}}
{{- $limit = toJson $limit | trimAll "\"" -}}
{{- fail (printf "%s.resources.requests.%s is %s, more than limits.%s, %s: lower it, or raise the limit." $place $name $request $name $limit) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A policy knows addresses, not names: without them a closed release could not reach servers outside. */}}
{{- define "ai-agent.guards.network" -}}
{{- $policy := .Values.networkPolicy -}}
{{- if $policy.enabled -}}
{{- if and .Values.serviceMonitor.enabled (not $policy.scrapers) -}}
{{- fail "serviceMonitor.enabled is true, but networkPolicy.scrapers does not say from where Prometheus reads: list its peers ({namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}), or set networkPolicy.enabled to false." -}}
{{- end -}}
{{- $outside := dict -}}
{{- if .Values.agent.llm.baseUrl -}}
{{- $_ := set $outside "model" (list "agent.llm.baseUrl is set" (include "ai-agent.endpoint" .Values.agent.llm.baseUrl | fromJson).host) -}}
{{- end -}}
{{- if .Values.agent.tracing.endpoint -}}
{{- $_ := set $outside "tracing" (list "agent.tracing.endpoint is set" (include "ai-agent.endpoint" .Values.agent.tracing.endpoint | fromJson).host) -}}
{{- end -}}
{{- if not .Values.postgresql.enabled -}}
{{- $_ := set $outside "database" (list "postgresql.enabled is false" .Values.externalDatabase.host) -}}
{{- end -}}
{{- if and (include "ai-agent.cache" .) (not .Values.redis.enabled) -}}
{{- $_ := set $outside "cache" (list "redis.enabled is false" .Values.externalCache.host) -}}
{{- end -}}
{{- range $name, $server := $outside -}}
{{- if not (include "platform.peers" (dict "to" (index $policy $name).to "host" (last $server))) -}}
{{- fail (printf "%s, but networkPolicy.%s.to does not say at which addresses: list them ({ipBlock: {cidr: 0.0.0.0/0}} means any), or set networkPolicy.enabled to false." (first $server) $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Names that PostgreSQL keeps for itself: its first start would fail for ever. */}}
{{- define "ai-agent.guards.reservedNames" -}}
{{- $auth := dig "auth" dict (default dict .Values.postgresql) | default dict -}}
{{- $user := toString (default "" $auth.username) -}}
{{- if or (hasPrefix "pg_" $user) (has $user (list "public" "none")) -}}
{{- fail (printf "postgresql.auth.username is %s, which PostgreSQL keeps for itself: choose another name." $user) -}}
{{- end -}}
{{- $database := toString (default "" $auth.database) -}}
{{- if has $database (list "template0" "template1") -}}
{{- fail (printf "postgresql.auth.database is %s, which every PostgreSQL has for itself: choose another name." $database) -}}
{{- end -}}
{{- /* Its password would become the other role's, or none of the two would be made. */ -}}
{{- $replication := toString (default "" $auth.replicationUsername) -}}
{{- if and (eq (toString .Values.postgresql.architecture) "replication") (or (hasPrefix "pg_" $replication) (has $replication (list "postgres" "public" "none" $user))) -}}
{{- fail (printf "postgresql.auth.replicationUsername is %s, which is the name of another role: choose another name." $replication) -}}
{{- end -}}
{{- end -}}

{{/* An Ingress or HTTPRoute without hosts or gateway; an ExternalSecret without name, store or keys. */}}
{{- define "ai-agent.guards.doors" -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
{{- fail "ingress.enabled is true, but ingress.hosts is empty: name the hosts." -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- fail "httpRoute.enabled is true, but httpRoute.parentRefs is empty: name the gateway." -}}
{{- end -}}
{{- with .Values.externalSecret -}}
{{- if .enabled -}}
{{- if not $.Values.existingSecret -}}
{{- fail "externalSecret.enabled is true, but existingSecret is empty: name the Secret that it makes." -}}
{{- end -}}
{{- if not .storeRef.name -}}
{{- fail "externalSecret.enabled is true, but externalSecret.storeRef.name is empty: name the store." -}}
{{- end -}}
{{- if not (or .data .dataFrom) -}}
{{- fail "externalSecret.enabled is true, but externalSecret.data and externalSecret.dataFrom are empty: say where the keys are." -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
