{{/* Fields that all pods of this chart share. Argument: the root context. */}}
{{- define "ai-agent.podDefaults" -}}
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .Values.agent.podSecurityContext | nindent 2 }}
{{- with .Values.agent.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.agent.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.agent.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{/* An environment variable from a key of a Secret. Argument: dict "name", "secret", "key". */}}
{{- define "ai-agent.envFromSecret" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
{{- end -}}

{{/* DATABASE_URL and REDIS_URL of the test pod, the latter where there is a cache. Argument: the root context. */}}
{{- define "ai-agent.urls" -}}
{{- range $name, $key := ternary (dict "DATABASE_URL" "database-url" "REDIS_URL" "redis-url") (dict "DATABASE_URL" "database-url") (eq (include "ai-agent.cache" .) "true") }}
{{ include "ai-agent.envFromSecret" (merge (dict "name" $name) (include "ai-agent.secretKey" (dict "root" $ "key" $key) | fromJson)) }}
{{- end }}
{{- end -}}

{{/* What the values add to the environment of every container that runs the agent's image. Argument: the root context. */}}
{{- define "ai-agent.extraEnv" -}}
{{- with .Values.agent.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Volumes that the values add to every pod of the agent's image. Argument: the root context. */}}
{{- define "ai-agent.extraVolumes" -}}
{{- with .Values.agent.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Mounts that the values add to every container that runs the agent's image. Argument: the root context. */}}
{{- define "ai-agent.extraVolumeMounts" -}}
{{- with .Values.agent.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}
