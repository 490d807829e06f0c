{{/* The values of one kind of server, as JSON. Argument here and below: dict "root" the root context, "component" master or replica. */}}
{{- define "airedis.values" -}}
{{- ternary .root.Values.master .root.Values.replica (eq .component "master") | toJson -}}
{{- end -}}

{{/* Name of what belongs to one kind of server. Argument: dict "root", "component". */}}
{{- define "airedis.roleName" -}}
{{- printf "%s-%s" (include "platform.fullname" .root) (ternary "master" "replicas" (eq .component "master")) -}}
{{- end -}}

{{/*
The claim of a StatefulSet, with the labels that Bitnami's chart gives it; global.storageClass wins, "-" means the empty class, as in
Bitnami's charts. Argument: dict "root", "component".
*/}}
{{- define "airedis.claim" -}}
{{- $persistence := (include "airedis.values" . | fromJson).persistence -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: redis-data
  labels:
    {{- include "platform.selectorLabels" . | nindent 4 }}
  {{- with $persistence.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- include "platform.claimSpec" (dict "root" .root "persistence" $persistence) | nindent 2 }}
{{- end -}}

{{- define "airedis.secretName" -}}
{{- default (include "platform.fullname" .) (include "platform.tpl" (list (default "" .Values.auth.existingSecret) .)) -}}
{{- end -}}

{{- define "airedis.passwordKey" -}}
{{- if .Values.auth.existingSecret -}}
{{- default "redis-password" (include "platform.tpl" (list (default "" .Values.auth.existingSecretPasswordKey) .)) -}}
{{- else -}}
redis-password
{{- end -}}
{{- end -}}

{{/* redis.conf lines of one kind of server. Argument: dict "root", "component". */}}
{{- define "airedis.configuration" -}}
{{- $server := include "airedis.values" . | fromJson -}}
{{- with $server.configuration }}
{{- include "platform.tpl" (list . $.root) }}
{{- end }}
{{- range $server.disableCommands }}
rename-command {{ . }} ""
{{- end }}
{{- end -}}

{{/* The lines that both kinds share. Argument: the root context. */}}
{{- define "airedis.commonConfiguration" -}}
{{ include "platform.tpl" (list (default "" .Values.commonConfiguration) .) }}
{{- end -}}
