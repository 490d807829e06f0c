{{/*
The agent of a living release must not read URLs that lead elsewhere because they stand in another Secret, or under another key, than before.
A changed content of the same key is a change that somebody made on purpose: it is not looked at. Nor is the URL to which a move of the database leads,
as its record says (playbooks/move_database.yml). No message holds a part of a URL, for one
that is written wrongly has parts of its password anywhere.
*/}}
{{- define "ai-agent.guards.urls" -}}
{{- $root := . -}}
{{- $moving := dig "data" "now" "" (lookup "v1" "ConfigMap" $root.Release.Namespace (printf "%s-move-record" $root.Release.Name)) -}}
{{- $references := include "ai-agent.liveReferences" . | fromJson -}}
{{- range $key, $server := dict "database-url" (dict "variable" "DATABASE_URL" "chart" "postgresql" "port" "5432") "redis-url" (dict "variable" "REDIS_URL" "chart" "redis" "port" "6379") -}}
{{- $now := default (get $references $server.variable) (get $references (printf "AI_AGENT_%s" $server.variable)) -}}
{{- $then := include "ai-agent.secretKey" (dict "root" $root "key" $key) | fromJson -}}
{{- if and (eq $key "database-url") (eq (printf "%s/%s" $then.secret $then.key) $moving) }}{{ $now = dict }}{{ end -}}
{{- if and (eq $key "redis-url") (not (include "ai-agent.cache" $root)) }}{{ $now = dict }}{{ end -}}
{{- if and $now (or (ne $now.name $then.secret) (ne $now.key $then.key)) -}}
{{- $before := dig "data" $now.key "" (lookup "v1" "Secret" $root.Release.Namespace $now.name) | b64dec -}}
{{- $after := "" -}}
{{- if or $root.Values.existingSecret $then.mapped -}}
{{- $after = dig "data" $then.key "" (lookup "v1" "Secret" $root.Release.Namespace $then.secret) | b64dec -}}
{{- else -}}
{{- $after = get (include "ai-agent.secretData" $root | fromJson) $key -}}
{{- end -}}
{{- $both := list -}}
{{- range $url := list $before $after -}}
{{- $both = append $both (include "ai-agent.destination" (dict "url" $url "port" $server.port "namespace" $root.Release.Namespace) | fromJson) -}}
{{- end -}}
{{- $parts := list "user" "host" "database" -}}
{{- if (index $root.Values $server.chart).enabled }}{{ $parts = append $parts "password" }}{{ end -}}
{{- range $part := $parts -}}
{{- if and $before $after (ne (get (first $both) $part) (get (last $both) $part)) -}}
{{- fail (printf "This release reads %s from %s of the Secret %s; these values read it from %s of %s, which has another %s: an upgrade would lead it elsewhere. Set existingSecret or existingSecretKeys back, or correct the URL: docs/runbook.md, another-database." $server.variable $now.key $now.name $then.key $then.secret $part) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* From which Secrets the living agent has its variables, as JSON: variable to "name" and "key". */}}
{{- define "ai-agent.liveReferences" -}}
{{- $found := dict -}}
{{- range dig "spec" "template" "spec" "containers" list (include "ai-agent.liveDeployment" . | fromJson) -}}
{{- range .env -}}
{{- $reference := dig "valueFrom" "secretKeyRef" dict . -}}
{{- if $reference }}{{ $_ := set $found .name $reference }}{{ end -}}
{{- end -}}
{{- end -}}
{{- $found | toJson -}}
{{- end -}}

{{/*
Where a URL leads, in one spelling, as JSON: "user", "password", "host" with its port, "database". One that is written as no URL should be has
all of itself in "host". Argument: dict "url", "port" where it names none, "namespace", whose Services have short names.
*/}}
{{- define "ai-agent.destination" -}}
{{- $found := dict "user" "" "password" "" "host" .url "database" "" -}}
{{- if regexMatch "^[a-z0-9+]+://(([^/?#@:\\[\\]%]|%[0-9A-Fa-f]{2})*(:([^/?#@:\\[\\]%]|%[0-9A-Fa-f]{2})*)?@)?([A-Za-z0-9.,:_-]+|\\[[0-9A-Fa-f:.]+\\](:[0-9]+)?)(/[^@#]*)?([?][^@#]*)?$" .url -}}
{{- $bare := regexReplaceAll "[?].*$" (regexReplaceAll "^[a-z0-9+]+://" .url "") "" -}}
{{- $access := regexFind "^[^@]*@" $bare | trimSuffix "@" -}}
{{- $place := regexReplaceAll "^[^@]*@" $bare "" -}}
{{- $short := regexReplaceAll (printf "\\.%s(\\.svc(\\.[a-z0-9.-]+)?)?\\.?(:|,|$)" (regexQuoteMeta .namespace)) (regexFind "^[^/]*" $place | lower) "${3}" -}}
{{- $host := ternary $short (printf "%s:%s" $short .port) (regexMatch ":[0-9]+$" $short) -}}
{{- $database := regexReplaceAll "^[^/]*/?" $place "" -}}
{{- $password := regexReplaceAll "^[^:]*:?" $access "" -}}
{{- $found = dict "user" (regexFind "^[^:]*" $access) "password" $password "host" $host "database" (default (ternary "0" "" (hasPrefix "redis" .url)) $database) -}}
{{- end -}}
{{- $found | toJson -}}
{{- end -}}
