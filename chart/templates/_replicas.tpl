{{/*
The number of pods that the Deployment asks for; empty where the autoscaler sets it.
One case between the two: the autoscaler was just turned on and Helm is still the only one that ever set the number. Left out, it
would fall back to 1 before the autoscaler looks; so the live number stays until somebody else owns the field.
*/}}
{{- define "ai-agent.replicas" -}}
{{- if not .Values.agent.autoscaling.enabled -}}
{{- .Values.agent.replicaCount -}}
{{- else -}}
{{- $deployment := lookup "apps/v1" "Deployment" .Release.Namespace (include "ai-agent.fullname" .) -}}
{{- range dig "metadata" "managedFields" list $deployment -}}
{{- if and (eq .manager "helm") (not .subresource) (hasKey (dig "fieldsV1" "f:spec" dict .) "f:replicas") -}}
{{- dig "spec" "replicas" "" $deployment -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The fewest agent pods that there may be by plan. */}}
{{- define "ai-agent.fewestReplicas" -}}
{{- ternary .Values.agent.autoscaling.minReplicas .Values.agent.replicaCount .Values.agent.autoscaling.enabled -}}
{{- end -}}

{{/* "true" where there may be more than one agent pod: only then is there something that a drain could leave. */}}
{{- define "ai-agent.podDisruptionBudget" -}}
{{- $most := ternary .Values.agent.autoscaling.maxReplicas .Values.agent.replicaCount .Values.agent.autoscaling.enabled -}}
{{- if and .Values.agent.podDisruptionBudget.enabled (gt (int $most) 1) -}}true{{- end -}}
{{- end -}}
