{{/*
Name of what belongs to one kind of server: the chart's when there is one server, "<name>-primary" and "<name>-read" under replication.
Argument here and below, where a component is named: dict "root" the root context, "component" primary or read.
*/}}
{{- define "aipg.roleName" -}}
{{- $fullname := include "platform.fullname" .root -}}
{{- if eq .root.Values.architecture "replication" -}}
{{- printf "%s-%s" $fullname (include "aipg.values" . | fromJson).name | include "platform.shortName" -}}
{{- else -}}
{{- $fullname -}}
{{- end -}}
{{- end -}}

{{/* The values of one kind of server, as JSON. Argument: dict "root", "component". */}}
{{- define "aipg.values" -}}
{{- ternary .root.Values.primary .root.Values.readReplicas (eq .component "primary") | toJson -}}
{{- end -}}

{{/*
The claim of a StatefulSet; global.storageClass wins, "-" means the empty class, as in Bitnami's charts. It has no label of the
release: the template cannot change later, and Kubernetes itself puts the selector's labels on every claim.
Argument: dict "root", "component".
*/}}
{{- define "aipg.claim" -}}
{{- $persistence := (include "aipg.values" . | fromJson).persistence -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
  {{- range $key := list "annotations" "labels" }}
  {{- with get $persistence $key }}
  {{ $key }}:
    {{- include "platform.tpl" (list (toYaml .) $.root) | nindent 4 }}
  {{- end }}
  {{- end }}
spec:
  {{- include "platform.claimSpec" (dict "root" .root "persistence" $persistence) | nindent 2 }}
{{- end -}}

{{/* Argument: dict "root", "component". */}}
{{- define "aipg.servicePort" -}}
{{- $own := (include "aipg.values" . | fromJson).service.ports.postgresql -}}
{{- default $own (dig "postgresql" "service" "ports" "postgresql" "" (default dict .root.Values.global)) | int -}}
{{- end -}}

{{/* auth as JSON, worked out once a rendering; what global.postgresql.auth gives wins, but an empty text there gives nothing. */}}
{{- define "aipg.auth" -}}
{{- if not (hasKey . "auth") -}}
{{- $auth := deepCopy .Values.auth -}}
{{- range $key, $value := dig "postgresql" "auth" dict (default dict .Values.global) -}}
{{- if kindIs "map" $value -}}
{{- $_ := set $auth $key (mergeOverwrite (get $auth $key | default dict) $value) -}}
{{- else if $value -}}
{{- $_ := set $auth $key $value -}}
{{- end -}}
{{- end -}}
{{- $_ := set $auth "existingSecret" (include "platform.tpl" (list (default "" $auth.existingSecret) .)) -}}
{{- $_ := set $auth "database" (include "platform.tpl" (list (default "" $auth.database) .)) -}}
{{- $_ := set $auth "custom" (not (has (default "" $auth.username) (list "" "postgres"))) -}}
{{- $_ := set . "auth" (toJson $auth) -}}
{{- end -}}
{{- .auth -}}
{{- end -}}

{{- define "aipg.secretName" -}}
{{- $auth := include "aipg.auth" . | fromJson -}}
{{- default (include "platform.fullname" .) $auth.existingSecret -}}
{{- end -}}

{{/* Keys of the Secret; own names count with an existing Secret only, as in Bitnami's chart. */}}
{{- define "aipg.adminKey" -}}
{{- $auth := include "aipg.auth" . | fromJson -}}
{{- if $auth.existingSecret }}{{ include "platform.tpl" (list $auth.secretKeys.adminPasswordKey .) }}{{ else }}postgres-password{{ end -}}
{{- end -}}
{{- define "aipg.userKey" -}}
{{- $auth := include "aipg.auth" . | fromJson -}}
{{- if $auth.existingSecret }}{{ include "platform.tpl" (list $auth.secretKeys.userPasswordKey .) }}{{ else }}password{{ end -}}
{{- end -}}

{{- define "aipg.replicationKey" -}}
{{- $auth := include "aipg.auth" . | fromJson -}}
{{- if $auth.existingSecret }}{{ include "platform.tpl" (list $auth.secretKeys.replicationPasswordKey .) }}{{ else }}replication-password{{ end -}}
{{- end -}}

{{/*
Succeeds also with 1, "alive, but refuses": recovery or shutdown, which a restart would only prolong; and for a replica that copies its primary's
data, however long that takes, while the copy grows: a restart would begin it anew. Arguments: whether it is the primary; the root context.
*/}}
{{- define "aipg.aliveCommand" -}}
{{- $primary := index . 0 -}}
{{- $root := index . 1 -}}
{{- $command := printf "pg_isready --host=127.0.0.1 --port=%d --username=postgres || test $? -eq 1" (int $root.Values.containerPorts.postgresql) -}}
{{- if not $primary -}}
{{- $command = printf "%s || test -n \"$(find \"$PGDATA.incomplete\" -mmin -10 -print -quit 2> /dev/null)\"" $command -}}
{{- end -}}
{{- list "sh" "-c" $command | toJson -}}
{{- end -}}
