{{/* Bitnami's features that this chart lacks: refused in one sentence, never ignored. */}}
{{- define "airedis.refusals" -}}
{{- $bitnami := "use Bitnami's chart (ai_agent_subcharts: bitnami) or an external Redis" -}}
{{- if ne .Values.architecture "standalone" -}}
{{- fail (printf "redis.architecture is %s, but the embedded chart runs one server alone: set it to standalone, or %s." .Values.architecture $bitnami) -}}
{{- end -}}
{{- $instead := dict
  "metrics" "run an exporter of your own against the Service"
  "tls" $bitnami
  "sentinel" $bitnami
  "networkPolicy" "write a NetworkPolicy of your own that selects app.kubernetes.io/component: master"
  "volumePermissions" "let master.podSecurityContext.fsGroup give the volume to the server"
  "sysctl" "set vm.overcommit_memory on the nodes"
-}}
{{- range $key, $way := $instead -}}
{{- if dig $key "enabled" false $.Values.AsMap -}}
{{- fail (printf "redis.%s.enabled is true, but the embedded chart has no %s: set it to false and %s." $key $key $way) -}}
{{- end -}}
{{- end -}}
{{- if .Values.pdb.create -}}
{{- fail "redis.pdb.create is true, but a PodDisruptionBudget of one pod would block every drain of its node: set it to false." -}}
{{- end -}}
{{- range $key, $labels := dict "commonLabels" .Values.commonLabels "master.podLabels" .Values.master.podLabels -}}
{{- range $label := keys (default dict $labels) | sortAlpha -}}
{{- if regexMatch "^(app\\.kubernetes\\.io/(name|instance|component|managed-by|version)|helm\\.sh/chart)$" $label -}}
{{- fail (printf "redis.%s names the label %s, which the chart sets itself: remove it." $key $label) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- /* Helm 4 fails at a name that stands twice, and Kubernetes would take one of the two in silence. */ -}}
{{- range .Values.master.extraEnvVars -}}
{{- if regexMatch "^(REDIS_(PORT|PASSWORD_FILE)|ALLOW_EMPTY_PASSWORD)$" .name -}}
{{- fail (printf "redis.master.extraEnvVars names %s, which the chart sets itself: remove it." .name) -}}
{{- end -}}
{{- end -}}
{{- /* The label controller-revision-hash, 63 characters at most, is this name and 11 more: a longer one never gets a pod. */ -}}
{{- $name := include "airedis.masterName" . -}}
{{- if gt (len $name) 52 -}}
{{- fail (printf "the StatefulSet's name %s has %d characters, but Kubernetes makes pods up to 52: shorten the release name or set redis.fullnameOverride." $name (len $name)) -}}
{{- end -}}
{{- end -}}
