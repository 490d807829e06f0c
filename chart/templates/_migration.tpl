{{/*
"true" when pods of the Deployment serve now, else empty. Without a cluster (helm template) nothing serves.
*/}}
{{- define "ai-agent.serving" -}}
{{- include "platform.serving" (dict "root" . "name" (include "ai-agent.fullname" .)) -}}
{{- end -}}

{{/*
"true" when the migration runs in the pre-upgrade hook. A hook exists to protect what serves: while an old version serves, the
migration comes before any change; when nothing serves, everything is applied, a plain Job migrates and the pods wait.
A hook without that condition deadlocks: it would wait for a database whose repair is not applied yet.
*/}}
{{- define "ai-agent.migration.hook" -}}
{{- if and .Values.migration.enabled .Values.migration.hook .Release.IsUpgrade (not (include "ai-agent.migration.itself" .)) -}}
{{- include "ai-agent.serving" . -}}
{{- end -}}
{{- end -}}

{{- define "ai-agent.migration.plain" -}}
{{- if and .Values.migration.enabled (not (include "ai-agent.migration.hook" .)) (not (include "ai-agent.migration.itself" .)) -}}true{{- end -}}
{{- end -}}

{{/* "true" where the image migrates its database itself at its start: no Job, and one pod before the others. */}}
{{- define "ai-agent.migration.itself" -}}
{{- if and .Values.migration.enabled (eq .Values.migration.tool "none") -}}true{{- end -}}
{{- end -}}

{{/* Command of the init container that holds a pod until its database is ready for it. */}}
{{- define "ai-agent.migration.wait" -}}
{{- if eq .Values.migration.tool "none" -}}
- python
- /migration/first_pod.py
{{- else -}}
- python
- /migration/{{ ternary "command_migration.py" "schema.py" (eq .Values.migration.tool "command") }}
- wait
{{- end -}}
{{- end -}}

{{/*
What the tool `command` knows a release's migration by: its image, and the program that runs in it. No image of one name may have other
migrations tomorrow.
*/}}
{{- define "ai-agent.migration.release" -}}
{{- printf "%s %s" (include "ai-agent.migrationImage" .) (.Values.migration.command | toJson | sha256sum | trunc 8) -}}
{{- end -}}

{{/* Where Alembic's environment of the image is, for the migration's containers. Argument: the root context. */}}
{{- define "ai-agent.migration.place" -}}
{{- $alembic := .Values.migration.alembic -}}
{{- if $alembic.scriptLocation }}
- name: ALEMBIC_CONFIG
  value: /migration/alembic.ini
- name: ALEMBIC_SCRIPT_LOCATION
  value: {{ $alembic.scriptLocation | quote }}
{{- else if $alembic.config }}
- name: ALEMBIC_CONFIG
  value: {{ $alembic.config | quote }}
{{- end }}
{{- end -}}

{{/* The same for the agent's container, whose revisions the preflight asks: a configuration that the chart makes is not in it. */}}
{{- define "ai-agent.migration.agentEnv" -}}
{{- if and .Values.migration.enabled (eq .Values.migration.tool "alembic") -}}
{{- with .Values.migration.alembic.scriptLocation }}
- name: ALEMBIC_SCRIPT_LOCATION
  value: {{ . | quote }}
{{- else }}
{{- $config := .Values.migration.alembic.config }}
{{- with .Values.migration.workingDir }}
{{- if not (hasPrefix "/" $config) }}{{ $config = printf "%s/%s" (trimSuffix "/" .) (default "alembic.ini" $config) }}{{ end }}
{{- end }}
{{- with $config }}
- name: ALEMBIC_CONFIG
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* What the tools but Alembic are told. Argument: the root context. */}}
{{- define "ai-agent.migration.ledger" -}}
- name: SCHEMA_LEDGER
  value: {{ .Values.migration.ledger | quote }}
{{- if eq .Values.migration.tool "command" }}
- name: SCHEMA_RELEASE
  value: {{ include "ai-agent.migration.release" . | quote }}
{{- else }}
- name: FIRST_POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: FIRST_POD_SERVICE
  value: {{ printf "%s:%v" (include "ai-agent.fullname" .) .Values.agent.service.port | quote }}
- name: FIRST_POD_SECONDS
  value: {{ .Values.migration.firstPodSeconds | quote }}
{{- end }}
{{- end -}}

{{/* A migration of a tool that is told nothing, or told for nothing. */}}
{{- define "ai-agent.guards.migrationTool" -}}
{{- $migration := .Values.migration -}}
{{- if and (eq $migration.tool "command") (not $migration.command) -}}
{{- fail "migration.tool is command, but migration.command is empty: name the program of the image and its arguments." -}}
{{- end -}}
{{- if and (ne $migration.tool "command") $migration.command -}}
{{- fail (printf "migration.command is set, but migration.tool is %s: set it to command, or remove migration.command." $migration.tool) -}}
{{- end -}}
{{- if and $migration.alembic.config $migration.alembic.scriptLocation -}}
{{- fail "migration.alembic.config and migration.alembic.scriptLocation are both set: keep config where the image has such a file, else scriptLocation." -}}
{{- end -}}
{{- if and (ne $migration.tool "alembic") (or $migration.alembic.config $migration.alembic.scriptLocation) -}}
{{- fail (printf "migration.alembic is set, but migration.tool is %s: set it to alembic, or remove migration.alembic." $migration.tool) -}}
{{- end -}}
{{- end -}}

{{/* The migration's program, data of the ConfigMaps that carry it. */}}
{{- define "ai-agent.migration.scripts" -}}
{{- range $path, $_ := .Files.Glob "files/{libpq_url,schema*}.py" }}
{{ base $path }}: |
  {{- $.Files.Get $path | nindent 2 }}
{{- end }}
{{- with ternary (list "command_migration.py" "ledger.py") (ternary (list "first_pod.py" "ledger.py") list (eq .Values.migration.tool "none")) (eq .Values.migration.tool "command") }}
{{- range . }}
{{ . }}: |
  {{- $.Files.Get (printf "files/%s" .) | nindent 2 }}
{{- end }}
{{- end }}
{{- with .Values.migration.alembic.scriptLocation }}
alembic.ini: |
  {{- $.Files.Get "files/alembic.ini" | replace "SCRIPT_LOCATION" . | nindent 2 }}
{{- end }}
{{- end -}}

{{/*
Environment, mounts and security of a container that runs schema.py. Argument: dict "root", "secret", "key" of the database URL, "migration"
whether it is the one that migrates, "own" the hook's Secret, empty where it has none.
*/}}
{{- define "ai-agent.migration.container" -}}
{{- with default .root.Values.agent.workingDir .root.Values.migration.workingDir -}}
workingDir: {{ . | quote }}
{{ end -}}
env:
  {{- include "platform.envFromSecret" (dict "name" "DATABASE_URL" "secret" .secret "key" .key) | nindent 2 }}
  {{- with include "ai-agent.migrationUrls" (dict "root" .root "migration" .migration "secret" .own) }}
  {{- . | indent 2 }}
  {{- end }}
  - name: SCHEMA_VERSION_TABLE
    value: {{ .root.Values.migration.versionTable | quote }}
  - name: SCHEMA_LOCK_TIMEOUT
    value: {{ .root.Values.migration.lockTimeout | quote }}
  {{- if ne .root.Values.migration.tool "alembic" }}
  {{- include "ai-agent.migration.ledger" .root | nindent 2 }}
  {{- else }}
  {{- with include "ai-agent.migration.place" .root }}
  {{- . | indent 2 }}
  {{- end }}
  {{- end }}
  {{- range $name, $value := include "ai-agent.configData" .root | fromYaml }}
  - name: {{ $name }}
    value: {{ $value | quote }}
  {{- end }}
  {{- include "ai-agent.extraEnv" .root | indent 2 }}
{{- with .root.Values.agent.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- include "platform.securityContext" (dict "whole" .root.Values.agent.containerSecurityContext) | nindent 2 }}
volumeMounts:
  - name: migration-scripts
    mountPath: /migration
    readOnly: true
  - name: tmp
    mountPath: /tmp
  {{- include "ai-agent.extraVolumeMounts" .root | indent 2 }}
{{- end -}}

{{/* Volumes of a pod that runs schema.py. Argument: dict "root" the root context, "name" name of the ConfigMap. */}}
{{- define "ai-agent.migration.volumes" -}}
- name: migration-scripts
  configMap:
    name: {{ .name }}
{{ include "ai-agent.tmp" .root }}
{{- include "ai-agent.extraVolumes" .root }}
{{- end -}}

{{/*
Spec of the migration's Job.
Argument: dict "root" the root context, "hook" whether it is the hook's. The hook reads its own Secret and ConfigMap (the new
ones are not applied yet), has a deadline, and does not use a service account of this chart, which may not exist yet.
*/}}
{{- define "ai-agent.migration.jobSpec" -}}
{{- $root := .root -}}
{{- $migration := $root.Values.migration -}}
{{- $labels := dict "root" $root "component" "migration" -}}
{{- $own := and .hook (not $root.Values.existingSecret) -}}
{{- $url := include "ai-agent.secretKey" (dict "root" $root "key" (include "ai-agent.migrationUrlKey" (dict "root" $root "migration" true))) | fromJson -}}
{{- if $own -}}{{- $_ := set $url "secret" (include "ai-agent.preUpgradeName" $root) -}}{{- end -}}
{{- $job := dict "values" $migration "labels" (include "platform.clientPodLabels" $labels) -}}
{{- if .hook -}}
{{- /* The kubelet counts the pull of the image; the migration's own time is counted by schema.py, which ends with 124. */ -}}
{{- $job = merge $job (dict "deadline" (add $migration.startTimeout $migration.timeout) "failAt" 124) -}}
{{- end -}}
{{- $checksum := dict "checksum/scripts" (include "ai-agent.migration.scripts" $root | sha256sum) -}}
{{- $_ := set $job "annotations" (merge $checksum (default dict $migration.podAnnotations) | toYaml) -}}
{{- $_ := set $job "pod" (include "ai-agent.migration.pod" .) -}}
{{- $_ := set $job "container" (include "ai-agent.migration.migrate" (merge (dict "root" $root "hook" .hook "migration" true "own" (ternary (include "ai-agent.preUpgradeName" $root) "" $own)) $url)) -}}
{{- $scripts := ternary (include "ai-agent.preUpgradeName" $root) (include "ai-agent.migrationScriptsName" $root) .hook -}}
{{- $_ := set $job "volumes" (include "ai-agent.migration.volumes" (dict "root" $root "name" $scripts)) -}}
{{- include "platform.migration.jobSpec" $job -}}
{{- end -}}

{{/* Fields of the spec of the migration's pod. Argument as for ai-agent.migration.jobSpec. */}}
{{- define "ai-agent.migration.pod" -}}
{{- $root := .root -}}
{{- $values := $root.Values.agent -}}
{{- range $key := list "nodeSelector" "tolerations" }}{{ with get $root.Values.migration $key }}{{ $values = set (omit $values $key) $key . }}{{ end }}{{ end -}}
{{- include "ai-agent.podDefaultsOf" (dict "root" $root "values" $values) }}
{{- with $root.Values.migration.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
automountServiceAccountToken: false
{{- include "ai-agent.nativeSidecars" $root }}
{{- /* An upgrade that brings the account brings it after the hook; one under which the agent runs is there. */}}
{{- $live := dig "spec" "template" "spec" "serviceAccountName" "" (include "ai-agent.liveDeployment" $root | fromJson) }}
{{- if or (not (and .hook $root.Values.serviceAccount.create)) (eq $live (include "ai-agent.serviceAccountName" $root)) }}
serviceAccountName: {{ include "ai-agent.serviceAccountName" $root }}
{{- end }}
{{- end -}}

{{/* The container that migrates, without its name. Argument as for ai-agent.migration.container, and "hook". */}}
{{- define "ai-agent.migration.migrate" -}}
{{- $migration := .root.Values.migration -}}
image: {{ include "ai-agent.migrationImage" .root | quote }}
imagePullPolicy: {{ .root.Values.agent.image.pullPolicy }}
command:
  - python
  - /migration/{{ ternary "command_migration.py" "schema.py" (eq $migration.tool "command") }}
  - migrate
  {{- if .hook }}
  - --database-timeout={{ $migration.databaseTimeout }}
  - --timeout={{ $migration.timeout }}
  {{- end }}
  {{- if eq $migration.tool "command" }}
  - --
  {{- /* The program's variables are those that the migration's session has: the kubelet must not fill in others before. */}}
  {{- range $migration.command }}
  - {{ replace "$(" "$$(" . | quote }}
  {{- end }}
  {{- end }}
{{ include "ai-agent.migration.container" . }}
resources:
  {{- toYaml $migration.resources | nindent 2 }}
{{- end -}}
