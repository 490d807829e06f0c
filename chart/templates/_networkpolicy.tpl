{{/* Egress to the name service. Without it every policy looks like a broken name service. */}}
{{- define "ai-agent.egress.dns" -}}
- to:
    {{- toYaml .Values.networkPolicy.dns.to | nindent 4 }}
  ports:
    {{- range .Values.networkPolicy.dns.ports }}
    - port: {{ . }}
      protocol: UDP
    - port: {{ . }}
      protocol: TCP
    {{- end }}
{{- end -}}

{{/*
Peers at which a server of one's own is found: those that the values list, else the address itself where the host is one.
Argument: dict "to" the list, "host" the host.
*/}}
{{- define "ai-agent.peers" -}}
{{- if .to -}}
{{ toYaml .to }}
{{- else if regexMatch "^[0-9]+(\\.[0-9]+){3}$" .host -}}
- ipBlock:
    cidr: {{ .host }}/32
{{- end -}}
{{- end -}}

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
    {{- include "ai-agent.peers" (dict "to" (index $root.Values.networkPolicy $external).to "host" (include (printf "ai-agent.%s.host" $chart) $root)) | nindent 4 }}
  ports:
    - port: {{ include (printf "ai-agent.%s.port" $chart) $root }}
      protocol: TCP
{{- end }}
{{- end }}
{{- end -}}

{{/* The endpoint of the model: dict "host" and "port" of agent.llm.baseUrl, as JSON. */}}
{{- define "ai-agent.modelEndpoint" -}}
{{- $url := urlParse .Values.agent.llm.baseUrl -}}
{{- $port := regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) -}}
{{- dict "host" $url.hostname "port" (default (ternary "443" "80" (eq $url.scheme "https")) $port) | toJson -}}
{{- end -}}

{{/* The spec of a policy for the servers of a subchart. Argument: dict "root", "chart", "exporter" the port of its exporter. */}}
{{- define "ai-agent.serverPolicy" -}}
{{- $own := include "ai-agent.subchartLabels" (dict "root" .root "chart" .chart) -}}
{{- $port := include (printf "ai-agent.%s.podPort" .chart) .root -}}
podSelector:
  matchLabels:
    {{- $own | nindent 4 }}
policyTypes: [Ingress, Egress]
ingress:
  # The release's clients, and its servers among themselves: replication.
  - from:
      - podSelector:
          matchLabels:
            {{- include "ai-agent.clientLabel" .root | nindent 12 }}
      - podSelector:
          matchLabels:
            {{- $own | nindent 12 }}
    ports:
      - port: {{ $port }}
        protocol: TCP
  {{- if and .root.Values.networkPolicy.scrapers (dig "metrics" "enabled" false (index .root.Values .chart)) }}
  - from:
      {{- toYaml .root.Values.networkPolicy.scrapers | nindent 6 }}
    ports:
      - port: {{ .exporter }}
        protocol: TCP
  {{- end }}
egress:
  {{- include "ai-agent.egress.dns" .root | nindent 2 }}
  - to:
      - podSelector:
          matchLabels:
            {{- $own | nindent 12 }}
    ports:
      - port: {{ $port }}
        protocol: TCP
{{- end -}}
