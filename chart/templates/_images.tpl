{{/*
The name of an image with the registry of a closed network, global.imageRegistry, which the subcharts read too: in place of the name's own
registry, the part before the first slash where that has a dot or a colon, or is localhost. Argument: dict "root", "name".
*/}}
{{- define "ai-agent.fromRegistry" -}}
{{- $registry := dig "imageRegistry" "" (default dict .root.Values.global) -}}
{{- if and $registry .name -}}
{{- printf "%s/%s" (trimSuffix "/" $registry) (regexReplaceAll "^(localhost|[^/]*[.:][^/]*)/" .name "") -}}
{{- else -}}
{{- .name -}}
{{- end -}}
{{- end -}}

{{- define "ai-agent.image" -}}
{{- $image := .Values.agent.image -}}
{{- $name := include "ai-agent.fromRegistry" (dict "root" . "name" $image.repository) -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "ai-agent.gateImage" -}}
{{- default (include "ai-agent.image" .) (include "ai-agent.fromRegistry" (dict "root" . "name" .Values.migration.gate.image)) -}}
{{- end -}}

{{- define "ai-agent.testImage" -}}
{{- default (include "ai-agent.image" .) (include "ai-agent.fromRegistry" (dict "root" . "name" .Values.connectionTest.image)) -}}
{{- end -}}

{{- define "ai-agent.migrationImage" -}}
{{- default (include "ai-agent.image" .) (include "ai-agent.fromRegistry" (dict "root" . "name" .Values.migration.image)) -}}
{{- end -}}
