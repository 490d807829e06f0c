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

{{- define "airedis.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: master
{{- end -}}

{{- define "airedis.labels" -}}
{{ include "airedis.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .Values.commonLabels }}
{{ tpl (toYaml .) $ }}
{{- end }}
{{- end -}}

{{/* Those of the pods of the StatefulSet. */}}
{{- define "airedis.podLabels" -}}
{{- $own := tpl (toYaml (default dict .Values.master.podLabels)) . | fromYaml -}}
{{- mergeOverwrite (include "airedis.labels" . | fromYaml) $own | toYaml -}}
{{- end -}}

{{/* The annotations of an object. Argument: dict "root" the root context, "own" those of this object. */}}
{{- define "airedis.annotations" -}}
{{- $all := merge (dict) (.own | default dict) (.root.Values.commonAnnotations | default dict) -}}
{{- with $all }}
  annotations:
    {{- tpl (toYaml .) $.root | nindent 4 }}
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

{{/* Where the pod runs. */}}
{{- define "airedis.scheduling" -}}
{{- with .Values.master.nodeSelector }}
      nodeSelector:
        {{- tpl (toYaml .) $ | nindent 8 }}
{{- end }}
{{- with .Values.master.tolerations }}
      tolerations:
        {{- tpl (toYaml .) $ | nindent 8 }}
{{- end }}
{{- with .Values.master.affinity }}
      affinity:
        {{- tpl (toYaml .) $ | nindent 8 }}
{{- end }}
{{- with .Values.master.topologySpreadConstraints }}
      topologySpreadConstraints:
        {{- tpl (toYaml .) $ | nindent 8 }}
{{- end }}
{{- with .Values.master.priorityClassName }}
      priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{/* The claim of the StatefulSet; global.storageClass wins, "-" means the empty class, as in Bitnami's charts. */}}
{{- define "airedis.claim" -}}
{{- $persistence := .Values.master.persistence -}}
{{- $class := default $persistence.storageClass (dig "storageClass" "" (default dict .Values.global)) -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: redis-data
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

{{- define "airedis.masterName" -}}
{{- printf "%s-master" (include "airedis.fullname" .) -}}
{{- end -}}

{{- define "airedis.secretName" -}}
{{- default (include "airedis.fullname" .) (tpl (default "" .Values.auth.existingSecret) .) -}}
{{- end -}}

{{- define "airedis.passwordKey" -}}
{{- if .Values.auth.existingSecret -}}
{{- default "redis-password" (tpl (default "" .Values.auth.existingSecretPasswordKey) .) -}}
{{- else -}}
redis-password
{{- end -}}
{{- end -}}

{{/* redis.conf lines of the values. */}}
{{- define "airedis.configuration" -}}
{{ tpl (default "" .Values.commonConfiguration) . }}
{{- with .Values.master.configuration }}
{{ tpl . $ }}
{{- end }}
{{- range .Values.master.disableCommands }}
rename-command {{ . }} ""
{{- end }}
{{- end -}}
