{{/* Fields that all pods of this chart share. Argument: the root context. */}}
{{- define "ai-agent.podDefaults" -}}
{{- include "platform.podDefaults" (dict "pullSecrets" .Values.imagePullSecrets "securityContext" (include "platform.securityContext" (dict "whole" .Values.agent.podSecurityContext)) "values" .Values.agent) -}}
{{- end -}}

{{/* DATABASE_URL and REDIS_URL of the test pod, the latter where there is a cache. Argument: the root context. */}}
{{- define "ai-agent.urls" -}}
{{- range $name, $key := ternary (dict "DATABASE_URL" "database-url" "REDIS_URL" "redis-url") (dict "DATABASE_URL" "database-url") (eq (include "ai-agent.cache" .) "true") }}
{{ include "platform.envFromSecret" (merge (dict "name" $name) (include "ai-agent.secretKey" (dict "root" $ "key" $key) | fromJson)) }}
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
