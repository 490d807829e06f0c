{{/* The StatefulSet of one kind of server. Argument: dict "root" the root context, "component" primary or read. */}}
{{- define "aipg.statefulset" -}}
{{- $root := .root }}
{{- $primary := eq .component "primary" }}
{{- $replicated := eq $root.Values.architecture "replication" }}
{{- $server := include "aipg.values" . | fromJson }}
{{- $auth := include "aipg.auth" $root | fromJson }}
{{- $custom := $auth.custom }}
{{- $keys := list }}
{{- if or $auth.enablePostgresUser (not $custom) }}{{ $keys = append $keys (include "aipg.adminKey" $root) }}{{ end }}
{{- if $custom }}{{ $keys = append $keys (include "aipg.userKey" $root) }}{{ end }}
{{- if $replicated }}{{ $keys = append $keys (include "aipg.replicationKey" $root) }}{{ end }}
{{- $scripts := "" }}
{{- if $primary }}
{{- $scripts = include "platform.tpl" (list $server.initdb.scriptsConfigMap $root) }}
{{- if $server.initdb.scripts }}{{ $scripts = printf "%s-init-scripts" (include "aipg.roleName" .) }}{{ end }}
{{- end }}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ include "aipg.roleName" . }}
  namespace: {{ $root.Release.Namespace | quote }}
  labels:
    {{- include "platform.serverLabels" . | nindent 4 }}
  {{- include "platform.annotations" (dict "root" $root "templates" true) }}
spec:
  replicas: {{ ternary 1 $server.replicaCount $primary }}
  serviceName: {{ include "aipg.roleName" . }}-hl
  # OrderedReady never replaces a pod that was never ready, so a wrong image could not be repaired by an upgrade.
  podManagementPolicy: Parallel
  updateStrategy:
    type: RollingUpdate
  selector:
    matchLabels:
      {{- include "platform.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "platform.serverPodLabels" (dict "root" $root "component" .component "own" $server.podLabels) | nindent 8 }}
      annotations:
        checksum/configuration: {{ include "platform.tpl" (list $server.extendedConfiguration $root) | sha256sum }}
        {{- with $server.podAnnotations }}
        {{- include "platform.tpl" (list (toYaml .) $root) | nindent 8 }}
        {{- end }}
    spec:
      {{- with include "platform.serverPullSecrets" $root }}
      {{- . | trim | nindent 6 }}
      {{- end }}
      serviceAccountName: {{ include "platform.serviceAccountName" (dict "root" $root "fullname" (include "platform.fullname" $root)) }}
      automountServiceAccountToken: {{ $root.Values.serviceAccount.automountServiceAccountToken }}
      terminationGracePeriodSeconds: {{ $server.terminationGracePeriodSeconds }}
      {{- include "platform.scheduling" (dict "root" $root "component" .component "values" $server) | trim | nindent 6 }}
      securityContext:
        {{- include "platform.securityContext" (dict "whole" $server.podSecurityContext) | nindent 8 }}
      containers:
        - name: postgresql
          image: {{ include "platform.serverImage" (dict "root" $root "because" "a database must not change its version by itself") | quote }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          securityContext:
            {{- include "platform.securityContext" (dict "whole" $server.containerSecurityContext) | nindent 12 }}
          env:
            - name: POSTGRESQL_PORT_NUMBER
              value: {{ $root.Values.containerPorts.postgresql | quote }}
            - name: POSTGRESQL_VOLUME_DIR
              value: /bitnami/postgresql
            - name: PGDATA
              value: /bitnami/postgresql/data
            {{- if $custom }}
            - name: POSTGRES_USER
              value: {{ $auth.username | quote }}
            - name: POSTGRES_PASSWORD_FILE
              value: /opt/bitnami/postgresql/secrets/{{ include "aipg.userKey" $root }}
            {{- if $auth.enablePostgresUser }}
            - name: POSTGRES_POSTGRES_PASSWORD_FILE
              value: /opt/bitnami/postgresql/secrets/{{ include "aipg.adminKey" $root }}
            {{- end }}
            {{- else }}
            - name: POSTGRES_PASSWORD_FILE
              value: /opt/bitnami/postgresql/secrets/{{ include "aipg.adminKey" $root }}
            {{- end }}
            {{- if $primary }}
            {{- with $auth.database }}
            - name: POSTGRES_DATABASE
              value: {{ . | quote }}
            {{- end }}
            {{- with $server.initdb.user }}
            - name: POSTGRES_INITSCRIPTS_USERNAME
              value: {{ . | quote }}
            {{- end }}
            {{- end }}
            {{- if $replicated }}
            - name: POSTGRES_REPLICATION_MODE
              value: {{ ternary "master" "slave" $primary }}
            - name: POSTGRES_REPLICATION_USER
              value: {{ $auth.replicationUsername | quote }}
            - name: POSTGRES_REPLICATION_PASSWORD_FILE
              value: /opt/bitnami/postgresql/secrets/{{ include "aipg.replicationKey" $root }}
            - name: POSTGRES_CLUSTER_APP_NAME
              value: {{ $root.Values.replication.applicationName | quote }}
            {{- if and $primary (ne $root.Values.replication.synchronousCommit "off") }}
            - name: POSTGRES_SYNCHRONOUS_COMMIT_MODE
              value: {{ $root.Values.replication.synchronousCommit | quote }}
            - name: POSTGRES_NUM_SYNCHRONOUS_REPLICAS
              value: {{ $root.Values.replication.numSynchronousReplicas | quote }}
            {{- end }}
            {{- if not $primary }}
            - name: POSTGRES_MASTER_HOST
              value: {{ include "aipg.roleName" (dict "root" $root "component" "primary") }}
            - name: POSTGRES_MASTER_PORT_NUMBER
              value: {{ include "aipg.servicePort" (dict "root" $root "component" "primary") | quote }}
            {{- end }}
            {{- end }}
            - name: POSTGRESQL_SHARED_PRELOAD_LIBRARIES
              value: {{ $root.Values.postgresqlSharedPreloadLibraries | quote }}
            {{- with $server.extraEnvVars }}
            {{- include "platform.tpl" (list (toYaml .) $root) | nindent 12 }}
            {{- end }}
          ports:
            - name: tcp-postgresql
              containerPort: {{ $root.Values.containerPorts.postgresql }}
          {{- if $server.startupProbe.enabled }}
          # By TCP: the server of the first start listens on its socket only, so nobody takes it for ready.
          startupProbe:
            exec:
              command: {{ include "aipg.aliveCommand" (list $primary $root) }}
            {{- omit $server.startupProbe "enabled" | toYaml | nindent 12 }}
          {{- end }}
          {{- if $server.readinessProbe.enabled }}
          readinessProbe:
            exec:
              command: [pg_isready, --host=127.0.0.1, --port={{ $root.Values.containerPorts.postgresql }}, --username=postgres]
            {{- omit $server.readinessProbe "enabled" | toYaml | nindent 12 }}
          {{- end }}
          {{- if $server.livenessProbe.enabled }}
          livenessProbe:
            exec:
              command: {{ include "aipg.aliveCommand" (list $primary $root) }}
            {{- omit $server.livenessProbe "enabled" | toYaml | nindent 12 }}
          {{- end }}
          resources:
            {{- toYaml $server.resources | nindent 12 }}
          volumeMounts:
            - name: data
              mountPath: /bitnami/postgresql
            - name: secrets
              mountPath: /opt/bitnami/postgresql/secrets
              readOnly: true
            - name: empty
              mountPath: /opt/bitnami/postgresql/conf
              subPath: conf
            - name: empty
              mountPath: /opt/bitnami/postgresql/tmp
              subPath: run
            - name: empty
              mountPath: /tmp
              subPath: tmp
            {{- if $root.Values.shmVolume.enabled }}
            - name: dshm
              mountPath: /dev/shm
            {{- end }}
            {{- if $server.extendedConfiguration }}
            - name: extended-configuration
              mountPath: /bitnami/postgresql/conf/conf.d
              readOnly: true
            {{- end }}
            {{- if $scripts }}
            - name: init-scripts
              mountPath: /docker-entrypoint-initdb.d
              readOnly: true
            {{- end }}
            {{- with $server.extraVolumeMounts }}
            {{- include "platform.tpl" (list (toYaml .) $root) | nindent 12 }}
            {{- end }}
      volumes:
        - name: secrets
          secret:
            secretName: {{ include "aipg.secretName" $root }}
            items:
              {{- range uniq $keys }}
              - key: {{ . }}
                path: {{ . }}
              {{- end }}
        - name: empty
          emptyDir: {}
        {{- if $root.Values.shmVolume.enabled }}
        - name: dshm
          emptyDir:
            medium: Memory
            {{- with $root.Values.shmVolume.sizeLimit }}
            sizeLimit: {{ . }}
            {{- end }}
        {{- end }}
        {{- if $server.extendedConfiguration }}
        - name: extended-configuration
          configMap:
            name: {{ include "aipg.roleName" . }}-extended-configuration
        {{- end }}
        {{- if $scripts }}
        - name: init-scripts
          configMap:
            name: {{ $scripts }}
        {{- end }}
        {{- if not $server.persistence.enabled }}
        - name: data
          emptyDir: {}
        {{- else if $server.persistence.existingClaim }}
        - name: data
          persistentVolumeClaim:
            claimName: {{ include "platform.tpl" (list $server.persistence.existingClaim $root) }}
        {{- end }}
        {{- with $server.extraVolumes }}
        {{- include "platform.tpl" (list (toYaml .) $root) | nindent 8 }}
        {{- end }}
  {{- if and $server.persistence.enabled (not $server.persistence.existingClaim) }}
  volumeClaimTemplates:
    - {{- include "aipg.claim" . | nindent 6 }}
  {{- end }}
{{- end -}}
