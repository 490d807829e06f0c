{{/*
Labels of every object.
Argument: dict "root" the root context, "component" agent, migration or test.
*/}}
{{- define "ai-agent.labels" -}}
helm.sh/chart: {{ include "ai-agent.chart" .root }}
{{ include "ai-agent.podLabels" . }}
{{- end -}}

{{/* Labels of every pod: not the chart's version, whose every change would replace the pods. Argument as above. */}}
{{- define "ai-agent.podLabels" -}}
app: {{ .root.Release.Name | quote }}
{{ include "ai-agent.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- if eq .component "migration" }}
job: migration
{{- end }}
{{- end -}}

{{/* What a selector may use: the part of the labels that never changes. Argument as above. */}}
{{- define "ai-agent.selectorLabels" -}}
app.kubernetes.io/name: {{ include "ai-agent.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Labels of a pod that talks to the database and the cache: network policies admit the last one. Argument as above. */}}
{{- define "ai-agent.clientPodLabels" -}}
{{ include "ai-agent.podLabels" . }}
{{ .root.Release.Name }}-db-client: "true"
{{- end -}}
