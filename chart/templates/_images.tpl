{{- define "ai-agent.image" -}}
{{- include "platform.image" (dict "root" . "image" .Values.agent.image) -}}
{{- end -}}

{{- define "ai-agent.gateImage" -}}
{{- default (include "ai-agent.image" .) (include "platform.fromRegistry" (dict "root" . "name" .Values.migration.gate.image)) -}}
{{- end -}}

{{- define "ai-agent.testImage" -}}
{{- default (include "ai-agent.image" .) (include "platform.fromRegistry" (dict "root" . "name" .Values.connectionTest.image)) -}}
{{- end -}}

{{- define "ai-agent.migrationImage" -}}
{{- default (include "ai-agent.image" .) (include "platform.fromRegistry" (dict "root" . "name" .Values.migration.image)) -}}
{{- end -}}
