{{/*
A text of the values as a template. `tpl` copies all templates of the release each time, so a text without an action goes by it.
Argument: list of the text and the root context.
*/}}
{{- define "airedis.tpl" -}}
{{- if contains "{{" (first .) -}}{{- tpl (first .) (last .) -}}{{- else -}}{{- first . -}}{{- end -}}
{{- end -}}

{{/* commonLabels, worked out once a rendering. Argument: the root context. */}}
{{- define "airedis.commonLabels" -}}
{{- if not (hasKey . "commonLabels") -}}
{{- $_ := set . "commonLabels" (ternary (include "airedis.tpl" (list (toYaml .Values.commonLabels) .)) "" (not (empty .Values.commonLabels))) -}}
{{- end -}}
{{- .commonLabels -}}
{{- end -}}

{{/* The rule of Bitnami's charts: the release's name alone when it contains the chart's. */}}
{{- define "airedis.fullname" -}}
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

{{/* The values of one kind of server, as JSON. Argument here and below: dict "root" the root context, "component" master or replica. */}}
{{- define "airedis.values" -}}
{{- ternary .root.Values.master .root.Values.replica (eq .component "master") | toJson -}}
{{- end -}}

{{/* Name of what belongs to one kind of server. Argument: dict "root", "component". */}}
{{- define "airedis.roleName" -}}
{{- printf "%s-%s" (include "airedis.fullname" .root) (ternary "master" "replicas" (eq .component "master")) -}}
{{- end -}}

{{/* What selects the pods of the chart, both kinds. Argument: the root context. */}}
{{- define "airedis.matchLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Argument: dict "root", "component". */}}
{{- define "airedis.selectorLabels" -}}
{{ include "airedis.matchLabels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Argument: dict "root", "component". */}}
{{- define "airedis.labels" -}}
{{ include "airedis.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with include "airedis.commonLabels" .root }}
{{ . }}
{{- end }}
{{- end -}}

{{/* Those of the pods of a StatefulSet. Argument: dict "root", "component". */}}
{{- define "airedis.podLabels" -}}
{{- $own := include "airedis.tpl" (list (toYaml (default dict (include "airedis.values" . | fromJson).podLabels)) .root) | fromYaml -}}
{{- mergeOverwrite (include "airedis.labels" . | fromYaml) $own | toYaml -}}
{{- end -}}

{{/* The annotations of an object. Argument: dict "root" the root context, "own" those of this object. */}}
{{- define "airedis.annotations" -}}
{{- $all := merge (dict) (.own | default dict) (.root.Values.commonAnnotations | default dict) -}}
{{- with $all }}
  annotations:
    {{- include "airedis.tpl" (list (toYaml .) $.root) | nindent 4 }}
{{- end }}
{{- end -}}

{{- define "airedis.image" -}}
{{- $image := .Values.image -}}
{{- $registry := default $image.registry (dig "imageRegistry" "" (default dict .Values.global)) -}}
{{- if not (or $image.tag $image.digest) -}}
{{- fail "redis.image.tag is empty: name the tag or the digest of the image to run, for data do not load into an older version." -}}
{{- end -}}
{{- $name := $image.repository -}}
{{- if $registry -}}{{- $name = printf "%s/%s" $registry $image.repository -}}{{- end -}}
{{- if $image.digest -}}{{- printf "%s@%s" $name $image.digest -}}{{- else -}}{{- printf "%s:%s" $name $image.tag -}}{{- end -}}
{{- end -}}

{{- define "airedis.imagePullSecrets" -}}
{{- $names := concat (dig "imagePullSecrets" list (default dict .Values.global)) .Values.image.pullSecrets | uniq -}}
{{- with $names }}
      imagePullSecrets:
        {{- range . }}
        - name: {{ . }}
        {{- end }}
{{- end }}
{{- end -}}

{{- define "airedis.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "airedis.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* A security context without Bitnami's switch `enabled`. */}}
{{- define "airedis.securityContext" -}}
{{- if .enabled -}}
{{- omit . "enabled" | toYaml -}}
{{- else -}}
{}
{{- end -}}
{{- end -}}

{{/* Where the pod runs. Argument: dict "root", "component". */}}
{{- define "airedis.scheduling" -}}
{{- $server := include "airedis.values" . | fromJson -}}
{{- range $key := list "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" }}
{{- with get $server $key }}
      {{ $key }}:
        {{- include "airedis.tpl" (list (toYaml .) $.root) | nindent 8 }}
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
                    {{- include "airedis.selectorLabels" . | nindent 20 }}
{{- end }}
{{- with $server.priorityClassName }}
      priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{/*
The claim of a StatefulSet, with the labels that Bitnami's chart gives it; global.storageClass wins, "-" means the empty class, as in
Bitnami's charts. Argument: dict "root", "component".
*/}}
{{- define "airedis.claim" -}}
{{- $persistence := (include "airedis.values" . | fromJson).persistence -}}
{{- $class := default $persistence.storageClass (dig "storageClass" "" (default dict .root.Values.global)) -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: redis-data
  labels:
    {{- include "airedis.selectorLabels" . | nindent 4 }}
  {{- with $persistence.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
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

{{- define "airedis.secretName" -}}
{{- default (include "airedis.fullname" .) (include "airedis.tpl" (list (default "" .Values.auth.existingSecret) .)) -}}
{{- end -}}

{{- define "airedis.passwordKey" -}}
{{- if .Values.auth.existingSecret -}}
{{- default "redis-password" (include "airedis.tpl" (list (default "" .Values.auth.existingSecretPasswordKey) .)) -}}
{{- else -}}
redis-password
{{- end -}}
{{- end -}}

{{/* redis.conf lines of one kind of server. Argument: dict "root", "component". */}}
{{- define "airedis.configuration" -}}
{{- $server := include "airedis.values" . | fromJson -}}
{{- with $server.configuration }}
{{- include "airedis.tpl" (list . $.root) }}
{{- end }}
{{- range $server.disableCommands }}
rename-command {{ . }} ""
{{- end }}
{{- end -}}

{{/* The lines that both kinds share. Argument: the root context. */}}
{{- define "airedis.commonConfiguration" -}}
{{ include "airedis.tpl" (list (default "" .Values.commonConfiguration) .) }}
{{- end -}}
