{{/*
"true" where the agent has a cache: the release's own, one whose host the values name, or one whose URL stands in an existing Secret.
Without it there is no variable, no policy and no check of a cache.
*/}}
{{- define "ai-agent.cache" -}}
{{- if or .Values.redis.enabled .Values.externalCache.host (and .Values.existingSecret .Values.agent.urls.cache) -}}true{{- end -}}
{{- end -}}

{{/*
The variables of agent.urls, as a JSON list: `name`, `of` database or cache, and `form`: url (as the Secret's own key has it), scheme
(a URL that is written otherwise, under a key that has the variable's name) or part.
*/}}
{{- define "ai-agent.urlVariables" -}}
{{- $found := list -}}
{{- range $of := list "database" "cache" -}}
{{- if or (eq $of "database") (include "ai-agent.cache" $) -}}
{{- range $item := get $.Values.agent.urls $of -}}
{{- $form := ternary "part" (ternary "scheme" "url" (or (hasKey $item "scheme") (hasKey $item "parameters"))) (hasKey $item "part") -}}
{{- $found = append $found (merge (dict "of" $of "form" $form) $item) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $found | toJson -}}
{{- end -}}

{{/*
What the role must know to write such URLs into the Secret that it makes, as an annotation of the agent's pods; nothing where there are none.
It is read by plugins/module_utils/_release/url_forms.py.
*/}}
{{- define "ai-agent.urlForms" -}}
{{- $forms := dict -}}
{{- range include "ai-agent.urlVariables" . | fromJsonArray -}}
{{- if eq .form "scheme" }}{{ $_ := set $forms .name (omit . "name" "form") }}{{ end -}}
{{- end -}}
{{- with $forms }}{{ dict "ai-agent/url-forms" (toJson .) | toYaml }}{{ end -}}
{{- end -}}

{{/* A URL in another form. Argument: dict "url", "item" one of ai-agent.urlVariables. */}}
{{- define "ai-agent.urlInForm" -}}
{{- $url := .url -}}
{{- if hasKey .item "scheme" }}{{ $url = printf "%s://%s" .item.scheme (regexReplaceAll "^[^:]*://" $url "") }}{{ end -}}
{{- if hasKey .item "parameters" -}}
{{- $url = regexReplaceAll "[?].*$" $url "" -}}
{{- with .item.parameters }}{{ $url = printf "%s?%s" $url . }}{{ end -}}
{{- end -}}
{{- $url -}}
{{- end -}}

{{/* The Secret's own key of a URL, and the key of a password. Arguments: dict "item", "migration"; dict "root", "of". */}}
{{- define "ai-agent.urlKey" -}}
{{- if eq .item.form "scheme" -}}
{{- ternary (printf "migration-%s" .item.name) .item.name (not (empty .migration)) -}}
{{- else if eq .item.of "cache" -}}redis-url
{{- else -}}
{{- ternary "migration-database-url" "database-url" (not (empty .migration)) -}}
{{- end -}}
{{- end -}}
{{- define "ai-agent.passwordKey" -}}
{{- if eq .of "cache" -}}redis-password
{{- else if and .root.Values.postgresql.enabled (eq (include "ai-agent.postgresql.username" .root) "postgres") -}}postgres-password
{{- else -}}password
{{- end -}}
{{- end -}}

{{/*
One part of where a server is, as text; what the chart does not know stands in the existing Secret, under the variable's name.
Argument: dict "root", "item" of the form part. Returns JSON: "value", or "key".
*/}}
{{- define "ai-agent.urlPart" -}}
{{- $values := .root.Values -}}
{{- $database := eq .item.of "database" -}}
{{- $chart := ternary "postgresql" "redis" $database -}}
{{- $bundled := (get $values $chart).enabled -}}
{{- $external := ternary $values.externalDatabase $values.externalCache $database -}}
{{- if eq .item.part "password" -}}
{{- $none := ternary (not $values.redis.auth.enabled) (and (not $values.existingSecret) (not $external.password)) $bundled -}}
{{- if and (not $database) $none -}}
{{- dict "value" "" | toJson -}}
{{- else -}}
{{- dict "key" (include "ai-agent.passwordKey" (dict "root" .root "of" .item.of)) | toJson -}}
{{- end -}}
{{- else if not (or $bundled $external.host) -}}
{{- dict "key" .item.name | toJson -}}
{{- else if has .item.part (list "host" "port") -}}
{{- dict "value" (include (printf "ai-agent.%s.%s" $chart .item.part) .root) | toJson -}}
{{- else if $database -}}
{{- dict "value" (include (printf "ai-agent.postgresql.%s" (ternary "username" "database" (eq .item.part "user"))) .root) | toJson -}}
{{- else if eq .item.part "user" -}}
{{- dict "value" (ternary "" (toString $external.username) $bundled) | toJson -}}
{{- else -}}
{{- dict "value" (ternary "0" (toString (int $external.database)) $bundled) | toJson -}}
{{- end -}}
{{- end -}}

{{/* One variable of agent.urls. Argument: dict "root", "item", "migration" for the migration's login, "secret" in place of the release's. */}}
{{- define "ai-agent.urlVariable" -}}
{{- $place := dict "key" (include "ai-agent.urlKey" (dict "item" .item "migration" .migration)) -}}
{{- if eq .item.form "part" }}{{ $place = include "ai-agent.urlPart" (dict "root" .root "item" .item) | fromJson }}{{ end -}}
{{- if hasKey $place "value" -}}
- name: {{ .item.name }}
  value: {{ $place.value | quote }}
{{- else -}}
{{- $found := include "ai-agent.secretKey" (dict "root" .root "key" $place.key) | fromJson -}}
{{- if .secret }}{{ $_ := set $found "secret" .secret }}{{ end -}}
{{- include "platform.envFromSecret" (merge (dict "name" .item.name) $found) -}}
{{- end -}}
{{- end -}}

{{/*
The variables of the agent's container. Programs of this collection that are run in it find the plain URL: under the name of the
contract, or, where agent.urls has that name no more, under one that no image knows.
*/}}
{{- define "ai-agent.agentUrls" -}}
{{- $root := .root -}}
{{- $items := include "ai-agent.urlVariables" $root | fromJsonArray -}}
{{- range $items }}
{{ include "ai-agent.urlVariable" (dict "root" $root "item" .) }}
{{- end }}
{{- range $of, $name := dict "database" "DATABASE_URL" "cache" "REDIS_URL" }}
{{- $plain := not (or (eq $of "database") (include "ai-agent.cache" $root)) }}
{{- range $items }}
{{- if and (eq .name $name) (eq .form "url") }}{{ $plain = true }}{{ end }}
{{- end }}
{{- if not $plain }}
{{ include "ai-agent.urlVariable" (dict "root" $root "item" (dict "name" (printf "AI_AGENT_%s" $name) "of" $of "form" "url")) }}
{{- end }}
{{- end }}
{{- end -}}

{{/*
The variables of agent.urls that the migration's containers get beside DATABASE_URL: the image's own program looks for the names that the
agent looks for. Argument: dict "root", "migration" whether they hold the migration's login, "secret" in place of the release's.
*/}}
{{- define "ai-agent.migrationUrls" -}}
{{- range include "ai-agent.urlVariables" .root | fromJsonArray }}
{{- if and (eq .of "database") (ne .name "DATABASE_URL") }}
{{ include "ai-agent.urlVariable" (merge (dict "item" .) $) }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The key of DATABASE_URL in the migration's containers. Argument: dict "root", "migration". */}}
{{- define "ai-agent.migrationUrlKey" -}}
{{- $key := ternary "migration-database-url" "database-url" (not (empty .migration)) -}}
{{- range include "ai-agent.urlVariables" .root | fromJsonArray -}}
{{- if and (eq .name "DATABASE_URL") (eq .form "scheme") }}{{ $key = include "ai-agent.urlKey" (dict "item" . "migration" $.migration) }}{{ end -}}
{{- end -}}
{{- $key -}}
{{- end -}}

{{/* Names that must be each other's only one, and lists that must fit the servers. */}}
{{- define "ai-agent.guards.urlVariables" -}}
{{- $urls := .Values.agent.urls -}}
{{- if and (not $urls.cache) (or .Values.redis.enabled .Values.externalCache.host) -}}
{{- fail "agent.urls.cache is empty, but there is a cache: set redis.enabled to false and externalCache.host to \"\", or name the variable that holds its URL." -}}
{{- end -}}
{{- $items := concat $urls.database $urls.cache -}}
{{- include "ai-agent.guards.unique" (dict "path" "agent.urls" "key" "name" "items" $items "taken" (keys (include "ai-agent.configData" . | fromYaml))) -}}
{{- range $items -}}
{{- if and (hasKey . "part") (has .name (list "DATABASE_URL" "REDIS_URL")) -}}
{{- fail (printf "agent.urls gives %s one part of a URL: give the part a name of its own." .name) -}}
{{- end -}}
{{- if and (hasKey . "part") (or (hasKey . "scheme") (hasKey . "parameters")) -}}
{{- fail (printf "agent.urls has part and scheme or parameters of %s: a part has neither, keep one." .name) -}}
{{- end -}}
{{- end -}}
{{- range $pair := list (list "DATABASE_URL" $urls.cache) (list "REDIS_URL" $urls.database) -}}
{{- range last $pair -}}
{{- if eq .name (first $pair) -}}
{{- fail (printf "agent.urls gives %s the URL of the other server: choose another name." .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Further names of variables that the chart sets itself, as a JSON list. */}}
{{- define "ai-agent.ownNames" -}}
{{- $names := list "AI_AGENT_DATABASE_URL" "AI_AGENT_REDIS_URL" "ALEMBIC_CONFIG" "ALEMBIC_SCRIPT_LOCATION" "SCHEMA_RELEASE" "SCHEMA_LEDGER" "FIRST_POD_NAME" "FIRST_POD_SERVICE" "FIRST_POD_SECONDS" -}}
{{- if not (or .Values.migration.alembic.config .Values.migration.alembic.scriptLocation) }}{{ $names = without $names "ALEMBIC_CONFIG" "ALEMBIC_SCRIPT_LOCATION" }}{{ end -}}
{{- range concat .Values.agent.urls.database .Values.agent.urls.cache -}}
{{- if not (has .name (list "DATABASE_URL" "REDIS_URL")) }}{{ $names = append $names .name }}{{ end -}}
{{- end -}}
{{- $names | toJson -}}
{{- end -}}
