{{/*
The name that a subchart gives its objects, by the rule that it uses itself.
Argument: dict "root" the root context, "chart" postgresql or redis.
*/}}
{{- define "ai-agent.subchartFullname" -}}
{{- include "platform.fullnameOf" (dict "release" .root.Release.Name "chart" .chart "values" (index .root.Values .chart)) -}}
{{- end -}}

{{/* The same with a suffix, as the subchart names its further objects. Argument: dict "root", "chart", "suffix". */}}
{{- define "ai-agent.subchartObjectName" -}}
{{- include "platform.shortName" (printf "%s-%s" (include "ai-agent.subchartFullname" .) .suffix) -}}
{{- end -}}

{{/* Labels that select the pods of a subchart. Argument: dict "root", "chart". */}}
{{- define "ai-agent.subchartLabels" -}}
app.kubernetes.io/name: {{ include "platform.shortName" (default .chart (index .root.Values .chart).nameOverride) | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
{{- end -}}

{{- define "ai-agent.postgresql.host" -}}
{{- if not .Values.postgresql.enabled -}}
{{- .Values.externalDatabase.host -}}
{{- else if eq .Values.postgresql.architecture "replication" -}}
{{- include "ai-agent.subchartObjectName" (dict "root" . "chart" "postgresql" "suffix" (dig "primary" "name" "primary" .Values.postgresql)) -}}
{{- else -}}
{{- include "ai-agent.subchartFullname" (dict "root" . "chart" "postgresql") -}}
{{- end -}}
{{- end -}}

{{- define "ai-agent.postgresql.port" -}}
{{- if .Values.postgresql.enabled -}}
{{- $global := dig "postgresql" "service" "ports" "postgresql" "" (default dict .Values.global) -}}
{{- default (dig "primary" "service" "ports" "postgresql" 5432 .Values.postgresql) $global -}}
{{- else -}}
{{- .Values.externalDatabase.port -}}
{{- end -}}
{{- end -}}

{{/* Number of read replicas. */}}
{{- define "ai-agent.postgresql.replicas" -}}
{{- if and .Values.postgresql.enabled (eq .Values.postgresql.architecture "replication") -}}
{{- dig "readReplicas" "replicaCount" 0 .Values.postgresql -}}
{{- else -}}
0
{{- end -}}
{{- end -}}

{{/* An empty user name or database means what PostgreSQL itself starts with. */}}
{{- define "ai-agent.postgresql.username" -}}
{{- if .Values.postgresql.enabled -}}
{{- $global := dig "postgresql" "auth" "username" "" (default dict .Values.global) -}}
{{- coalesce $global .Values.postgresql.auth.username "postgres" -}}
{{- else -}}
{{- .Values.externalDatabase.username -}}
{{- end -}}
{{- end -}}

{{- define "ai-agent.postgresql.database" -}}
{{- if .Values.postgresql.enabled -}}
{{- $global := dig "postgresql" "auth" "database" "" (default dict .Values.global) -}}
{{- coalesce $global .Values.postgresql.auth.database "postgres" -}}
{{- else -}}
{{- .Values.externalDatabase.database -}}
{{- end -}}
{{- end -}}

{{- define "ai-agent.redis.host" -}}
{{- if .Values.redis.enabled -}}
{{- printf "%s-master" (include "ai-agent.subchartFullname" (dict "root" . "chart" "redis")) -}}
{{- else -}}
{{- .Values.externalCache.host -}}
{{- end -}}
{{- end -}}

{{- define "ai-agent.redis.port" -}}
{{- if .Values.redis.enabled -}}
{{- dig "master" "service" "ports" "redis" 6379 .Values.redis -}}
{{- else -}}
{{- .Values.externalCache.port -}}
{{- end -}}
{{- end -}}

{{/* Number of replicas. */}}
{{- define "ai-agent.redis.replicas" -}}
{{- if and .Values.redis.enabled (eq .Values.redis.architecture "replication") -}}
{{- dig "replica" "replicaCount" 0 .Values.redis -}}
{{- else -}}
0
{{- end -}}
{{- end -}}

{{/* Percent-encoding (RFC 3986) of one part of a URL. urlquery writes a space as "+", which only forms decode; a "+" itself it has encoded before. */}}
{{- define "ai-agent.percentEncode" -}}
{{- . | urlquery | replace "+" "%20" -}}
{{- end -}}

{{/* A host as a URL has it: an address of IPv6 in brackets (RFC 3986, 3.2.2). */}}
{{- define "ai-agent.urlHost" -}}
{{- ternary (printf "[%s]" .) . (contains ":" .) -}}
{{- end -}}

{{/* Argument: dict "root" the root context, "password" the password of the user. */}}
{{- define "ai-agent.postgresql.url" -}}
{{- $user := include "ai-agent.percentEncode" (include "ai-agent.postgresql.username" .root) -}}
{{- $password := include "ai-agent.percentEncode" .password -}}
{{- $database := include "ai-agent.percentEncode" (include "ai-agent.postgresql.database" .root) -}}
{{- $parameters := ternary "" .root.Values.externalDatabase.parameters .root.Values.postgresql.enabled -}}
{{- with $parameters }}{{ $parameters = printf "?%s" . }}{{ end -}}
{{- printf "postgresql://%s:%s@%s:%s/%s%s" $user $password (include "ai-agent.urlHost" (include "ai-agent.postgresql.host" .root)) (include "ai-agent.postgresql.port" .root) $database $parameters -}}
{{- end -}}

{{/* Argument: dict "root" the root context, "password" the password, empty for none. */}}
{{- define "ai-agent.redis.url" -}}
{{- $external := .root.Values.externalCache -}}
{{- $scheme := "redis" -}}
{{- $user := "" -}}
{{- $database := 0 -}}
{{- if not .root.Values.redis.enabled -}}
{{- $scheme = ternary "rediss" "redis" $external.tls -}}
{{- $user = include "ai-agent.percentEncode" $external.username -}}
{{- $database = $external.database -}}
{{- end -}}
{{- $login := "" -}}
{{- if .password -}}
{{- $login = printf "%s:%s@" $user (include "ai-agent.percentEncode" .password) -}}
{{- end -}}
{{- printf "%s://%s%s:%s/%d" $scheme $login (include "ai-agent.urlHost" (include "ai-agent.redis.host" .root)) (include "ai-agent.redis.port" .root) (int $database) -}}
{{- end -}}
