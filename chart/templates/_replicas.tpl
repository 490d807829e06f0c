{{/* The agent's Deployment as it is in the cluster, as JSON; empty where there is none, or no cluster. Asked once a rendering. */}}
{{- define "ai-agent.liveDeployment" -}}
{{- include "platform.liveDeployment" (dict "root" . "name" (include "ai-agent.fullname" .)) -}}
{{- end -}}

{{/*
The revision of the release that last began the rollout anew; empty where none had to. A Deployment that missed its progress
deadline says so until its pods' template changes, and Helm 4 takes that for the failure of the next run too: a cause that was
repaired outside the template (the database, a pushed image) would never be found repaired.
*/}}
{{- define "ai-agent.rolloutBegan" -}}
{{- $deployment := include "ai-agent.liveDeployment" . | fromJson -}}
{{- $began := dig "spec" "template" "metadata" "annotations" "ai-agent/rollout-began" "" $deployment -}}
{{- range dig "status" "conditions" list $deployment -}}
{{- if eq (default "" .reason) "ProgressDeadlineExceeded" -}}
{{- $began = toString $.Release.Revision -}}
{{- end -}}
{{- end -}}
{{- $began -}}
{{- end -}}

{{/* The name of the HorizontalPodAutoscaler that KEDA makes of the chart's ScaledObject. */}}
{{- define "ai-agent.kedasAutoscaler" -}}
{{- printf "keda-hpa-%s" (include "ai-agent.fullname" .) | trunc 63 -}}
{{- end -}}

{{/* "true" where a HorizontalPodAutoscaler scales the agent's Deployment. Argument: root and the HorizontalPodAutoscaler. */}}
{{- define "ai-agent.scalesAgent" -}}
{{- with (index . 1).spec.scaleTargetRef -}}
{{- if and (eq .kind "Deployment") (eq .name (include "ai-agent.fullname" (index $ 0))) -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{/*
"true" where an autoscaler sets the number of pods: the chart's, or, where that is off, one that somebody else made for this
Deployment (a HorizontalPodAutoscaler of their own, or the one that KEDA makes of their ScaledObject). They are looked for only where
some autoscaler has set the number before: most accounts that deploy need not be able to read them. KEDA gives its own one the
annotations and labels of the ScaledObject: with those of the chart's it goes with that.
*/}}
{{- define "ai-agent.autoscaled" -}}
{{- $name := include "ai-agent.fullname" . -}}
{{- $by := .Values.agent.autoscaling.enabled -}}
{{- range dig "metadata" "managedFields" list (include "ai-agent.liveDeployment" . | fromJson) -}}
{{- if and (not $by) (eq .manager "kube-controller-manager") (eq (default "" .subresource) "scale") -}}
{{- range (lookup "autoscaling/v2" "HorizontalPodAutoscaler" $.Release.Namespace "").items -}}
{{- $own := eq (dig "metadata" "annotations" "meta.helm.sh/release-name" "" .) $.Release.Name -}}
{{- $kedas := and (eq .metadata.name (include "ai-agent.kedasAutoscaler" $)) (dig "metadata" "labels" "helm.sh/chart" "" .) -}}
{{- if and (include "ai-agent.scalesAgent" (list $ .)) (not (and $own (or $kedas (eq .metadata.name $name)))) -}}
{{- $by = true -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- ternary "true" "" $by -}}
{{- end -}}

{{/*
The number of pods that the Deployment asks for (spec.replicas); empty where an autoscaler alone sets it.

  autoscaler   Helm's entry in managedFields                          rendered
  off          any                                                    agent.replicaCount
  on           operation Apply, does not own spec.replicas            nothing: the autoscaler's number stays
  on           operation Apply, owns spec.replicas                    the live number
  on           operation Update                                       the live number

Why the third: the autoscaler was just turned on and has set nothing yet. If Helm left the field out, the API server would take it
back to 1. Why the fourth: Helm 3, and Helm 4 on releases that Helm 3 installed, compares the last manifest with the new one and deletes a
field that is only in the last, whoever set it since.
*/}}
{{- define "ai-agent.replicas" -}}
{{- if not (include "ai-agent.autoscaled" .) -}}
{{- .Values.agent.replicaCount -}}
{{- else -}}
{{- $deployment := include "ai-agent.liveDeployment" . | fromJson -}}
{{- $live := "" -}}
{{- range dig "metadata" "managedFields" list $deployment -}}
{{- $owned := hasKey (dig "fieldsV1" "f:spec" dict .) "f:replicas" -}}
{{- if and (eq .manager "helm") (not .subresource) (or $owned (eq .operation "Update")) -}}
{{- $live = dig "spec" "replicas" "" $deployment -}}
{{- end -}}
{{- end -}}
{{- $live -}}
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
