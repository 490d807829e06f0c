{{/* What an API server refuses of the agent's pods and its Service, when the migration has run, or leaves without an effect. */}}
{{- define "ai-agent.guards.pods" -}}
{{- include "ai-agent.guards.rollout" . -}}
{{- include "ai-agent.guards.ports" . -}}
{{- include "ai-agent.guards.probes" . -}}
{{- include "ai-agent.guards.devices" . -}}
{{- include "ai-agent.guards.ownContainers" . -}}
{{- include "ai-agent.guards.service" . -}}
{{- include "ai-agent.guards.serviceIdentity" . -}}
{{- include "ai-agent.guards.plainSecrets" . -}}
{{- end -}}

{{/* A rollout that replaces no pod or never ends, and pods that ask nobody for names. */}}
{{- define "ai-agent.guards.rollout" -}}
{{- $agent := .Values.agent -}}
{{- with (include "ai-agent.strategy" . | fromYaml).rollingUpdate -}}
{{- if and (has (toString .maxSurge) (list "0" "0%")) (has (toString .maxUnavailable) (list "0" "0%")) -}}
{{- fail "agent.strategy.rollingUpdate.maxSurge and maxUnavailable are both 0, so no pod could be replaced: set one of them to 1." -}}
{{- end -}}
{{- end -}}
{{- if le (int $agent.progressDeadlineSeconds) (int $agent.minReadySeconds) -}}
{{- fail (printf "agent.minReadySeconds (%d) leaves a rollout no time: set it below agent.progressDeadlineSeconds (%d)." (int $agent.minReadySeconds) (int $agent.progressDeadlineSeconds)) -}}
{{- end -}}
{{- if and (eq (toString $agent.dnsPolicy) "None") (not (default dict $agent.dnsConfig).nameservers) -}}
{{- fail "agent.dnsPolicy is None, but agent.dnsConfig.nameservers is empty: name a server there, or leave agent.dnsPolicy empty." -}}
{{- end -}}
{{- end -}}

{{/* Names of the ports of the agent's container, as a list in JSON. */}}
{{- define "ai-agent.portNames" -}}
{{- $names := list "http" -}}
{{- if include "ai-agent.metricsPort" . }}{{ $names = append $names "metrics" }}{{ end -}}
{{- range .Values.agent.extraPorts }}{{ $names = append $names .name }}{{ end -}}
{{- $names | toJson -}}
{{- end -}}

{{/* Two ports of one name or number: a Service has each once. */}}
{{- define "ai-agent.guards.ports" -}}
{{- $agent := .Values.agent -}}
{{- include "ai-agent.guards.unique" (dict "path" "agent.extraPorts" "key" "name" "items" $agent.extraPorts "taken" (list "http" "metrics")) -}}
{{- $ports := list (list "agent.service.port" $agent.service.port "TCP") -}}
{{- if include "ai-agent.metricsPort" . }}{{ $ports = append $ports (list "agent.metrics.port" $agent.metrics.port "TCP") }}{{ end -}}
{{- range $agent.extraPorts -}}
{{- $ports = append $ports (list (printf "agent.extraPorts %s" .name) .containerPort (default "TCP" .protocol)) -}}
{{- end -}}
{{- $seen := dict -}}
{{- range $ports -}}
{{- $number := printf "%d/%s" (int (index . 1)) (last .) -}}
{{- if hasKey $seen $number -}}
{{- fail (printf "%s and %s are both %d, and a Service has a port once: choose another number for one of them." (get $seen $number) (first .) (int (index . 1))) -}}
{{- end -}}
{{- $_ := set $seen $number (first .) -}}
{{- end -}}
{{- end -}}

{{/* A probe of a port that has no such name, and fields that one of the three has not. */}}
{{- define "ai-agent.guards.probes" -}}
{{- $names := include "ai-agent.portNames" . | fromJsonArray -}}
{{- range $kind := list "startupProbe" "livenessProbe" "readinessProbe" -}}
{{- $probe := get $.Values.agent $kind | default dict -}}
{{- range $way := list "httpGet" "tcpSocket" -}}
{{- $port := (get $probe $way | default dict).port -}}
{{- if and (kindIs "string" $port) (not (has $port $names)) -}}
{{- fail (printf "agent.%s.%s.port is %s, but the agent's container has no port of that name: choose %s, or a number." $kind $way $port (join " or " $names)) -}}
{{- end -}}
{{- end -}}
{{- if and (eq $kind "readinessProbe") $probe.terminationGracePeriodSeconds -}}
{{- fail "agent.readinessProbe.terminationGracePeriodSeconds is set, but a readiness probe ends nothing: remove it." -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Devices: a claim that the pod does not make, and a share of what is given whole. */}}
{{- define "ai-agent.guards.devices" -}}
{{- $claims := list -}}
{{- range .Values.agent.resourceClaims }}{{ $claims = append $claims .name }}{{ end -}}
{{- range $place := list "agent" "migration.gate" "migration" "connectionTest" -}}
{{- $values := $.Values -}}
{{- range splitList "." $place }}{{ $values = get $values . | default dict }}{{ end -}}
{{- $resources := $values.resources | default dict -}}
{{- range $resources.claims -}}
{{- if has $place (list "migration" "connectionTest") -}}
{{- fail (printf "%s.resources.claims names %s, but devices are claimed for the agent's pods alone: remove it." $place .name) -}}
{{- end -}}
{{- if not (has .name $claims) -}}
{{- fail (printf "%s.resources.claims names %s, but agent.resourceClaims has no claim of that name: add it there." $place .name) -}}
{{- end -}}
{{- end -}}
{{- range $name, $request := $resources.requests -}}
{{- if contains "/" $name -}}
{{- $limit := get ($resources.limits | default dict) $name -}}
{{- if ne (toString $request) (toString $limit) -}}
{{- fail (printf "%s.resources.requests has %v of %s and limits %s, but a device is given whole: set both to the same number." $place $request $name (ternary "none" (toString $limit) (eq (toString $limit) ""))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What sidecars and init containers mount must be there. */}}
{{- define "ai-agent.guards.ownContainers" -}}
{{- $agent := .Values.agent -}}
{{- $volumes := ternary (list "tmp" "migration-scripts") (list "tmp") .Values.migration.enabled -}}
{{- range $agent.extraVolumes }}{{ $volumes = append $volumes .name }}{{ end -}}
{{- range $key := list "initContainers" "sidecars" -}}
{{- range $container := get $agent $key | default list -}}
{{- include "ai-agent.guards.mounts" (dict "who" (printf "agent.%s: the container %s" $key $container.name) "mounts" $container.volumeMounts "volumes" $volumes) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Fields of a Service that need another type of it. */}}
{{- define "ai-agent.guards.service" -}}
{{- $service := .Values.agent.service -}}
{{- $outside := dict "nodePort" (int $service.nodePort) "externalTrafficPolicy" $service.externalTrafficPolicy -}}
{{- $balanced := dict "loadBalancerClass" $service.loadBalancerClass "loadBalancerIP" $service.loadBalancerIP "loadBalancerSourceRanges" $service.loadBalancerSourceRanges "allocateLoadBalancerNodePorts" (eq (toString $service.allocateLoadBalancerNodePorts) "false") -}}
{{- range $key, $value := $outside -}}
{{- if and $value (eq $service.type "ClusterIP") -}}
{{- fail (printf "agent.service.%s is set, but agent.service.type is ClusterIP, which has no way in from outside: set the type to NodePort or LoadBalancer, or remove it." $key) -}}
{{- end -}}
{{- end -}}
{{- range $key, $value := $balanced -}}
{{- if and $value (ne $service.type "LoadBalancer") -}}
{{- fail (printf "agent.service.%s is set, but agent.service.type is %s: set the type to LoadBalancer, or remove it." $key $service.type) -}}
{{- end -}}
{{- end -}}
{{- if eq (toString $service.clusterIP) "None" -}}
{{- if ne $service.type "ClusterIP" -}}
{{- fail (printf "agent.service.clusterIP is None, but agent.service.type is %s: set the type to ClusterIP, or remove clusterIP." $service.type) -}}
{{- end -}}
{{- if ne (int $service.port) (int .Values.agent.port) -}}
{{- fail (printf "agent.service.clusterIP is None, so callers reach the pods themselves on agent.port: set agent.service.port to %d." (int .Values.agent.port)) -}}
{{- end -}}
{{- end -}}
{{- if and (gt (len (default list $service.ipFamilies)) 1) (not (has (toString $service.ipFamilyPolicy) (list "PreferDualStack" "RequireDualStack"))) -}}
{{- fail "agent.service.ipFamilies names two, but agent.service.ipFamilyPolicy is not PreferDualStack or RequireDualStack: set it, or keep one of the two." -}}
{{- end -}}
{{- end -}}

{{/* What no upgrade can change of a Service: Helm would stop in the middle of it. */}}
{{- define "ai-agent.guards.serviceIdentity" -}}
{{- $service := .Values.agent.service -}}
{{- $name := include "ai-agent.fullname" . -}}
{{- $live := dict -}}
{{- if .Release.IsUpgrade }}{{ $live = default dict (lookup "v1" "Service" .Release.Namespace $name).spec }}{{ end -}}
{{- if $live -}}
{{- $cure := printf "set it back, or delete the Service first (kubectl delete service %s), which nobody reaches until the upgrade is through" $name -}}
{{- $headless := eq (toString $live.clusterIP) "None" -}}
{{- if ne $headless (eq (toString $service.clusterIP) "None") -}}
{{- fail (printf "agent.service.clusterIP is %q, but the Service %s is %s, which no upgrade can change: %s." (toString $service.clusterIP) $name (ternary "headless" "not headless" $headless) $cure) -}}
{{- end -}}
{{- if and (eq $live.type "LoadBalancer") (eq $service.type "LoadBalancer") (ne (default "" $live.loadBalancerClass) (default "" $service.loadBalancerClass)) -}}
{{- fail (printf "agent.service.loadBalancerClass is %q, but that of the Service %s is %q, which no upgrade can change: %s." (default "" $service.loadBalancerClass) $name (default "" $live.loadBalancerClass) $cure) -}}
{{- end -}}
{{- if and $service.ipFamilies $live.ipFamilies (ne (first $service.ipFamilies) (first $live.ipFamilies)) -}}
{{- fail (printf "agent.service.ipFamilies begins with %s, but those of the Service %s with %s, which no upgrade can change: %s." (first $service.ipFamilies) $name (first $live.ipFamilies) $cure) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A key that stands in a ConfigMap or a manifest is read by everybody who may look: known by the form that its maker gives it. */}}
{{- define "ai-agent.guards.plainSecrets" -}}
{{- $form := "^(sk-[A-Za-z0-9_-]{16,}|gh[oprsu]_[A-Za-z0-9]{20,}|hf_[A-Za-z0-9]{20,}|xox[abp]-[A-Za-z0-9-]{10,}|AKIA[0-9A-Z]{16}$|-----BEGIN [A-Z ]*PRIVATE KEY)" -}}
{{- $given := dict -}}
{{- range $name, $value := .Values.agent.env }}{{ $_ := set $given (printf "agent.env.%s" $name) $value }}{{ end -}}
{{- range .Values.agent.extraEnv }}{{ $_ := set $given (printf "agent.extraEnv %s" .name) .value }}{{ end -}}
{{- range $name, $value := .Values.agent.podAnnotations }}{{ $_ := set $given (printf "agent.podAnnotations.%s" $name) $value }}{{ end -}}
{{- range $name, $value := .Values.commonAnnotations }}{{ $_ := set $given (printf "commonAnnotations.%s" $name) $value }}{{ end -}}
{{- range $path, $value := $given -}}
{{- if regexMatch $form (toString (default "" $value)) -}}
{{- fail (printf "%s is a secret by its form, and whoever may read manifests reads it there: put it into a Secret, and name that in agent.extraEnv (valueFrom.secretKeyRef)." $path) -}}
{{- end -}}
{{- end -}}
{{- end -}}
