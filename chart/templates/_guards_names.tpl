{{/* A Service's name is narrower than Helm's of a release: no dot, a letter first (RFC 1035). One that is there already passes. */}}
{{- define "ai-agent.guards.serviceNames" -}}
{{- $names := list (include "ai-agent.fullname" .) -}}
{{- range $chart := list "postgresql" "redis" -}}
{{- if (index $.Values $chart).enabled }}{{ $names = append $names (include "ai-agent.subchartFullname" (dict "root" $ "chart" $chart)) }}{{ end -}}
{{- end -}}
{{- range $name := $names -}}
{{- if and (not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name)) (not (and $.Release.IsUpgrade (lookup "v1" "Service" $.Release.Namespace $name))) -}}
{{- $from := ternary (printf "fullnameOverride %s" $name) (printf "The release name %s" $.Release.Name) (eq $name (toString $.Values.fullnameOverride)) -}}
{{- fail (printf "%s gives a Service the name %s, which Kubernetes refuses: begin with a letter and go on with lower-case letters, digits and hyphens, no dots." $from $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Labels that the chart sets itself: twice is a YAML error or, in a selector, a field that no upgrade can change. */}}
{{- define "ai-agent.guards.labels" -}}
{{- $own := printf "^(app|job|helm\\.sh/chart|app\\.kubernetes\\.io/.*|%s-db-client)$" (regexQuoteMeta .Release.Name) -}}
{{- $given := dict
  "commonLabels" .Values.commonLabels
  "agent.podLabels" .Values.agent.podLabels
  "agent.service.labels" .Values.agent.service.labels
  "serviceAccount.labels" .Values.serviceAccount.labels
  "ingress.labels" .Values.ingress.labels
  "httpRoute.labels" .Values.httpRoute.labels
  "serviceMonitor.labels" .Values.serviceMonitor.labels
  "prometheusRule.labels" .Values.prometheusRule.labels
-}}
{{- range $path, $labels := $given -}}
{{- range $label := keys (default dict $labels) | sortAlpha -}}
{{- if regexMatch $own $label -}}
{{- fail (printf "%s names the label %s, which the chart sets itself: remove it." $path $label) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $chart := list "postgresql" "redis" -}}
{{- range $label := keys (default dict (index $.Values $chart).commonLabels) | sortAlpha -}}
{{- if hasPrefix "app.kubernetes.io/" $label -}}
{{- fail (printf "%s.commonLabels names the label %s, which goes into selectors that no upgrade can change: remove it." $chart $label) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $annotation := list "checksum/config" "ai-agent/rotation-id" "ai-agent/url-forms" -}}
{{- if hasKey (default dict $.Values.agent.podAnnotations) $annotation -}}
{{- fail (printf "agent.podAnnotations names %s, which the chart sets itself: remove it." $annotation) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Names that stand twice in one pod: Helm 4 fails at them in the middle of an upgrade. */}}
{{- define "ai-agent.guards.duplicates" -}}
{{- $agent := .Values.agent -}}
{{- $env := concat (list "DATABASE_URL" "REDIS_URL" "LLM_API_KEY" "SCHEMA_VERSION_TABLE" "SCHEMA_LOCK_TIMEOUT") (include "ai-agent.ownNames" . | fromJsonArray) (keys (include "ai-agent.configData" . | fromYaml) | sortAlpha) -}}
{{- $plain := list -}}
{{- range keys (default dict $agent.env) | sortAlpha }}{{ $plain = append $plain (dict "name" .) }}{{ end -}}
{{- include "ai-agent.guards.unique" (dict "path" "agent.env" "key" "name" "items" $plain "taken" (include "ai-agent.ownNames" . | fromJsonArray)) -}}
{{- include "ai-agent.guards.unique" (dict "path" "agent.extraEnv" "key" "name" "items" $agent.extraEnv "taken" $env) -}}
{{- include "ai-agent.guards.unique" (dict "path" "agent.extraVolumes" "key" "name" "items" $agent.extraVolumes "taken" (list "tmp" "migration-scripts" "test-scripts")) -}}
{{- include "ai-agent.guards.unique" (dict "path" "agent.extraVolumeMounts" "key" "mountPath" "items" $agent.extraVolumeMounts "taken" (list "/tmp" "/migration" "/tests")) -}}
{{- $volumes := list "tmp" -}}
{{- range $agent.extraVolumes }}{{ $volumes = append $volumes .name }}{{ end -}}
{{- include "ai-agent.guards.mounts" (dict "who" "agent.extraVolumeMounts" "mounts" $agent.extraVolumeMounts "volumes" $volumes) -}}
{{- include "ai-agent.guards.unique" (dict "path" "agent.sidecars and agent.initContainers" "key" "name" "items" (concat (default list $agent.initContainers) (default list $agent.sidecars)) "taken" (list "agent" "wait-for-schema")) -}}
{{- end -}}

{{/* A mount of a volume that is not there. Argument: dict "who" for the message, "mounts", and "volumes", the names that are there. */}}
{{- define "ai-agent.guards.mounts" -}}
{{- range .mounts -}}
{{- if not (has .name $.volumes) -}}
{{- fail (printf "%s mounts %s at %s, and agent.extraVolumes has no volume of that name: add it there." $.who .name .mountPath) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Argument: dict "path" for the message, "items" a list of maps, "key" what must be unique in it, "taken" what the chart has itself. */}}
{{- define "ai-agent.guards.unique" -}}
{{- $seen := dict -}}
{{- range .items -}}
{{- $name := get . $.key -}}
{{- if has $name $.taken -}}
{{- fail (printf "%s has the %s %s, which the chart sets itself: choose another." $.path $.key $name) -}}
{{- end -}}
{{- if hasKey $seen $name -}}
{{- fail (printf "%s has the %s %s twice: keep one of the two." $.path $.key $name) -}}
{{- end -}}
{{- $_ := set $seen $name true -}}
{{- end -}}
{{- end -}}
