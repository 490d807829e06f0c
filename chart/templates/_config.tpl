{{/* Settings of the agent that are no secret, as a YAML map of strings: the ConfigMap's data and the migration's environment. */}}
{{- define "ai-agent.configData" -}}
{{- $data := dict "ORGANIZATION" .Values.organizationLabels.team "ENVIRONMENT" .Values.organizationLabels.environment "DRAIN_SECONDS" (toString .Values.agent.drainSeconds) -}}
{{- with .Values.agent.llm.baseUrl }}{{ $_ := set $data "LLM_BASE_URL" . }}{{ end -}}
{{- with .Values.agent.llm.model }}{{ $_ := set $data "LLM_MODEL" . }}{{ end -}}
{{- merge $data .Values.agent.env | toYaml -}}
{{- end -}}
