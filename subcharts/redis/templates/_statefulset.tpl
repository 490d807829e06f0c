{{/* The StatefulSet of one kind of server. Argument: dict "root" the root context, "component" master or replica. */}}
{{- define "airedis.statefulset" -}}
{{- $root := .root }}
{{- $role := .component }}
{{- $master := eq .component "master" }}
{{- $server := include "airedis.values" . | fromJson }}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ include "airedis.roleName" . }}
  namespace: {{ $root.Release.Namespace | quote }}
  labels:
    {{- include "platform.serverLabels" . | nindent 4 }}
  {{- include "platform.annotations" (dict "root" $root "templates" true) }}
spec:
  replicas: {{ ternary 1 $server.replicaCount $master }}
  serviceName: {{ include "platform.fullname" $root }}-headless
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
        checksum/configuration: {{ print (include "airedis.commonConfiguration" $root) (include "airedis.configuration" .) | sha256sum }}
        {{- with $server.podAnnotations }}
        {{- include "platform.tpl" (list (toYaml .) $root) | nindent 8 }}
        {{- end }}
    spec:
      {{- with include "platform.serverPullSecrets" $root }}
      {{- . | trim | nindent 6 }}
      {{- end }}
      serviceAccountName: {{ include "platform.serviceAccountName" (dict "root" $root "fullname" (include "platform.fullname" $root)) }}
      automountServiceAccountToken: {{ $server.serviceAccount.automountServiceAccountToken }}
      terminationGracePeriodSeconds: {{ $server.terminationGracePeriodSeconds }}
      {{- include "platform.scheduling" (dict "root" $root "component" .component "values" $server) | trim | nindent 6 }}
      securityContext:
        {{- include "platform.securityContext" (dict "whole" $server.podSecurityContext) | nindent 8 }}
      containers:
        - name: redis
          image: {{ include "platform.serverImage" (dict "root" $root "because" "data do not load into an older version") | quote }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          securityContext:
            {{- include "platform.securityContext" (dict "whole" $server.containerSecurityContext) | nindent 12 }}
          env:
            - name: REDIS_REPLICATION_MODE
              value: {{ $role }}
            {{- if not $master }}
            # Its address, not the Service's: who waits for the master must not be led to another server.
            - name: REDIS_MASTER_HOST
              value: {{ printf "%s-0.%s-headless.%s.svc.%s" (include "airedis.roleName" (dict "root" $root "component" "master")) (include "platform.fullname" $root) $root.Release.Namespace $root.Values.clusterDomain }}
            - name: REDIS_MASTER_PORT_NUMBER
              value: {{ $root.Values.master.containerPorts.redis | quote }}
            {{- end }}
            - name: REDIS_PORT
              value: {{ $server.containerPorts.redis | quote }}
            {{- if $root.Values.auth.enabled }}
            - name: REDIS_PASSWORD_FILE
              value: /opt/bitnami/redis/secrets/redis-password
            {{- if not $master }}
            - name: REDIS_MASTER_PASSWORD_FILE
              value: /opt/bitnami/redis/secrets/redis-password
            {{- end }}
            {{- else }}
            - name: ALLOW_EMPTY_PASSWORD
              value: "yes"
            {{- end }}
            {{- with $server.extraEnvVars }}
            {{- include "platform.tpl" (list (toYaml .) $root) | nindent 12 }}
            {{- end }}
          ports:
            - name: redis
              containerPort: {{ $server.containerPorts.redis }}
          {{- if $server.startupProbe.enabled }}
          startupProbe:
            exec:
              command: [/opt/ai-platform/ping.sh, alive]
            {{- omit $server.startupProbe "enabled" | toYaml | nindent 12 }}
          {{- end }}
          {{- if $server.readinessProbe.enabled }}
          readinessProbe:
            exec:
              command: [/opt/ai-platform/ping.sh, ready]
            {{- omit $server.readinessProbe "enabled" | toYaml | nindent 12 }}
          {{- end }}
          {{- if $server.livenessProbe.enabled }}
          livenessProbe:
            exec:
              command: [/opt/ai-platform/ping.sh, alive]
            {{- omit $server.livenessProbe "enabled" | toYaml | nindent 12 }}
          {{- end }}
          resources:
            {{- toYaml $server.resources | nindent 12 }}
          volumeMounts:
            - name: redis-data
              mountPath: {{ $server.persistence.path }}
            - name: configuration
              mountPath: /opt/bitnami/redis/mounted-etc
              readOnly: true
            - name: empty
              mountPath: /opt/bitnami/redis/etc
              subPath: etc
            - name: empty
              mountPath: /tmp
              subPath: tmp
            {{- if $root.Values.auth.enabled }}
            - name: secrets
              mountPath: /opt/bitnami/redis/secrets
              readOnly: true
            {{- end }}
            {{- with $server.extraVolumeMounts }}
            {{- include "platform.tpl" (list (toYaml .) $root) | nindent 12 }}
            {{- end }}
      volumes:
        - name: configuration
          configMap:
            name: {{ include "platform.fullname" $root }}-configuration
            items:
              # In this order: what is said of one kind of server wins over what is said of both.
              - key: redis.conf
                path: 1-redis.conf
              - key: {{ $role }}.conf
                path: 2-{{ $role }}.conf
        - name: empty
          emptyDir: {}
        {{- if $root.Values.auth.enabled }}
        - name: secrets
          # The second one is there while the password is rotated: a server that restarts takes both. Projected, so that both change at one moment.
          projected:
            sources:
              - secret:
                  name: {{ include "airedis.secretName" $root }}
                  items:
                    - key: {{ include "airedis.passwordKey" $root }}
                      path: redis-password
              - secret:
                  name: {{ include "airedis.secretName" $root }}
                  optional: true
                  items:
                    - key: {{ include "airedis.passwordKey" $root }}-second
                      path: redis-password-second
        {{- end }}
        {{- if not $server.persistence.enabled }}
        - name: redis-data
          emptyDir: {}
        {{- else if $server.persistence.existingClaim }}
        - name: redis-data
          persistentVolumeClaim:
            claimName: {{ include "platform.tpl" (list $server.persistence.existingClaim $root) }}
        {{- end }}
        {{- with $server.extraVolumes }}
        {{- include "platform.tpl" (list (toYaml .) $root) | nindent 8 }}
        {{- end }}
  {{- if and $server.persistence.enabled (not $server.persistence.existingClaim) }}
  volumeClaimTemplates:
    - {{- include "airedis.claim" . | nindent 6 }}
  {{- end }}
{{- end -}}
