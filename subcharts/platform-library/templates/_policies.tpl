{{/* Egress to the name service. Without it every policy looks like a broken name service. Argument: the values: dict "to" peers, "ports". */}}
{{- define "platform.egress.dns" -}}
- to:
    {{- toYaml .to | nindent 4 }}
  ports:
    {{- range .ports }}
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
{{- define "platform.peers" -}}
{{- if .to -}}
{{ toYaml .to }}
{{- else if regexMatch "^[0-9]+(\\.[0-9]+){3}$" .host -}}
- ipBlock:
    cidr: {{ .host }}/32
{{- else if contains ":" (default "" .host) -}}
- ipBlock:
    cidr: {{ printf "%s/128" .host | quote }}
{{- end -}}
{{- end -}}

{{/* A rule to pods or other peers on TCP ports. Argument: dict "direction" from or to, "peers" rendered, "ports" the list. */}}
{{- define "platform.rule" -}}
- {{ .direction }}:
    {{- .peers | nindent 4 }}
  ports:
    {{- range .ports }}
    - port: {{ . }}
      protocol: TCP
    {{- end }}
{{- end -}}

{{/*
A policy for some pods: what comes in and goes out, and the name service. A rule without peers would admit everybody, so it is left out.
Argument: dict "root", "name", "component", "selector" the pods' labels rendered (default: those of the component), "from" and "to" lists of
dict "peers" and "ports".
*/}}
{{- define "platform.networkPolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
{{ include "platform.metadata" . }}
spec:
  podSelector:
    matchLabels:
      {{- default (include "platform.selectorLabels" .) .selector | nindent 6 }}
  policyTypes: [Ingress, Egress]
  {{- $rules := list }}
  {{- range .from }}
  {{- if .peers }}{{ $rules = append $rules (include "platform.rule" (dict "direction" "from" "peers" (toYaml .peers) "ports" .ports)) }}{{ end }}
  {{- end }}
  {{- with $rules }}
  ingress:
    {{- join "\n" . | nindent 4 }}
  {{- end }}
  egress:
    {{- include "platform.egress.dns" (include "platform.standard" (dict "root" .root "key" "dns") | fromJson) | nindent 4 }}
    {{- range .to }}
    {{- if .peers }}
    {{- include "platform.rule" (dict "direction" "to" "peers" (toYaml .peers) "ports" .ports) | nindent 4 }}
    {{- end }}
    {{- end }}
{{- end -}}

{{/* The policy that closes every pod of the release in both directions; other policies open what is needed. Argument: dict "root", "name", "component". */}}
{{- define "platform.defaultDeny" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
{{ include "platform.metadata" . }}
spec:
  # Every pod of the release, those of the subcharts included; the other policies open what is needed.
  podSelector:
    matchLabels:
      app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
  policyTypes: [Ingress, Egress]
{{- end -}}

{{/*
The spec of a policy for servers that the release's clients use: they, and the servers among themselves.
Argument: dict "root", "labels" of the servers' pods rendered, "port" theirs, "dns" as for platform.egress.dns, "scrapers" peers that
read metrics (empty for none) and "exporter" their port.
*/}}
{{- define "platform.serverPolicy" -}}
podSelector:
  matchLabels:
    {{- .labels | nindent 4 }}
policyTypes: [Ingress, Egress]
ingress:
  # The release's clients, and its servers among themselves: replication.
  - from:
      - podSelector:
          matchLabels:
            {{- include "platform.clientLabel" .root | nindent 12 }}
      - podSelector:
          matchLabels:
            {{- .labels | nindent 12 }}
    ports:
      - port: {{ .port }}
        protocol: TCP
  {{- with .scrapers }}
  {{- include "platform.rule" (dict "direction" "from" "peers" (toYaml .) "ports" (list $.exporter)) | nindent 2 }}
  {{- end }}
egress:
  {{- include "platform.egress.dns" .dns | nindent 2 }}
  - to:
      - podSelector:
          matchLabels:
            {{- .labels | nindent 12 }}
    ports:
      - port: {{ .port }}
        protocol: TCP
{{- end -}}
