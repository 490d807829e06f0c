{{/* Fields that all pods of this chart share. Argument: the root context. */}}
{{- define "ai-agent.podDefaults" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .Values.agent.podSecurityContext | nindent 2 }}
{{- end -}}

{{/* An environment variable from the release's Secret. Argument: dict "name", "secret", "key". */}}
{{- define "ai-agent.envFromSecret" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
{{- end -}}
