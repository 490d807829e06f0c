{{/* Fields that all pods of this chart share. Argument: the root context. */}}
{{- define "ai-agent.podDefaults" -}}
{{- include "ai-agent.podDefaultsOf" (dict "root" . "values" .Values.agent) -}}
{{- end -}}

{{/* The same with values of one's own in place of the agent's. Argument: dict "root", "values". */}}
{{- define "ai-agent.podDefaultsOf" -}}
{{- $secrets := include "platform.allPullSecrets" (dict "root" .root "own" .root.Values.imagePullSecrets) | fromJsonArray -}}
{{- include "platform.podDefaults" (dict "pullSecrets" $secrets "securityContext" (include "platform.securityContext" (dict "whole" .root.Values.agent.podSecurityContext)) "values" .values) -}}
{{- end -}}

{{/* The folder /tmp of a pod of the agent's image. Argument: the root context. */}}
{{- define "ai-agent.tmp" -}}
- name: tmp
{{- $tmp := dict -}}
{{- range $key, $value := .Values.agent.tmp }}{{ if ne (toString $value) "" }}{{ $_ := set $tmp $key $value }}{{ end }}{{ end }}
  emptyDir: {{ $tmp | toJson }}
{{- end -}}

{{/*
The sidecars among agent.initContainers, those with restartPolicy Always: a program beside them may need one, a proxy to the database most of
all, so that migration and test get them too. They do not keep a Job from its end. Argument: the root context.
*/}}
{{- define "ai-agent.nativeSidecars" -}}
{{- $sidecars := list -}}
{{- range .Values.agent.initContainers -}}
{{- if eq (toString .restartPolicy) "Always" }}{{ $sidecars = append $sidecars . }}{{ end -}}
{{- end -}}
{{- with $sidecars }}
initContainers:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* How the agent's pods are replaced. A map of the values lies over the chart's, so Recreate would keep what is of RollingUpdate alone. */}}
{{- define "ai-agent.strategy" -}}
{{- $rolling := dict "type" "RollingUpdate" "rollingUpdate" (dict "maxUnavailable" 0 "maxSurge" 1) -}}
{{- $strategy := mergeOverwrite $rolling (default dict .Values.agent.strategy) -}}
{{- ternary (pick $strategy "type") $strategy (eq $strategy.type "Recreate") | toYaml -}}
{{- end -}}

{{/* What is done after the start and before the end of the agent's container; one kind of preStop alone. */}}
{{- define "ai-agent.lifecycle" -}}
{{- $given := default dict .Values.agent.lifecycle -}}
{{- $sleep := dict "preStop" (dict "sleep" (dict "seconds" .Values.agent.preStopSeconds)) -}}
{{- merge (ternary dict $sleep (not (empty $given.preStop))) (omit $given "preStop") (ternary (pick $given "preStop") dict (not (empty $given.preStop))) | toYaml -}}
{{- end -}}

{{/* DATABASE_URL and REDIS_URL of the test pod, the latter where there is a cache. Argument: the root context. */}}
{{- define "ai-agent.urls" -}}
{{- range $name, $key := ternary (dict "DATABASE_URL" "database-url" "REDIS_URL" "redis-url") (dict "DATABASE_URL" "database-url") (eq (include "ai-agent.cache" .) "true") }}
{{ include "platform.envFromSecret" (merge (dict "name" $name) (include "ai-agent.secretKey" (dict "root" $ "key" $key) | fromJson)) }}
{{- end }}
{{- end -}}

{{/* What the values add to the environment of every container that runs the agent's image. Argument: the root context. */}}
{{- define "ai-agent.extraEnv" -}}
{{- with .Values.agent.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Volumes that the values add to every pod of the agent's image. Argument: the root context. */}}
{{- define "ai-agent.extraVolumes" -}}
{{- with .Values.agent.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Mounts that the values add to every container that runs the agent's image. Argument: the root context. */}}
{{- define "ai-agent.extraVolumeMounts" -}}
{{- with .Values.agent.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}
