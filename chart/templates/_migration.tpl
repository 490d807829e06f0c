{{/*
"true" when pods of the Deployment serve now, else empty. Without a cluster (helm template) nothing serves.
*/}}
{{- define "ai-agent.serving" -}}
{{- if gt (int (dig "status" "availableReplicas" 0 (include "ai-agent.liveDeployment" . | fromJson))) 0 -}}true{{- end -}}
{{- end -}}

{{/*
"true" when the migration runs in the pre-upgrade hook. A hook exists to protect what serves: while an old version serves, the
migration comes before any change; when nothing serves, everything is applied, a plain Job migrates and the pods wait.
A hook without that condition deadlocks: it would wait for a database whose repair is not applied yet.
*/}}
{{- define "ai-agent.migration.hook" -}}
{{- if and .Values.migration.enabled .Values.migration.hook .Release.IsUpgrade -}}
{{- include "ai-agent.serving" . -}}
{{- end -}}
{{- end -}}

{{- define "ai-agent.migration.plain" -}}
{{- if and .Values.migration.enabled (not (include "ai-agent.migration.hook" .)) -}}true{{- end -}}
{{- end -}}

{{/* The migration's program, data of the ConfigMaps that carry it. */}}
{{- define "ai-agent.migration.scripts" -}}
{{- range $path, $_ := .Files.Glob "files/{libpq_url,schema*}.py" }}
{{ base $path }}: |
  {{- $.Files.Get $path | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Environment, mounts and security of a container that runs schema.py. Argument: dict "root", "secret", "key" of the database URL. */}}
{{- define "ai-agent.migration.container" -}}
env:
  {{- include "ai-agent.envFromSecret" (dict "name" "DATABASE_URL" "secret" .secret "key" .key) | nindent 2 }}
  - name: SCHEMA_VERSION_TABLE
    value: {{ .root.Values.migration.versionTable | quote }}
  - name: SCHEMA_LOCK_TIMEOUT
    value: {{ .root.Values.migration.lockTimeout | quote }}
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
  {{- toYaml .root.Values.agent.containerSecurityContext | nindent 2 }}
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
- name: tmp
  emptyDir: {}
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
{{- $url := include "ai-agent.secretKey" (dict "root" $root "key" "migration-database-url") | fromJson -}}
{{- if $own -}}{{- $_ := set $url "secret" (include "ai-agent.preUpgradeName" $root) -}}{{- end -}}
backoffLimit: {{ $migration.backoffLimit }}
{{- if .hook }}
{{- /* The kubelet counts the pull of the image; the migration's own time is counted by schema.py, which ends with 124. */}}
activeDeadlineSeconds: {{ add $migration.startTimeout $migration.timeout }}
podFailurePolicy:
  rules:
    - action: FailJob
      onExitCodes:
        containerName: migrate
        operator: In
        values: [124]
{{- end }}
ttlSecondsAfterFinished: {{ $migration.ttlSecondsAfterFinished }}
template:
  metadata:
    labels:
      {{- include "ai-agent.clientPodLabels" $labels | nindent 6 }}
    annotations:
      checksum/scripts: {{ include "ai-agent.migration.scripts" $root | sha256sum }}
  spec:
    {{- include "ai-agent.podDefaults" $root | nindent 4 }}
    automountServiceAccountToken: false
    {{- /* An upgrade that brings the account brings it after the hook; one under which the agent runs is there. */}}
    {{- $live := dig "spec" "template" "spec" "serviceAccountName" "" (include "ai-agent.liveDeployment" $root | fromJson) }}
    {{- if or (not (and .hook $root.Values.serviceAccount.create)) (eq $live (include "ai-agent.serviceAccountName" $root)) }}
    serviceAccountName: {{ include "ai-agent.serviceAccountName" $root }}
    {{- end }}
    restartPolicy: Never
    containers:
      - name: migrate
        image: {{ include "ai-agent.migrationImage" $root | quote }}
        imagePullPolicy: {{ $root.Values.agent.image.pullPolicy }}
        command:
          - python
          - /migration/schema.py
          - migrate
          {{- if .hook }}
          - --database-timeout={{ $migration.databaseTimeout }}
          - --timeout={{ $migration.timeout }}
          {{- end }}
        {{- include "ai-agent.migration.container" (merge (dict "root" $root) $url) | nindent 8 }}
        resources:
          {{- toYaml $migration.resources | nindent 10 }}
    volumes:
      {{- $scripts := ternary (include "ai-agent.preUpgradeName" $root) (include "ai-agent.migrationScriptsName" $root) .hook }}
      {{- include "ai-agent.migration.volumes" (dict "root" $root "name" $scripts) | nindent 6 }}
{{- end -}}
