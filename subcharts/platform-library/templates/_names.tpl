{{/*
A text of the values as a template. `tpl` copies all templates of the release each time, so a text without an action goes by it.
Argument: list of the text and the root context.
*/}}
{{- define "platform.tpl" -}}
{{- if contains "{{" (first .) -}}{{- tpl (first .) (last .) -}}{{- else -}}{{- first . -}}{{- end -}}
{{- end -}}

{{/* One of the library's own values, as JSON; a chart may set them under `platform-library`. Argument: dict "root", "key". */}}
{{- define "platform.standard" -}}
{{- get (default dict (get .root.Values "platform-library")) .key | toJson -}}
{{- end -}}

{{/* A name as Kubernetes takes it in labels and in most objects: 63 characters, no hyphen at the end. Argument: the text. */}}
{{- define "platform.shortName" -}}
{{- . | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Name of the application, for app.kubernetes.io/name. Argument: the root context. */}}
{{- define "platform.name" -}}
{{- include "platform.shortName" (default .Chart.Name .Values.nameOverride) -}}
{{- end -}}

{{/*
Name of a chart's objects: fullnameOverride, else the release's name alone where it contains the chart's, else both. It is the rule of
Bitnami's charts, so a parent can name what a subchart makes.
Argument: dict "release" its name, "chart" its name, "values" the values of that chart.
*/}}
{{- define "platform.fullnameOf" -}}
{{- if .values.fullnameOverride -}}
{{- include "platform.shortName" .values.fullnameOverride -}}
{{- else -}}
{{- $name := default .chart .values.nameOverride -}}
{{- include "platform.shortName" (ternary .release (printf "%s-%s" .release $name) (contains $name .release)) -}}
{{- end -}}
{{- end -}}

{{/* The same for the chart that calls. Argument: the root context. */}}
{{- define "platform.fullname" -}}
{{- include "platform.fullnameOf" (dict "release" .Release.Name "chart" .Chart.Name "values" .Values) -}}
{{- end -}}

{{/*
Name of a further object, "<fullname>-<suffix>", at most 63 characters. A name that is too long loses the end of the fullname and gets
a hash of it, so that two releases never share a name. Argument: dict "fullname", "suffix", and for another limit "longest".
*/}}
{{- define "platform.objectName" -}}
{{- $fullname := .fullname -}}
{{- $room := sub (default 63 .longest) (add 1 (len .suffix)) | int -}}
{{- if gt (len $fullname) $room -}}
{{- $fullname = printf "%s-%s" ($fullname | trunc (sub $room 9 | int) | trimSuffix "-") ($fullname | sha256sum | trunc 8) -}}
{{- end -}}
{{- printf "%s-%s" $fullname .suffix -}}
{{- end -}}

{{/* Name and version of the chart, for helm.sh/chart. Argument: the root context. */}}
{{- define "platform.chart" -}}
{{- include "platform.shortName" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") -}}
{{- end -}}

{{/*
The service account of the pods: of serviceAccount.name, else one that the chart makes under its own name, else the namespace's default.
Argument: dict "root", "fullname".
*/}}
{{- define "platform.serviceAccountName" -}}
{{- $account := .root.Values.serviceAccount -}}
{{- default (ternary .fullname "default" $account.create) $account.name -}}
{{- end -}}
