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

{{- define "aipg.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: primary
{{- end -}}

{{- define "aipg.labels" -}}
{{ include "aipg.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .Values.commonLabels }}
{{ tpl (toYaml .) $ }}
{{- end }}
{{- end -}}

{{/* The annotations of an object. Argument: dict "root" the root context, "own" those of this object. */}}
{{- define "aipg.annotations" -}}
{{- $all := merge (dict) (.own | default dict) (.root.Values.commonAnnotations | default dict) -}}
{{- with $all }}
annotations:
  {{- tpl (toYaml .) $.root | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "aipg.image" -}}
{{- $image := .Values.image -}}
{{- $registry := default $image.registry (dig "imageRegistry" "" (default dict .Values.global)) -}}
{{- if not (or $image.tag $image.digest) -}}
{{- fail "postgresql.image.tag is empty: name the tag (or digest) of the image to run, a server must not change its version by itself." -}}
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

{{/* Where the pod runs. */}}
{{- define "aipg.scheduling" -}}
{{- with .Values.primary.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.primary.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.primary.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.primary.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.primary.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{/* The claim of the StatefulSet; global.storageClass wins, "-" means the empty class, as in Bitnami's charts. */}}
{{- define "aipg.claim" -}}
{{- $persistence := .Values.primary.persistence -}}
{{- $class := default $persistence.storageClass (dig "storageClass" "" (default dict .Values.global)) -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
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

{{- define "aipg.servicePort" -}}
{{- default .Values.primary.service.ports.postgresql (dig "postgresql" "service" "ports" "postgresql" "" (default dict .Values.global)) -}}
{{- end -}}

{{/* auth, with global.postgresql.auth on top, as JSON. */}}
{{- define "aipg.auth" -}}
{{- mergeOverwrite (deepCopy .Values.auth) (dig "postgresql" "auth" dict (default dict .Values.global)) | toJson -}}
{{- end -}}

{{- define "aipg.secretName" -}}
{{- $auth := include "aipg.auth" . | fromJson -}}
{{- default (include "aipg.fullname" .) (tpl (default "" $auth.existingSecret) .) -}}
{{- end -}}

{{/* Secret keys; own names count with an existing Secret only, as in Bitnami's chart. */}}
{{- define "aipg.adminKey" -}}
{{- $auth := include "aipg.auth" . | fromJson -}}
{{- ternary (tpl $auth.secretKeys.adminPasswordKey .) "postgres-password" (ne (default "" $auth.existingSecret) "") -}}
{{- end -}}
{{- define "aipg.userKey" -}}
{{- $auth := include "aipg.auth" . | fromJson -}}
{{- ternary (tpl $auth.secretKeys.userPasswordKey .) "password" (ne (default "" $auth.existingSecret) "") -}}
{{- end -}}
