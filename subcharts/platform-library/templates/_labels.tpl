{{/* What selects all pods of the chart. Argument: the root context. */}}
{{- define "platform.matchLabels" -}}
app.kubernetes.io/name: {{ include "platform.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* The labels that never change, for selectors. Argument: dict "root", "component". */}}
{{- define "platform.selectorLabels" -}}
{{ include "platform.matchLabels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* What Kubernetes recommends beside them. Argument: dict "root", "component". */}}
{{- define "platform.recommendedLabels" -}}
{{ include "platform.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end -}}

{{/*
Labels of a pod: not the chart's version, whose every change would replace the pods. commonLabels are on all of them; a migration can be
found by the label job. Argument: dict "root", "component", "own" the labels of this pod alone (optional).
*/}}
{{- define "platform.podLabels" -}}
app: {{ .root.Release.Name | quote }}
{{ include "platform.recommendedLabels" . }}
{{- if eq .component "migration" }}
job: migration
{{- end }}
{{- with merge (dict) (default dict .own) (default dict .root.Values.commonLabels) }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Labels of every object. Argument as for platform.podLabels. */}}
{{- define "platform.labels" -}}
helm.sh/chart: {{ include "platform.chart" .root }}
{{ include "platform.podLabels" . }}
{{- end -}}

{{/* The label of the pods that network policies admit to the servers of the release. Argument: the root context. */}}
{{- define "platform.clientLabel" -}}
{{ .Release.Name }}-db-client: "true"
{{- end -}}

{{/* Labels of a pod that is such a client. Argument as for platform.podLabels. */}}
{{- define "platform.clientPodLabels" -}}
{{ include "platform.podLabels" . }}
{{ include "platform.clientLabel" .root }}
{{- end -}}

{{/* commonLabels where they are templates, as in Bitnami's charts; worked out once a rendering. Argument: the root context. */}}
{{- define "platform.commonLabels" -}}
{{- if not (hasKey . "platformCommonLabels") -}}
{{- $_ := set . "platformCommonLabels" (ternary (include "platform.tpl" (list (toYaml .Values.commonLabels) .)) "" (not (empty .Values.commonLabels))) -}}
{{- end -}}
{{- .platformCommonLabels -}}
{{- end -}}

{{/* Labels of an object whose values are Bitnami's: no label app, and commonLabels are templates. Argument: dict "root", "component". */}}
{{- define "platform.serverLabels" -}}
helm.sh/chart: {{ include "platform.chart" .root }}
{{ include "platform.recommendedLabels" . }}
{{- with include "platform.commonLabels" .root }}
{{ . }}
{{- end }}
{{- end -}}

{{/* The labels of a component's pods. Argument: dict "root", "component", "own" the values' podLabels, which are templates and win. */}}
{{- define "platform.serverPodLabels" -}}
{{- $own := include "platform.tpl" (list (toYaml (default dict .own)) .root) | fromYaml -}}
{{- mergeOverwrite (include "platform.serverLabels" . | fromYaml) $own | toYaml -}}
{{- end -}}

{{/*
The annotations of an object, with their key, indented for `metadata`; nothing where there is none.
Argument: dict "root", "own" those of this object, "templates" whether the values' annotations are templates, as in Bitnami's charts.
*/}}
{{- define "platform.annotations" -}}
{{- with merge (dict) (default dict .own) (default dict .root.Values.commonAnnotations) }}
  annotations:
    {{- if $.templates }}
    {{- include "platform.tpl" (list (toYaml .) $.root) | nindent 4 }}
    {{- else }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end -}}

{{/*
`metadata` of an object, with its key.
Argument: dict "root", "name", "component", "own" labels, "annotations" of this object (the last two optional).
*/}}
{{- define "platform.metadata" -}}
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace | quote }}
  labels:
    {{- include "platform.labels" . | nindent 4 }}
  {{- include "platform.annotations" (dict "root" .root "own" .annotations) }}
{{- end -}}
