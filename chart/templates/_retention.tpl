{{/* Name of what deletes old sessions: a CronJob's has 52 characters at most, for its Jobs get a longer one. */}}
{{- define "ai-agent.retentionName" -}}
{{- include "platform.objectName" (dict "fullname" (include "ai-agent.fullname" .) "suffix" "retention" "longest" 52) -}}
{{- end -}}

{{- define "ai-agent.retentionImage" -}}
{{- default (include "ai-agent.image" .) (include "platform.fromRegistry" (dict "root" . "name" .Values.retention.image)) -}}
{{- end -}}

{{/* What is deleted and how, as chart/files/retention_job.py takes it. */}}
{{- define "ai-agent.retentionRequest" -}}
{{- $tables := list -}}
{{- range .Values.retention.tables -}}
{{- $table := dict "table" .table "key" .key "time" .time -}}
{{- if .parent }}{{ $table = merge $table (dict "parent" .parent "parent_column" .parentColumn) }}{{ end -}}
{{- $tables = append $tables $table -}}
{{- end -}}
{{- $request := dict "tables" $tables "days" .Values.retention.days "batch" (int .Values.retention.batch) -}}
{{- $_ := set $request "pause_seconds" (divf .Values.retention.pauseMs 1000) -}}
{{- $_ := set $request "statement_seconds" .Values.retention.statementTimeout -}}
{{- $_ := set $request "max_seconds" (int .Values.retention.maxSeconds) -}}
{{- $request | toJson -}}
{{- end -}}

{{/* The program, data of the ConfigMap that carries it. */}}
{{- define "ai-agent.retentionScripts" -}}
{{- range $path, $_ := .Files.Glob "files/{errors,guest_memory,libpq_url,probe_causes,probe_startup,retention*,session}.py" }}
{{ base $path }}: |
  {{- $.Files.Get $path | nindent 2 }}
{{- end }}
{{- end -}}
