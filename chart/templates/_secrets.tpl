{{/*
Where a pod finds one of the values that the chart's own Secret has: there, or where existingSecretKeys says.
Argument: dict "root" the root context, "key" its name in the chart's own Secret. Returns JSON: "secret", "key", and "mapped", whether
existingSecretKeys names it.
*/}}
{{- define "ai-agent.secretKey" -}}
{{- $mapped := get (default dict .root.Values.existingSecretKeys) .key -}}
{{- $place := dict "secret" (include "ai-agent.secretName" .root) "key" .key "mapped" (not (empty $mapped)) -}}
{{- if kindIs "map" $mapped -}}
{{- $place = merge (dict "secret" $mapped.name "key" $mapped.key) $place -}}
{{- else if $mapped -}}
{{- $place = merge (dict "key" $mapped) $place -}}
{{- end -}}
{{- $place | toJson -}}
{{- end -}}

{{/* A password of the values; "unused", which Bitnami's upgrade check wants to see beside an existing Secret, is none. */}}
{{- define "ai-agent.givenPassword" -}}
{{- range . -}}
{{- if and . (ne . "unused") -}}{{- . -}}{{- break -}}{{- end -}}
{{- end -}}
{{- end -}}

{{/*
One password of the chart's own Secret: what the Secret holds now, else the value given, else a random one. It never changes
by itself: the database keeps the password that it was initialised with.
Argument: dict "root" the root context, "live" the Secret's decoded data, "key" the key, "given" the value,
"path" the name of the value for messages, "required" whether a serving release must have it already, "volume" the claim whose
data were made with it, empty if none keeps it.
*/}}
{{- define "ai-agent.password" -}}
{{- $live := get .live .key -}}
{{- $secret := include "ai-agent.secretName" .root -}}
{{- if $live -}}
{{- if and .given (ne .given $live) -}}
{{- fail (printf "%s differs from %s in the Secret %s, and the running server knows only the latter: change the password in the server and in the Secret first, or leave the value empty." .path .key $secret) -}}
{{- end -}}
{{- $live -}}
{{- else if .given -}}
{{- .given -}}
{{- else if and .required (include "ai-agent.serving" .root) -}}
{{- fail (printf "The Secret %s has no key %s although the release is serving: restore the Secret, or set %s to the password that the server knows." $secret .key .path) -}}
{{- else if and .volume (or .root.Release.IsInstall (and (include "ai-agent.liveDeployment" .root | fromJson) (lookup "apps/v1" "StatefulSet" .root.Release.Namespace (include "ai-agent.postgresql.host" .root)))) (lookup "v1" "PersistentVolumeClaim" .root.Release.Namespace .volume) -}}
{{- fail (printf "The Secret %s has no key %s, and the volume %s of an earlier release knows its password only: restore the Secret, set %s to that password, or delete the volume if nothing in it is worth keeping." $secret .key .volume .path) -}}
{{- else if eq .root.Values.secrets.generate "never" -}}
{{- fail (printf "%s is empty and secrets.generate is never: give it, or name a Secret in existingSecret." .path) -}}
{{- else -}}
{{- include "ai-agent.generated" (dict "root" .root "path" .path "length" 32) -}}
{{- end -}}
{{- end -}}

{{/*
"true" where what is random stays, because the next rendering finds it in the cluster, or where it is not meant to stay. Without a
cluster (`helm template`, `--dry-run=client`, Argo CD) every lookup is empty; with one, a list has a kind even if nothing is in it.
*/}}
{{- define "ai-agent.mayGenerate" -}}
{{- if or (eq .Values.secrets.generate "always") (lookup "v1" "Secret" .Release.Namespace "").kind -}}true{{- end -}}
{{- end -}}

{{/* A random text in place of a value that nobody gave. Argument: dict "root" the root context, "path" the value, "length". */}}
{{- define "ai-agent.generated" -}}
{{- if not (include "ai-agent.mayGenerate" .root) -}}
{{- fail (printf "%s is empty and this rendering cannot look into a cluster, so each one would invent another and lock the agent out: name a Secret in existingSecret, or give %s; secrets.generate: always renders what must not be deployed." .path .path) -}}
{{- end -}}
{{- randAlphaNum .length -}}
{{- end -}}

{{/*
The password of a server of one's own: what the values give, else what the Secret holds. This chart did not make that server, so
nothing is generated, and another password in the values is a change that was made there.
Argument: dict "live" the Secret's decoded data, "key" the key, "given" the value, "path" its name, "required".
*/}}
{{- define "ai-agent.externalPassword" -}}
{{- $password := default (get .live .key) .given -}}
{{- if and .required (not $password) -}}
{{- fail (printf "%s is empty: give the password of your server, or name a Secret that holds its URL in existingSecret." .path) -}}
{{- end -}}
{{- $password -}}
{{- end -}}

{{/*
Data of the chart's own Secret, decoded, as JSON. Worked out once a rendering and kept in the root context: what is random must
be the same in the Secret, in the hook's Secret and in the annotation of the agent's pods.
*/}}
{{- define "ai-agent.secretData" -}}
{{- if not (hasKey . "aiAgentSecretData") -}}
{{- include "ai-agent.guards.servers" . -}}
{{- $live := dict -}}
{{- range $key, $value := dig "data" dict (lookup "v1" "Secret" .Release.Namespace (include "ai-agent.secretName" .)) -}}
{{- $_ := set $live $key (b64dec $value) -}}
{{- end -}}
{{- $auth := .Values.postgresql.auth -}}
{{- $globalAuth := dig "postgresql" "auth" dict (default dict .Values.global) -}}
{{- $data := dict -}}
{{- $password := "" -}}
{{- if .Values.postgresql.enabled -}}
{{- $volume := printf "data-%s-0" (include "ai-agent.postgresql.host" .) -}}
{{- if or (dig "primary" "persistence" "existingClaim" "" .Values.postgresql) (not (dig "primary" "persistence" "enabled" true .Values.postgresql)) }}{{ $volume = "" }}{{ end -}}
{{- $admin := include "ai-agent.password" (dict "root" . "volume" $volume "live" $live "key" "postgres-password" "required" true "path" "postgresql.auth.postgresPassword" "given" (include "ai-agent.givenPassword" (list (get $globalAuth "postgresPassword") $auth.postgresPassword))) -}}
{{- $_ := set $data "postgres-password" $admin -}}
{{- $password = include "ai-agent.password" (dict "root" . "volume" $volume "live" $live "key" "password" "required" true "path" "postgresql.auth.password" "given" (include "ai-agent.givenPassword" (list (get $globalAuth "password") $auth.password))) -}}
{{- $_ := set $data "password" $password -}}
{{- /* The replication password is generated in advance, for replicas that may be added later; where nothing may be generated, it is required only then. */ -}}
{{- $given := include "ai-agent.givenPassword" (list $auth.replicationPassword) -}}
{{- $generates := and (ne .Values.secrets.generate "never") (include "ai-agent.mayGenerate" .) -}}
{{- if or $given (get $live "replication-password") $generates (eq .Values.postgresql.architecture "replication") -}}
{{- $replication := include "ai-agent.password" (dict "root" . "volume" "" "live" $live "key" "replication-password" "required" false "path" "postgresql.auth.replicationPassword" "given" $given) -}}
{{- $_ := set $data "replication-password" $replication -}}
{{- end -}}
{{- if eq (include "ai-agent.postgresql.username" .) "postgres" -}}
{{- $password = $admin -}}
{{- end -}}
{{- else -}}
{{- $password = include "ai-agent.externalPassword" (dict "live" $live "key" "password" "given" .Values.externalDatabase.password "path" "externalDatabase.password" "required" true) -}}
{{- $_ := set $data "password" $password -}}
{{- end -}}
{{- $url := include "ai-agent.postgresql.url" (dict "root" . "password" $password) -}}
{{- $_ := set $data "database-url" $url -}}
{{- $_ := set $data "migration-database-url" $url -}}
{{- $forms := include "ai-agent.urlVariables" . | fromJsonArray -}}
{{- range $item := $forms -}}
{{- if and (eq $item.form "scheme") (eq $item.of "database") -}}
{{- $own := include "ai-agent.urlInForm" (dict "url" $url "item" $item) -}}
{{- $_ := set $data $item.name $own -}}
{{- $_ := set $data (printf "migration-%s" $item.name) $own -}}
{{- end -}}
{{- end -}}
{{- if include "ai-agent.cache" . -}}
{{- $redis := "" -}}
{{- if not .Values.redis.enabled -}}
{{- $redis = include "ai-agent.externalPassword" (dict "live" $live "key" "redis-password" "given" .Values.externalCache.password "path" "externalCache.password" "required" false) -}}
{{- else if .Values.redis.auth.enabled -}}
{{- $given := include "ai-agent.givenPassword" (list (dig "redis" "password" "" (default dict .Values.global)) .Values.redis.auth.password) -}}
{{- $redis = include "ai-agent.password" (dict "root" . "volume" "" "live" $live "key" "redis-password" "required" true "path" "redis.auth.password" "given" $given) -}}
{{- end -}}
{{- with $redis }}{{ $_ := set $data "redis-password" . }}{{ end -}}
{{- $_ := set $data "redis-url" (include "ai-agent.redis.url" (dict "root" . "password" $redis)) -}}
{{- range $item := $forms -}}
{{- if and (eq $item.form "scheme") (eq $item.of "cache") -}}
{{- $_ := set $data $item.name (include "ai-agent.urlInForm" (dict "url" (get $data "redis-url") "item" $item)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- /* A URL that is not the live one must reach the pods, so it brings a new id. */ -}}
{{- $id := get $live "rotation-id" -}}
{{- range $key := list "database-url" "redis-url" -}}
{{- if ne (get $live $key) (get $data $key) }}{{ $id = "" }}{{ end -}}
{{- end -}}
{{- $id = coalesce .Values.rotationId $id -}}
{{- if not $id -}}
{{- $id = include "ai-agent.generated" (dict "root" . "path" "rotationId" "length" 16) -}}
{{- end -}}
{{- $_ := set $data "rotation-id" $id -}}
{{- $_ := set . "aiAgentSecretData" $data -}}
{{- end -}}
{{- .aiAgentSecretData | toJson -}}
{{- end -}}

{{/* The id whose change restarts the agent's pods after a rotation. */}}
{{- define "ai-agent.rotationId" -}}
{{- if .Values.existingSecret -}}
{{- .Values.rotationId -}}
{{- else -}}
{{- get (include "ai-agent.secretData" . | fromJson) "rotation-id" -}}
{{- end -}}
{{- end -}}
