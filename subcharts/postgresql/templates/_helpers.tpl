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
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .Values.commonLabels }}
{{ tpl (toYaml .) $ }}
{{- end }}
{{- end -}}

{{/* Those of the pods of the StatefulSet. */}}
{{- define "aipg.podLabels" -}}
{{- $own := tpl (toYaml (default dict .Values.primary.podLabels)) . | fromYaml -}}
{{- mergeOverwrite (include "aipg.labels" . | fromYaml) $own | toYaml -}}
{{- end -}}

{{/* The annotations of an object. Argument: dict "root" the root context, "own" those of this object. */}}
{{- define "aipg.annotations" -}}
{{- $all := merge (dict) (.own | default dict) (.root.Values.commonAnnotations | default dict) -}}
{{- with $all }}
  annotations:
    {{- tpl (toYaml .) $.root | nindent 4 }}
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

{{/* Where the pod runs. */}}
{{- define "aipg.scheduling" -}}
{{- with .Values.primary.nodeSelector }}
      nodeSelector:
        {{- tpl (toYaml .) $ | nindent 8 }}
{{- end }}
{{- with .Values.primary.tolerations }}
      tolerations:
        {{- tpl (toYaml .) $ | nindent 8 }}
{{- end }}
{{- with .Values.primary.affinity }}
      affinity:
        {{- tpl (toYaml .) $ | nindent 8 }}
{{- end }}
{{- with .Values.primary.topologySpreadConstraints }}
      topologySpreadConstraints:
        {{- tpl (toYaml .) $ | nindent 8 }}
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

{{/* auth as JSON; what global.postgresql.auth gives wins, but an empty text there gives nothing. */}}
{{- define "aipg.auth" -}}
{{- $auth := deepCopy .Values.auth -}}
{{- range $key, $value := dig "postgresql" "auth" dict (default dict .Values.global) -}}
{{- if kindIs "map" $value -}}
{{- $_ := set $auth $key (mergeOverwrite (get $auth $key | default dict) $value) -}}
{{- else if $value -}}
{{- $_ := set $auth $key $value -}}
{{- end -}}
{{- end -}}
{{- $_ := set $auth "existingSecret" (tpl (default "" $auth.existingSecret) .) -}}
{{- $_ := set $auth "database" (tpl (default "" $auth.database) .) -}}
{{- $_ := set $auth "custom" (not (has (default "" $auth.username) (list "" "postgres"))) -}}
{{- toJson $auth -}}
{{- end -}}

{{- define "aipg.secretName" -}}
{{- $auth := include "aipg.auth" . | fromJson -}}
{{- default (include "aipg.fullname" .) $auth.existingSecret -}}
{{- end -}}

{{/* Keys of the Secret; own names count with an existing Secret only, as in Bitnami's chart. */}}
{{- define "aipg.adminKey" -}}
{{- $auth := include "aipg.auth" . | fromJson -}}
{{- if $auth.existingSecret }}{{ tpl $auth.secretKeys.adminPasswordKey . }}{{ else }}postgres-password{{ end -}}
{{- end -}}
{{- define "aipg.userKey" -}}
{{- $auth := include "aipg.auth" . | fromJson -}}
{{- if $auth.existingSecret }}{{ tpl $auth.secretKeys.userPasswordKey . }}{{ else }}password{{ end -}}
{{- end -}}

{{/* Succeeds also with 1, "alive, but refuses": recovery or shutdown, which a restart would only prolong. */}}
{{- define "aipg.aliveCommand" -}}
{{- $command := printf "pg_isready --host=127.0.0.1 --port=%d --username=postgres || test $? -eq 1" (int .Values.containerPorts.postgresql) -}}
{{- list "sh" "-c" $command | toJson -}}
{{- end -}}
