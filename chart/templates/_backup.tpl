{{/* Name of what backs up the database: a CronJob's has 52 characters at most, for its Jobs get a longer one. */}}
{{- define "ai-agent.backupName" -}}
{{- include "platform.objectName" (dict "fullname" (include "ai-agent.fullname" .) "suffix" "backup" "longest" 52) -}}
{{- end -}}

{{/* The image with PostgreSQL's programs: that of the release's own server, so that its version fits. */}}
{{- define "ai-agent.backupServerImage" -}}
{{- if .Values.backup.serverImage -}}
{{- include "platform.fromRegistry" (dict "root" . "name" .Values.backup.serverImage) -}}
{{- else -}}
{{- $server := dict "Chart" (dict "Name" "postgresql") "Values" (dict "image" .Values.postgresql.image "global" .Values.global) -}}
{{- include "platform.serverImage" (dict "root" $server "because" "a backup needs the programs of the server's version") -}}
{{- end -}}
{{- end -}}

{{/* The user of both containers: what one writes the other reads, and PostgreSQL's folders are closed for everybody else. */}}
{{- define "ai-agent.backupUser" -}}
{{- $own := dig "primary" "containerSecurityContext" "runAsUser" 999 .Values.postgresql -}}
{{- $server := ternary $own 999 (and .Values.postgresql.enabled (empty .Values.backup.serverImage)) -}}
{{- int64 (ternary $server .Values.backup.serverUser (kindIs "invalid" .Values.backup.serverUser)) -}}
{{- end -}}

{{/* What is backed up and how, as chart/files/backup_job.py takes it. */}}
{{- define "ai-agent.backupRequest" -}}
{{- $v := .Values.backup -}}
{{- $keep := dict "last" (int $v.keep.last) "daily" (int $v.keep.daily) "weekly" (int $v.keep.weekly) "monthly" (int $v.keep.monthly) -}}
{{- $request := dict "state" "backup" "shared" "/shared" "work" "/work" "path" "/backups" "image" (include "ai-agent.image" .) -}}
{{- $_ := set $request "jobs" (int $v.jobs) -}}
{{- $_ := set $request "version_table" .Values.migration.versionTable -}}
{{- $_ := set $request "lock_timeout_ms" 10000 -}}
{{- $_ := set $request "retention" $keep -}}
{{- with $v.s3 -}}
{{- if .bucket -}}
{{- $prefix := default (printf "%s/%s" $.Release.Namespace $.Release.Name) .prefix | trimAll "/" -}}
{{- $store := dict "bucket" .bucket "prefix" $prefix "path_style" .pathStyle -}}
{{- if .endpoint }}{{ $_ := set $store "endpoint" .endpoint }}{{ end -}}
{{- if .region }}{{ $_ := set $store "region" .region }}{{ end -}}
{{- if .caCertificates }}{{ $_ := set $store "ca_certificates" .caCertificates }}{{ end -}}
{{- $_ := set $request "store" $store -}}
{{- end -}}
{{- end -}}
{{- $request | toJson -}}
{{- end -}}

{{/* The program, data of the ConfigMap that carries it. */}}
{{- define "ai-agent.backupScripts" -}}
{{- range $path, $_ := .Files.Glob "files/{backup*,errors,framing,libpq_url,probe_causes,session}.py" }}
{{ base $path }}: |
  {{- $.Files.Get $path | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Where backups go is said once, and the programs fit the server. */}}
{{- define "ai-agent.guards.backup" -}}
{{- with .Values.backup -}}
{{- if .schedule -}}
{{- if eq (empty .claim) (empty .s3.bucket) -}}
{{- fail (printf "backup.schedule is %s, and %s: name the volume's claim in backup.claim, or a bucket in backup.s3.bucket." .schedule (ternary "nothing says where backups go" "backups would go to two places" (empty .claim))) -}}
{{- end -}}
{{- if and (not $.Values.postgresql.enabled) (empty .serverImage) -}}
{{- fail "backup.schedule is set, and the database is none of this release: name an image with PostgreSQL's programs, of its major version, in backup.serverImage." -}}
{{- end -}}
{{- range $name := list "databaseSecret" "encryptionSecret" -}}
{{- $secret := index $.Values.backup $name -}}
{{- if ne (empty $secret.name) (empty $secret.key) -}}
{{- fail (printf "backup.%s needs both, name and key of a Secret." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What both containers see. */}}
{{- define "ai-agent.backupMounts" -}}
- name: shared
  mountPath: /shared
- name: work
  mountPath: /work
{{- if .Values.backup.claim }}
- name: backups
  mountPath: /backups
{{- end }}
{{- end -}}
