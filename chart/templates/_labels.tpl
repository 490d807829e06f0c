{{/*
Labels of every object.
Argument: dict "root" the root context, "component" agent, migration, test, postgresql or redis.
*/}}
{{- define "ai-agent.labels" -}}
helm.sh/chart: {{ include "ai-agent.chart" .root }}
{{ include "ai-agent.podLabels" . }}
{{- end -}}

{{/*
Labels of every pod: not the chart's version, whose every change would replace the pods.
Argument: dict "root" the root context, "component" as for ai-agent.labels, "own" the labels of this pod alone (optional).
*/}}
{{- define "ai-agent.podLabels" -}}
app: {{ .root.Release.Name | quote }}
{{ include "ai-agent.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- if eq .component "migration" }}
job: migration
{{- end }}
{{- with merge (dict) (default dict .own) .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The labels that never change, for selectors. Argument: dict "root" the root context, "component" as for ai-agent.labels. */}}
{{- define "ai-agent.selectorLabels" -}}
app.kubernetes.io/name: {{ include "ai-agent.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* The label that network policies admit to the database and the cache. Argument: the root context. */}}
{{- define "ai-agent.clientLabel" -}}
{{ .Release.Name }}-db-client: "true"
{{- end -}}

{{/* Labels of a pod that talks to the database and the cache. Argument as for ai-agent.podLabels. */}}
{{- define "ai-agent.clientPodLabels" -}}
{{ include "ai-agent.podLabels" . }}
{{ include "ai-agent.clientLabel" .root }}
{{- end -}}

{{/* The annotations of an object, with their key. Argument: dict "root" the root context, "own" those of this object. */}}
{{- define "ai-agent.annotations" -}}
{{- with merge (dict) (default dict .own) .root.Values.commonAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end -}}
