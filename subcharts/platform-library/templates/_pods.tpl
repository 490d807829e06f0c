{{/*
A security context. Argument, one of: dict "whole" the context as the values have it, Bitnami's switch `enabled` taken out (false: no
context); or dict "root", "level" pod or container, "own" what the values lay over the standard of the library, key by key.
*/}}
{{- define "platform.securityContext" -}}
{{- if hasKey . "whole" -}}
{{- $context := default dict .whole -}}
{{- if eq (toString (get $context "enabled")) "false" -}}{}{{- else -}}{{- omit $context "enabled" | toYaml -}}{{- end -}}
{{- else -}}
{{- $standard := include "platform.standard" (dict "root" .root "key" (printf "%sSecurityContext" .level)) | fromJson -}}
{{- mergeOverwrite $standard (default dict .own) | toYaml -}}
{{- end -}}
{{- end -}}

{{/* imagePullSecrets as Kubernetes has them. Argument: the list, of names or of {name: ...}. */}}
{{- define "platform.imagePullSecrets" -}}
{{- $secrets := list -}}
{{- range . -}}
{{- $secrets = append $secrets (ternary . (dict "name" .) (kindIs "map" .)) -}}
{{- end -}}
{{- with $secrets | uniq }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Those of global.imagePullSecrets and of a list of the chart's own, as a list in JSON. Argument: dict "root", "own". */}}
{{- define "platform.allPullSecrets" -}}
{{- concat (dig "imagePullSecrets" nil (default dict .root.Values.global) | default list) (default list .own) | toJson -}}
{{- end -}}

{{/* imagePullSecrets of a server with Bitnami's values, those of `global` first. Argument: the root context. */}}
{{- define "platform.serverPullSecrets" -}}
{{- include "platform.imagePullSecrets" (include "platform.allPullSecrets" (dict "root" . "own" .Values.image.pullSecrets) | fromJsonArray) -}}
{{- end -}}

{{/*
Fields that all pods of a chart share: no variables of other Services, security, how names are found, and where they run.
Argument: dict "pullSecrets", "securityContext" rendered, "values" with, where wanted, nodeSelector, tolerations, hostAliases, dnsConfig,
dnsPolicy, priorityClassName, runtimeClassName and schedulerName.
*/}}
{{- define "platform.podDefaults" -}}
enableServiceLinks: false
{{- include "platform.imagePullSecrets" .pullSecrets }}
securityContext:
  {{- .securityContext | nindent 2 }}
{{- range $key := list "nodeSelector" "tolerations" "hostAliases" "dnsConfig" }}
{{- with get $.values $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- range $key := list "priorityClassName" "runtimeClassName" "schedulerName" "dnsPolicy" }}
{{- with get $.values $key }}
{{ $key }}: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{/*
Where the pods of a server run; unless the values say otherwise, not two of a kind on one node where there is another.
Argument: dict "root", "component", "values" of that kind of server, whose texts are templates.
*/}}
{{- define "platform.scheduling" -}}
{{- range $key := list "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" }}
{{- with get $.values $key }}
{{ $key }}:
  {{- include "platform.tpl" (list (toYaml .) $.root) | nindent 2 }}
{{- end }}
{{- end }}
{{- if not .values.affinity }}
# Bitnami's default: not two of a kind on one node where there is another.
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 1
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "platform.selectorLabels" . | nindent 14 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{/* Pods of one component spread over nodes and zones as far as there is room. Argument: dict "root", "component". */}}
{{- define "platform.spread" -}}
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- maxSkew: 1
  topologyKey: {{ . }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "platform.selectorLabels" $ | nindent 6 }}
  matchLabelKeys:
    - pod-template-hash
{{- end }}
{{- end -}}

{{/*
The name of an image with the registry of a closed network, global.imageRegistry: in place of the name's own registry, the part before the
first slash where that has a dot or a colon, or is localhost. Argument: dict "root", "name".
*/}}
{{- define "platform.fromRegistry" -}}
{{- $registry := dig "imageRegistry" "" (default dict .root.Values.global) -}}
{{- if and $registry .name -}}
{{- printf "%s/%s" (trimSuffix "/" $registry) (regexReplaceAll "^(localhost|[^/]*[.:][^/]*)/" .name "") -}}
{{- else -}}
{{- .name -}}
{{- end -}}
{{- end -}}

{{/* An image by its digest, else its tag, else the chart's appVersion. Argument: dict "root", "image" with repository, tag and digest. */}}
{{- define "platform.image" -}}
{{- $name := include "platform.fromRegistry" (dict "root" .root "name" .image.repository) -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $name .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .root.Chart.AppVersion .image.tag) -}}
{{- end -}}
{{- end -}}

{{/*
The image of a server that keeps data, with Bitnami's keys (registry, repository, tag, digest): without a tag or a digest it is refused.
Argument: dict "root", "because" what would happen without one.
*/}}
{{- define "platform.serverImage" -}}
{{- $image := .root.Values.image -}}
{{- if not (or $image.tag $image.digest) -}}
{{- fail (printf "%s.image.tag is empty: name the tag or the digest of the image to run, for %s." .root.Chart.Name .because) -}}
{{- end -}}
{{- $registry := default $image.registry (dig "imageRegistry" "" (default dict .root.Values.global)) -}}
{{- $name := ternary (printf "%s/%s" $registry $image.repository) $image.repository (not (empty $registry)) -}}
{{- ternary (printf "%s@%s" $name $image.digest) (printf "%s:%s" $name $image.tag) (not (empty $image.digest)) -}}
{{- end -}}

{{/* An environment variable from a key of a Secret. Argument: dict "name", "secret", "key". */}}
{{- define "platform.envFromSecret" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
{{- end -}}

{{/*
`spec` of the claim of a server's data; global.storageClass wins, "-" means the empty class, as in Bitnami's charts.
Argument: dict "root", "persistence" the values.
*/}}
{{- define "platform.claimSpec" -}}
{{- $class := default .persistence.storageClass (dig "storageClass" "" (default dict .root.Values.global)) -}}
accessModes:
  {{- toYaml .persistence.accessModes | nindent 2 }}
resources:
  requests:
    storage: {{ .persistence.size | quote }}
{{- if $class }}
storageClassName: {{ ternary "" $class (eq $class "-") | quote }}
{{- end }}
{{- end -}}

{{/*
How a probe asks, and how often. Without a way of asking it is HTTP, on /ready or /health.
Argument: dict "kind" startup, liveness or readiness, "probe" its values, "port" the number of the server's port, for gRPC.
*/}}
{{- define "platform.probe" -}}
{{- $probe := .probe -}}
{{- if $probe.exec -}}
exec:
  command:
    {{- toYaml $probe.exec.command | nindent 4 }}
{{- else if kindIs "map" $probe.tcpSocket -}}
tcpSocket:
  port: {{ default "http" $probe.tcpSocket.port }}
{{- else if kindIs "map" $probe.grpc -}}
grpc:
  port: {{ default .port $probe.grpc.port }}
  {{- with $probe.grpc.service }}
  service: {{ . | quote }}
  {{- end }}
{{- else -}}
{{- $http := default dict $probe.httpGet -}}
httpGet:
  path: {{ default (ternary "/ready" "/health" (eq .kind "readiness")) $http.path }}
  port: {{ default "http" $http.port }}
  {{- with $http.scheme }}
  scheme: {{ . }}
  {{- end }}
  {{- with $http.httpHeaders }}
  httpHeaders:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- with omit $probe "enabled" "exec" "tcpSocket" "grpc" "httpGet" }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/*
The three probes of a container, those that are enabled, each with its key.
Argument: dict "values" with startupProbe, livenessProbe and readinessProbe, "port" as above.
*/}}
{{- define "platform.probes" -}}
{{- range $kind := list "startup" "liveness" "readiness" }}
{{- $probe := default dict (get $.values (printf "%sProbe" $kind)) }}
{{- if ne (toString $probe.enabled) "false" }}
{{ $kind }}Probe:
  {{- include "platform.probe" (dict "kind" $kind "probe" $probe "port" $.port) | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}
