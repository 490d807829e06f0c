{{- define "ai-agent.image" -}}
{{- $image := .Values.agent.image -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "ai-agent.gateImage" -}}
{{- default (include "ai-agent.image" .) .Values.migration.gate.image -}}
{{- end -}}

{{- define "ai-agent.testImage" -}}
{{- default (include "ai-agent.image" .) .Values.connectionTest.image -}}
{{- end -}}

{{- define "ai-agent.migrationImage" -}}
{{- default (include "ai-agent.image" .) .Values.migration.image -}}
{{- end -}}
