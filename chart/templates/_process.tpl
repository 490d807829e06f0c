{{/* "true" where metrics have a port of their own. */}}
{{- define "ai-agent.metricsPort" -}}
{{- $metrics := .Values.agent.metrics -}}
{{- if and $metrics.path $metrics.port (ne (int $metrics.port) (int .Values.agent.port)) -}}true{{- end -}}
{{- end -}}

{{/* A probe asks in one way, metrics that are read are somewhere, and no two things listen on one name. */}}
{{- define "ai-agent.guards.process" -}}
{{- $agent := .Values.agent -}}
{{- range $kind := list "startupProbe" "livenessProbe" "readinessProbe" -}}
{{- $ways := list -}}
{{- range $way := list "exec" "grpc" "httpGet" "tcpSocket" -}}
{{- if kindIs "map" (get (get $agent $kind) $way) }}{{ $ways = append $ways $way }}{{ end -}}
{{- end -}}
{{- if gt (len $ways) 1 -}}
{{- fail (printf "agent.%s asks by %s: keep one of them (null removes what another file sets)." $kind (join " and " $ways)) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled (not $agent.metrics.path) -}}
{{- fail "serviceMonitor.enabled is true, but agent.metrics.path is empty: name the path of the image's metrics, or set serviceMonitor.enabled to false." -}}
{{- end -}}
{{- end -}}
