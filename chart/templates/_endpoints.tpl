{{/*
The name that a subchart gives its objects, by the rule that it uses itself.
Argument: dict "root" the root context, "chart" postgresql or redis.
*/}}
{{- define "ai-agent.subchartFullname" -}}
{{- $values := index .root.Values .chart -}}
{{- if $values.fullnameOverride -}}
{{- $values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .chart $values.nameOverride -}}
{{- if contains $name .root.Release.Name -}}
{{- .root.Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .root.Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "ai-agent.postgresql.host" -}}
{{- $fullname := include "ai-agent.subchartFullname" (dict "root" . "chart" "postgresql") -}}
{{- if eq .Values.postgresql.architecture "replication" -}}
{{- printf "%s-%s" $fullname (dig "primary" "name" "primary" .Values.postgresql) | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $fullname -}}
{{- end -}}
{{- end -}}

{{- define "ai-agent.postgresql.port" -}}
{{- $global := dig "postgresql" "service" "ports" "postgresql" "" (default dict .Values.global) -}}
{{- default (dig "primary" "service" "ports" "postgresql" 5432 .Values.postgresql) $global -}}
{{- end -}}

{{/* An empty user name or database means what PostgreSQL itself starts with. */}}
{{- define "ai-agent.postgresql.username" -}}
{{- $global := dig "postgresql" "auth" "username" "" (default dict .Values.global) -}}
{{- coalesce $global .Values.postgresql.auth.username "postgres" -}}
{{- end -}}

{{- define "ai-agent.postgresql.database" -}}
{{- $global := dig "postgresql" "auth" "database" "" (default dict .Values.global) -}}
{{- coalesce $global .Values.postgresql.auth.database "postgres" -}}
{{- end -}}

{{- define "ai-agent.redis.host" -}}
{{- printf "%s-master" (include "ai-agent.subchartFullname" (dict "root" . "chart" "redis")) -}}
{{- end -}}

{{- define "ai-agent.redis.port" -}}
{{- dig "master" "service" "ports" "redis" 6379 .Values.redis -}}
{{- end -}}

{{/* Percent-encoding (RFC 3986) of one part of a URL. urlquery writes a space as "+", which only forms decode; a "+" itself it has encoded before. */}}
{{- define "ai-agent.percentEncode" -}}
{{- . | urlquery | replace "+" "%20" -}}
{{- end -}}

{{/* Argument: dict "root" the root context, "password" the password of the user. */}}
{{- define "ai-agent.postgresql.url" -}}
{{- $user := include "ai-agent.percentEncode" (include "ai-agent.postgresql.username" .root) -}}
{{- $password := include "ai-agent.percentEncode" .password -}}
{{- $database := include "ai-agent.percentEncode" (include "ai-agent.postgresql.database" .root) -}}
{{- printf "postgresql://%s:%s@%s:%s/%s" $user $password (include "ai-agent.postgresql.host" .root) (include "ai-agent.postgresql.port" .root) $database -}}
{{- end -}}

{{/* Argument: dict "root" the root context, "password" the password, empty for none. */}}
{{- define "ai-agent.redis.url" -}}
{{- $login := "" -}}
{{- if .password -}}
{{- $login = printf ":%s@" (include "ai-agent.percentEncode" .password) -}}
{{- end -}}
{{- printf "redis://%s%s:%s/0" $login (include "ai-agent.redis.host" .root) (include "ai-agent.redis.port" .root) -}}
{{- end -}}
