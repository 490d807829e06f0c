{{/* Settings of the agent that are no secret, as a YAML map of strings: the ConfigMap's data and the migration's environment. */}}
{{- define "ai-agent.configData" -}}
{{- $data := dict "ORGANIZATION" .Values.organizationLabels.team "ENVIRONMENT" .Values.organizationLabels.environment "DRAIN_SECONDS" (toString .Values.agent.drainSeconds) -}}
{{- with .Values.agent.llm.baseUrl }}{{ $_ := set $data "LLM_BASE_URL" . }}{{ end -}}
{{- with .Values.agent.llm.model }}{{ $_ := set $data "LLM_MODEL" . }}{{ end -}}
{{- $agent := .Values.agent -}}
{{- if $agent.llm.reportUsage }}{{ $_ := set $data "LLM_REPORT_USAGE" "true" }}{{ end -}}
{{- with $agent.llm.prices.input }}{{ $_ := set $data "LLM_PRICE_INPUT" (toString .) }}{{ end -}}
{{- with $agent.llm.prices.output }}{{ $_ := set $data "LLM_PRICE_OUTPUT" (toString .) }}{{ end -}}
{{- if $agent.rateLimit.perMinute -}}
{{- $_ := set $data "RATE_LIMIT_PER_MINUTE" ($agent.rateLimit.perMinute | int64 | toString) -}}
{{- with $agent.rateLimit.burst }}{{ $_ := set $data "RATE_LIMIT_BURST" (. | int64 | toString) }}{{ end -}}
{{- end -}}
{{- if not $agent.chatPage }}{{ $_ := set $data "CHAT_PAGE" "false" }}{{ end -}}
{{- with $agent.tracing.endpoint -}}
{{- $_ := set $data "OTEL_EXPORTER_OTLP_ENDPOINT" . -}}
{{- $attributes := list -}}
{{- range $name, $value := merge (dict) (default dict $agent.tracing.resourceAttributes) (dict "service.name" (include "ai-agent.fullname" $) "service.namespace" $.Release.Namespace) -}}
{{- $attributes = append $attributes (printf "%s=%s" $name $value) -}}
{{- end -}}
{{- $_ := set $data "OTEL_RESOURCE_ATTRIBUTES" (join "," $attributes) -}}
{{- end -}}
{{- merge $data (default dict .Values.agent.env) | toYaml -}}
{{- end -}}
