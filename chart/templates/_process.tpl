{{/*
How a probe asks, and how often. Argument: dict "root", "kind" startup, liveness or readiness, "probe" its values. Without a way of
asking it is HTTP, on the paths of the contract (docs/agent-image.md).
*/}}
{{- define "ai-agent.probe" -}}
{{- $probe := .probe -}}
{{- if $probe.exec -}}
exec:
  command:
    {{- toYaml $probe.exec.command | nindent 4 }}
{{- else if kindIs "map" $probe.tcpSocket -}}
tcpSocket:
  port: {{ default "http" $probe.tcpSocket.port }}
{{- else if kindIs "map" $probe.grpc -}}
grpc:
  port: {{ default .root.Values.agent.port $probe.grpc.port }}
  {{- with $probe.grpc.service }}
  service: {{ . | quote }}
  {{- end }}
{{- else -}}
{{- $http := default dict $probe.httpGet -}}
httpGet:
  path: {{ default (ternary "/ready" "/health" (eq .kind "readiness")) $http.path }}
  port: {{ default "http" $http.port }}
  {{- with $http.scheme }}
  scheme: {{ . }}
  {{- end }}
  {{- with $http.httpHeaders }}
  httpHeaders:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- with omit $probe "enabled" "exec" "tcpSocket" "grpc" "httpGet" }}
{{ toYaml . }}
{{- end }}
{{- end -}}

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
