{{- define "server.fullname" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* What selects the pods of one component, and nothing else. Argument: dict "root", "component". */}}
{{- define "server.selector" -}}
app.kubernetes.io/name: server
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "server.labels" -}}
{{ include "server.selector" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Labels of pods: who carries server.example.com/db-client may reach the database. */}}
{{- define "server.clientLabels" -}}
{{ include "server.selector" . }}
server.example.com/db-client: "true"
{{- end -}}

{{- define "server.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag }}
{{- end -}}

{{- define "server.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "server.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Argument: dict "root", "key". */}}
{{- define "server.databaseUrl" -}}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef: {name: {{ .root.Values.existingSecret }}, key: {{ .key }}}
{{- end -}}

{{/*
"true" when an old version serves now. Then the migration is a hook, before anything is changed; else everything is applied,
an ordinary Job migrates and the pods wait, so that a first install and its repair can never wait for each other.
*/}}
{{- define "server.hook" -}}
{{- $live := lookup "apps/v1" "Deployment" .Release.Namespace (include "server.fullname" .) | default dict -}}
{{- if and .Release.IsUpgrade (gt (int (dig "status" "availableReplicas" 0 $live)) 0) -}}true{{- end -}}
{{- end -}}

{{/* Argument: dict "root", "hook". */}}
{{- define "server.migrationSpec" -}}
{{- $root := .root -}}
backoffLimit: 1
ttlSecondsAfterFinished: 604800
{{- if .hook }}
activeDeadlineSeconds: {{ $root.Values.migration.timeout }}
{{- end }}
template:
  metadata:
    labels:
      {{- include "server.clientLabels" (dict "root" $root "component" "migration") | nindent 6 }}
  spec:
    automountServiceAccountToken: false
    restartPolicy: Never
    securityContext:
      {{- include "server.podSecurity" $root | nindent 6 }}
    containers:
      - name: migrate
        image: {{ include "server.image" $root }}
        command:
          {{- toYaml $root.Values.migration.command | nindent 10 }}
        env:
          {{- include "server.databaseUrl" (dict "root" $root "key" "migration-database-url") | nindent 10 }}
        securityContext:
          {{- include "server.containerSecurity" $root | nindent 10 }}
        resources:
          {{- toYaml $root.Values.resources | nindent 10 }}
{{- end -}}

{{/* Egress of what asks the database: names, and the server. Argument: the root context. */}}
{{- define "server.egress" -}}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
- to:
    {{- if .Values.database.bundled }}
    - podSelector:
        matchLabels:
          {{- include "server.selector" (dict "root" . "component" "database") | nindent 10 }}
    {{- else }}
    {{- required "networkPolicy.database is empty: say where your database is" .Values.networkPolicy.database | toYaml | nindent 4 }}
    {{- end }}
  ports:
    - {port: 5432, protocol: TCP}
{{- end -}}
