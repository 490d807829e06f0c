{{/*
A text of the values as a template. `tpl` copies all templates of the release each time, so a text without an action goes by it.
Argument: list of the text and the root context.
*/}}
{{- define "aipg.tpl" -}}
{{- if contains "{{" (first .) -}}{{- tpl (first .) (last .) -}}{{- else -}}{{- first . -}}{{- end -}}
{{- end -}}

{{/* commonLabels, worked out once a rendering. Argument: the root context. */}}
{{- define "aipg.commonLabels" -}}
{{- if not (hasKey . "commonLabels") -}}
{{- $_ := set . "commonLabels" (ternary (include "aipg.tpl" (list (toYaml .Values.commonLabels) .)) "" (not (empty .Values.commonLabels))) -}}
{{- end -}}
{{- .commonLabels -}}
{{- end -}}

{{/* The rule of Bitnami's charts: the release's name alone when it contains the chart's. */}}
{{- define "aipg.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
Name of what belongs to one kind of server: the chart's when there is one server, "<name>-primary" and "<name>-read" under replication.
Argument here and below, where a component is named: dict "root" the root context, "component" primary or read.
*/}}
{{- define "aipg.roleName" -}}
{{- $fullname := include "aipg.fullname" .root -}}
{{- if eq .root.Values.architecture "replication" -}}
{{- printf "%s-%s" $fullname (include "aipg.values" . | fromJson).name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $fullname -}}
{{- end -}}
{{- end -}}

{{/* The values of one kind of server, as JSON. Argument: dict "root", "component". */}}
{{- define "aipg.values" -}}
{{- ternary .root.Values.primary .root.Values.readReplicas (eq .component "primary") | toJson -}}
{{- end -}}

{{/* Argument: dict "root", "component". */}}
{{- define "aipg.selectorLabels" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Argument: dict "root", "component". */}}
{{- define "aipg.labels" -}}
{{ include "aipg.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with include "aipg.commonLabels" .root }}
{{ . }}
{{- end }}
{{- end -}}

{{/* Those of the pods of a StatefulSet. Argument: dict "root", "component". */}}
{{- define "aipg.podLabels" -}}
{{- $own := include "aipg.tpl" (list (toYaml (default dict (include "aipg.values" . | fromJson).podLabels)) .root) | fromYaml -}}
{{- mergeOverwrite (include "aipg.labels" . | fromYaml) $own | toYaml -}}
{{- end -}}

{{/* The annotations of an object. Argument: dict "root" the root context, "own" those of this object. */}}
{{- define "aipg.annotations" -}}
{{- $all := merge (dict) (.own | default dict) (.root.Values.commonAnnotations | default dict) -}}
{{- with $all }}
  annotations:
    {{- include "aipg.tpl" (list (toYaml .) $.root) | nindent 4 }}
{{- end }}
{{- end -}}

{{- define "aipg.image" -}}
{{- $image := .Values.image -}}
{{- $registry := default $image.registry (dig "imageRegistry" "" (default dict .Values.global)) -}}
{{- if not (or $image.tag $image.digest) -}}
{{- fail "postgresql.image.tag is empty: name the tag or the digest of the image to run, for a database must not change its version by itself." -}}
{{- end -}}
{{- $name := $image.repository -}}
{{- if $registry -}}{{- $name = printf "%s/%s" $registry $image.repository -}}{{- end -}}
{{- if $image.digest -}}{{- printf "%s@%s" $name $image.digest -}}{{- else -}}{{- printf "%s:%s" $name $image.tag -}}{{- end -}}
{{- end -}}

{{- define "aipg.imagePullSecrets" -}}
{{- $names := concat (dig "imagePullSecrets" list (default dict .Values.global)) .Values.image.pullSecrets | uniq -}}
{{- with $names }}
      imagePullSecrets:
        {{- range . }}
        - name: {{ . }}
        {{- end }}
{{- end }}
{{- end -}}

{{- define "aipg.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "aipg.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* A security context without Bitnami's switch `enabled`. */}}
{{- define "aipg.securityContext" -}}
{{- if .enabled -}}
{{- omit . "enabled" | toYaml -}}
{{- else -}}
{}
{{- end -}}
{{- end -}}

{{/* Where the pod runs. Argument: dict "root", "component". */}}
{{- define "aipg.scheduling" -}}
{{- $server := include "aipg.values" . | fromJson -}}
{{- range $key := list "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" }}
{{- with get $server $key }}
      {{ $key }}:
        {{- include "aipg.tpl" (list (toYaml .) $.root) | nindent 8 }}
{{- end }}
{{- end }}
{{- if not $server.affinity }}
      # Bitnami's default: not two of a kind on one node where there is another.
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 1
              podAffinityTerm:
                topologyKey: kubernetes.io/hostname
                labelSelector:
                  matchLabels:
                    {{- include "aipg.selectorLabels" . | nindent 20 }}
{{- end }}
{{- with $server.priorityClassName }}
      priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{/*
The claim of a StatefulSet; global.storageClass wins, "-" means the empty class, as in Bitnami's charts. It has no label of the
release: the template cannot change later, and Kubernetes itself puts the selector's labels on every claim.
Argument: dict "root", "component".
*/}}
{{- define "aipg.claim" -}}
{{- $persistence := (include "aipg.values" . | fromJson).persistence -}}
{{- $class := default $persistence.storageClass (dig "storageClass" "" (default dict .root.Values.global)) -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
  {{- range $key := list "annotations" "labels" }}
  {{- with get $persistence $key }}
  {{ $key }}:
    {{- include "aipg.tpl" (list (toYaml .) $.root) | nindent 4 }}
  {{- end }}
  {{- end }}
spec:
  accessModes:
    {{- toYaml $persistence.accessModes | nindent 4 }}
  resources:
    requests:
      storage: {{ $persistence.size | quote }}
  {{- if $class }}
  storageClassName: {{ ternary "" $class (eq $class "-") | quote }}
  {{- end }}
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
{{- $_ := set $auth "existingSecret" (include "aipg.tpl" (list (default "" $auth.existingSecret) .)) -}}
{{- $_ := set $auth "database" (include "aipg.tpl" (list (default "" $auth.database) .)) -}}
{{- $_ := set $auth "custom" (not (has (default "" $auth.username) (list "" "postgres"))) -}}
{{- $_ := set . "auth" (toJson $auth) -}}
{{- end -}}
{{- .auth -}}
{{- end -}}

{{- define "aipg.secretName" -}}
{{- $auth := include "aipg.auth" . | fromJson -}}
{{- default (include "aipg.fullname" .) $auth.existingSecret -}}
{{- end -}}

{{/* Keys of the Secret; own names count with an existing Secret only, as in Bitnami's chart. */}}
{{- define "aipg.adminKey" -}}
{{- $auth := include "aipg.auth" . | fromJson -}}
{{- if $auth.existingSecret }}{{ include "aipg.tpl" (list $auth.secretKeys.adminPasswordKey .) }}{{ else }}postgres-password{{ end -}}
{{- end -}}
{{- define "aipg.userKey" -}}
{{- $auth := include "aipg.auth" . | fromJson -}}
{{- if $auth.existingSecret }}{{ include "aipg.tpl" (list $auth.secretKeys.userPasswordKey .) }}{{ else }}password{{ end -}}
{{- end -}}

{{- define "aipg.replicationKey" -}}
{{- $auth := include "aipg.auth" . | fromJson -}}
{{- if $auth.existingSecret }}{{ include "aipg.tpl" (list $auth.secretKeys.replicationPasswordKey .) }}{{ else }}replication-password{{ end -}}
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
