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
{{- end -}}
