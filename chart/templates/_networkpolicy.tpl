{{/* Port of a server of a subchart, as its pods have it: policies know no Services. */}}
{{- define "ai-agent.postgresql.podPort" -}}
{{- dig "containerPorts" "postgresql" 5432 .Values.postgresql -}}
{{- end -}}
{{- define "ai-agent.redis.podPort" -}}
{{- dig "master" "containerPorts" "redis" 6379 .Values.redis -}}
{{- end -}}

{{/* Egress to the database and the cache, the release's own or external ones. */}}
{{- define "ai-agent.egress.servers" -}}
{{- $root := . -}}
{{- range $chart, $external := ternary (dict "postgresql" "database" "redis" "cache") (dict "postgresql" "database") (eq (include "ai-agent.cache" .) "true") }}
{{- if (index $root.Values $chart).enabled }}
- to:
    - podSelector:
        matchLabels:
          {{- include "ai-agent.subchartLabels" (dict "root" $root "chart" $chart) | nindent 10 }}
  ports:
    - port: {{ include (printf "ai-agent.%s.podPort" $chart) $root }}
      protocol: TCP
{{- else }}
- to:
    {{- include "platform.peers" (dict "to" (index $root.Values.networkPolicy $external).to "host" (include (printf "ai-agent.%s.host" $chart) $root)) | nindent 4 }}
  ports:
    {{- range default (list (include (printf "ai-agent.%s.port" $chart) $root)) (index $root.Values.networkPolicy $external).ports }}
    - port: {{ . }}
      protocol: TCP
    {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Where a URL leads: dict "host" and "port", as JSON. Argument: the URL. */}}
{{- define "ai-agent.endpoint" -}}
{{- $url := urlParse . -}}
{{- $port := regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) -}}
{{- dict "host" $url.hostname "port" (default (ternary "443" "80" (eq $url.scheme "https")) $port) | toJson -}}
{{- end -}}

{{/* The spec of a policy for the servers of a subchart. Argument: dict "root", "chart", "exporter" the port of its exporter. */}}
{{- define "ai-agent.serverPolicy" -}}
{{- $policy := .root.Values.networkPolicy -}}
{{- $scrapers := ternary $policy.scrapers list (dig "metrics" "enabled" false (index .root.Values .chart)) -}}
{{- $port := include (printf "ai-agent.%s.podPort" .chart) .root -}}
{{- include "platform.serverPolicy" (dict "root" .root "labels" (include "ai-agent.subchartLabels" .) "port" $port "dns" $policy.dns "scrapers" $scrapers "exporter" .exporter) -}}
{{- end -}}
