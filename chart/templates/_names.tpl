{{/*
Name of the agent's objects: the release's name unless overridden. A subchart calls its objects after the release alone where the
release's name contains its own (my-postgresql); there the agent gets the chart's name appended, or two Services would have one name.
*/}}
{{- define "ai-agent.fullname" -}}
{{- if not (hasKey . "aiAgentFullname") -}}
{{- $name := .Release.Name -}}
{{- range $chart := list "postgresql" "redis" -}}
{{- if and (index $.Values $chart).enabled (eq $.Release.Name (include "ai-agent.subchartFullname" (dict "root" $ "chart" $chart))) -}}
{{- $name = printf "%s-%s" $.Release.Name (include "platform.name" $) -}}
{{- end -}}
{{- end -}}
{{- $_ := set . "aiAgentFullname" (include "platform.shortName" (default $name .Values.fullnameOverride)) -}}
{{- end -}}
{{- .aiAgentFullname -}}
{{- end -}}

{{/* Name of a further object of the agent. Argument: dict "root" the root context, "suffix" the suffix. */}}
{{- define "ai-agent.objectName" -}}
{{- include "platform.objectName" (dict "fullname" (include "ai-agent.fullname" .root) "suffix" .suffix) -}}
{{- end -}}

{{- define "ai-agent.configName" -}}
{{- include "ai-agent.objectName" (dict "root" . "suffix" "config") -}}
{{- end -}}

{{- define "ai-agent.migrationScriptsName" -}}
{{- include "ai-agent.objectName" (dict "root" . "suffix" "migration-scripts") -}}
{{- end -}}

{{- define "ai-agent.testScriptsName" -}}
{{- include "ai-agent.objectName" (dict "root" . "suffix" "test-scripts") -}}
{{- end -}}

{{/* Name of the hook's own Secret and ConfigMap. */}}
{{- define "ai-agent.preUpgradeName" -}}
{{- include "ai-agent.objectName" (dict "root" . "suffix" "pre-upgrade") -}}
{{- end -}}

{{/*
Name of the hook's Job: the same each time, so that Helm removes the last run's before it makes this one's. One that a killed
helm left at work must not be removed: then the revision makes another, which waits for it.
*/}}
{{- define "ai-agent.preUpgradeJobName" -}}
{{- $name := include "ai-agent.objectName" (dict "root" . "suffix" "pre-upgrade-migration") -}}
{{- $live := lookup "batch/v1" "Job" .Release.Namespace $name -}}
{{- $ended := false -}}
{{- range dig "status" "conditions" list $live -}}
{{- if and (has .type (list "Complete" "Failed")) (eq .status "True") -}}{{- $ended = true -}}{{- end -}}
{{- end -}}
{{- if and $live (not $ended) -}}
{{- $name = include "ai-agent.objectName" (dict "root" . "suffix" (printf "pre-upgrade-migration-%d" .Release.Revision)) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{/*
Name of the Secret that everything reads. It follows the release's name, never fullnameOverride: the subcharts must be able
to name it, and of this chart they see the release only.
*/}}
{{- define "ai-agent.secretName" -}}
{{- default (printf "%s-secret" .Release.Name) .Values.existingSecret -}}
{{- end -}}

{{- define "ai-agent.serviceAccountName" -}}
{{- include "platform.serviceAccountName" (dict "root" . "fullname" (include "ai-agent.fullname" .)) -}}
{{- end -}}
