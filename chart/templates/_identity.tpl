{{/*
An upgrade must not lead a living release to another database or cache: one that is named otherwise begins empty, beside the old one's volume.
What lives is told by its labels, which Bitnami's charts and the embedded ones share; what is planned, by the names of this rendering. A server
that was set aside on purpose (its StatefulSet deleted with --cascade=orphan, or its data moved by playbooks/move_database.yml) is none that lives.
*/}}
{{- define "ai-agent.guards.identity" -}}
{{- if .Release.IsUpgrade -}}
{{- $sets := dig "items" list (lookup "apps/v1" "StatefulSet" .Release.Namespace "") -}}
{{- include "ai-agent.guards.identity.server" (dict "root" . "sets" $sets "chart" "postgresql" "component" "primary" "planned" (include "ai-agent.postgresql.host" .) "what" "database") -}}
{{- include "ai-agent.guards.identity.server" (dict "root" . "sets" $sets "chart" "redis" "component" "master" "planned" (include "ai-agent.redis.host" .) "what" "cache") -}}
{{- include "ai-agent.guards.login" . -}}
{{- include "ai-agent.guards.urls" . -}}
{{- include "ai-agent.guards.names" . -}}
{{- end -}}
{{- end -}}

{{/* Argument: dict "root", "sets" the live StatefulSets, "chart", "component", "planned" the name in this rendering, "what". */}}
{{- define "ai-agent.guards.identity.server" -}}
{{- $root := .root -}}
{{- $component := .component -}}
{{- $live := list -}}
{{- range .sets -}}
{{- $labels := default dict .metadata.labels -}}
{{- $aside := hasKey (default dict .metadata.annotations) "ai-agent/set-aside" -}}
{{- if and (not $aside) (eq (get $labels "app.kubernetes.io/instance") $root.Release.Name) (eq (get $labels "app.kubernetes.io/component") $component) -}}
{{- $live = append $live .metadata.name -}}
{{- end -}}
{{- end -}}
{{- $bundled := (index $root.Values .chart).enabled -}}
{{- $way := printf "Set the values back, or move the data first: docs/runbook.md, another-database." -}}
{{- if and $live (not $bundled) -}}
{{- fail (printf "%s.enabled is false, but the %s of this release is the StatefulSet %s: an upgrade would delete it and leave its volume behind. %s" .chart .what (first $live) $way) -}}
{{- end -}}
{{- if and $live (not (has .planned $live)) -}}
{{- fail (printf "The %s of this release is the StatefulSet %s; these values name it %s (architecture, nameOverride or fullnameOverride of %s), which would begin empty. %s" .what (first $live) .planned .chart $way) -}}
{{- end -}}
{{- if and $bundled (has .planned $live) }}{{ include "ai-agent.guards.storage" . }}{{ end -}}
{{- if and $bundled (not $live) (include "ai-agent.liveDeployment" $root | fromJson) -}}
{{- if and (dig .component "persistence" "enabled" true (index $root.Values .chart)) (not (dig .component "persistence" "existingClaim" "" (index $root.Values .chart))) -}}
{{- $volume := ternary (printf "data-%s-0" .planned) (printf "redis-data-%s-0" .planned) (eq .chart "postgresql") -}}
{{- if not (lookup "v1" "PersistentVolumeClaim" $root.Release.Namespace $volume) -}}
{{- fail (printf "%s.enabled is true, but this release runs without a %s of its own: one would be made and begin empty. %s" .chart .what $way) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
The claim in which a living server has its data, and no other: the same StatefulSet would start on another disk. Claims of a template are looked
after by Kubernetes, which refuses that they come, go or change. Argument: as of ai-agent.guards.identity.server.
*/}}
{{- define "ai-agent.guards.storage" -}}
{{- $persistence := dig .component "persistence" dict (index .root.Values .chart) -}}
{{- $claim := default "" (get $persistence "existingClaim") -}}
{{- $then := ternary (ternary (printf "claim %s" $claim) "" (ne $claim "")) "emptyDir" (ne (toString (get $persistence "enabled")) "false") -}}
{{- $now := "" -}}
{{- range .sets -}}
{{- if eq .metadata.name $.planned -}}
{{- range dig "spec" "template" "spec" "volumes" list . -}}
{{- if eq .name (ternary "data" "redis-data" (eq $.chart "postgresql")) -}}
{{- $now = ternary "emptyDir" (printf "claim %s" (dig "persistentVolumeClaim" "claimName" "" .)) (hasKey . "emptyDir") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $now $then (ne $now $then) (not (contains "{{" $then)) -}}
{{- fail (printf "%s.%s.persistence puts the data of the %s %s into another volume (%s) than they are in (%s): it would begin empty. Set the values back, or move the data first: docs/runbook.md, another-database." .chart .component .what .planned $then $now) -}}
{{- end -}}
{{- end -}}

{{/* The user and the database that the chart's own Secret names: PostgreSQL makes both at its first start only. */}}
{{- define "ai-agent.guards.login" -}}
{{- if and .Values.postgresql.enabled (not .Values.existingSecret) -}}
{{- $url := dig "data" "database-url" "" (lookup "v1" "Secret" .Release.Namespace (include "ai-agent.secretName" .)) | b64dec -}}
{{- $user := regexFind "^postgresql://[^:]*" $url | trimPrefix "postgresql://" -}}
{{- $database := regexFind "[^/?]*([?].*)?$" $url | regexFind "^[^?]*" -}}
{{- range $name, $both := dict "username" (list $user (include "ai-agent.percentEncode" (include "ai-agent.postgresql.username" .))) "database" (list $database (include "ai-agent.percentEncode" (include "ai-agent.postgresql.database" .))) -}}
{{- if and (hasPrefix "postgresql://" $url) (ne (first $both) (last $both)) -}}
{{- fail (printf "postgresql.auth.%s is %s, but the living database was made with %s, and PostgreSQL makes it at its first start only: set it back, or move the data first: docs/runbook.md, another-database." $name (last $both) (first $both)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The name and the selector of the agent's Deployment: Helm would change the Service first, and then be refused, or remove what serves. */}}
{{- define "ai-agent.guards.names" -}}
{{- $root := . -}}
{{- $wanted := include "platform.selectorLabels" (dict "root" . "component" "agent") | fromYaml -}}
{{- range dig "items" list (lookup "apps/v1" "Deployment" .Release.Namespace "") -}}
{{- $labels := default dict .metadata.labels -}}
{{- if and (eq (get $labels "app.kubernetes.io/instance") $root.Release.Name) (eq (get $labels "app.kubernetes.io/component") "agent") -}}
{{- if ne .metadata.name (include "ai-agent.fullname" $root) -}}
{{- fail (printf "The agent of this release is the Deployment %s, and fullnameOverride names it %s: an upgrade would remove it before the new one serves. Set it back: docs/runbook.md, change-refused." .metadata.name (include "ai-agent.fullname" $root)) -}}
{{- end -}}
{{- $now := dig "spec" "selector" "matchLabels" dict . -}}
{{- if and $now (ne (toJson $now) (toJson $wanted)) -}}
{{- fail (printf "The selector of the Deployment %s is %s, and these values want %s, which Kubernetes refuses (nameOverride). Set it back: docs/runbook.md, change-refused." .metadata.name (toJson $now) (toJson $wanted)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
