{{/* Mistakes that the schema of the values cannot see. Each stops the rendering with one sentence that says what to change. */}}
{{- define "ai-agent.guards" -}}
{{- include "ai-agent.guards.secret" . -}}
{{- include "ai-agent.guards.subcharts" . -}}
{{- include "ai-agent.guards.timing" . -}}
{{- end -}}

{{/* The agent, PostgreSQL and Redis must read the same Secret. */}}
{{- define "ai-agent.guards.secret" -}}
{{- $root := . -}}
{{- $secret := include "ai-agent.secretName" . -}}
{{- range $chart := list "postgresql" "redis" -}}
{{- $values := index $root.Values $chart -}}
{{- if $values.enabled -}}
{{- $global := ternary (dig "postgresql" "auth" "existingSecret" "" (default dict $root.Values.global)) "" (eq $chart "postgresql") -}}
{{- $named := tpl (default (default "" $values.auth.existingSecret) $global) $root -}}
{{- $unused := and (eq $chart "redis") (not $values.auth.enabled) -}}
{{- if and (ne $named $secret) (not $unused) -}}
{{- fail (printf "%s.auth.existingSecret names %q but the agent reads %q: set %s.auth.existingSecret to %q." $chart $named $secret $chart $secret) -}}
{{- end -}}
{{- else if not $root.Values.existingSecret -}}
{{- fail (printf "%s.enabled is false, so the chart cannot know the URL of your own server: name a Secret that holds it in existingSecret." $chart) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What this chart cannot work with, and names that Kubernetes would refuse later. */}}
{{- define "ai-agent.guards.subcharts" -}}
{{- if and .Values.redis.enabled (dig "sentinel" "enabled" false .Values.redis) -}}
{{- fail "redis.sentinel.enabled is not supported, because the agent's redis-url names one master: set it to false." -}}
{{- end -}}
{{- if and .Values.postgresql.enabled (gt (len (include "ai-agent.postgresql.host" .)) 52) -}}
{{- fail (printf "The StatefulSet %s has a name of more than 52 characters, for which Kubernetes cannot create pods: choose a shorter release name." (include "ai-agent.postgresql.host" .)) -}}
{{- end -}}
{{- if and .Values.redis.enabled (gt (len (include "ai-agent.redis.host" .)) 52) -}}
{{- fail (printf "The StatefulSet %s has a name of more than 52 characters, for which Kubernetes cannot create pods: choose a shorter release name." (include "ai-agent.redis.host" .)) -}}
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
