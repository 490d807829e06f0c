{{- define "second-service.container" -}}
env:
  {{- include "platform.envFromSecret" (dict "name" "DATABASE_URL" "secret" .Values.database.secret "key" .Values.database.key) | nindent 2 }}
securityContext:
  {{- include "platform.securityContext" (dict "root" . "level" "container" "own" .Values.containerSecurityContext) | nindent 2 }}
volumeMounts: [{name: tmp, mountPath: /tmp}]
{{- end -}}
