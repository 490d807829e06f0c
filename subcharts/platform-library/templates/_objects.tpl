{{/* A service account without a token: the pods say themselves whether they take one. Argument: dict "root", "name", "component", and where wanted "own" labels, "annotations" and "pullSecrets" as for platform.imagePullSecrets. */}}
{{- define "platform.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
{{ include "platform.metadata" . }}
# The pods say themselves whether they take a token.
automountServiceAccountToken: false
{{- include "platform.imagePullSecrets" .pullSecrets }}
{{- end -}}

{{/* A service account of a server with Bitnami's values. Argument: dict "root", "component", "name". */}}
{{- define "platform.serverAccount" -}}
{{- with .root.Values.serviceAccount }}
{{- if .create }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $.name }}
  namespace: {{ $.root.Release.Namespace | quote }}
  labels:
    {{- include "platform.serverLabels" $ | nindent 4 }}
  {{- include "platform.annotations" (dict "root" $.root "own" .annotations "templates" true) }}
automountServiceAccountToken: {{ .automountServiceAccountToken }}
{{- end }}
{{- end }}
{{- end -}}

{{/*
Argument as for platform.serviceAccount, and "values" with type and port, and where wanted nodePort, appProtocol and what else a Service's spec
has; "metrics" the port of the metrics where it is another, "more" further ports of the pods, by name and containerPort (both optional).
*/}}
{{- define "platform.service" -}}
apiVersion: v1
kind: Service
{{ include "platform.metadata" . }}
spec:
  type: {{ .values.type }}
  {{- range $key := list "clusterIP" "ipFamilyPolicy" "ipFamilies" "internalTrafficPolicy" "externalTrafficPolicy" "sessionAffinity" "trafficDistribution" "loadBalancerClass" "loadBalancerIP" "loadBalancerSourceRanges" }}
  {{- with get $.values $key }}
  {{ $key }}: {{ toJson . }}
  {{- end }}
  {{- end }}
  {{- if eq (toString .values.allocateLoadBalancerNodePorts) "false" }}
  allocateLoadBalancerNodePorts: false
  {{- end }}
  ports:
    - name: http
      port: {{ .values.port }}
      targetPort: http
      protocol: TCP
      {{- with .values.nodePort }}
      nodePort: {{ . }}
      {{- end }}
      {{- with .values.appProtocol }}
      appProtocol: {{ . | quote }}
      {{- end }}
    {{- with .metrics }}
    - name: metrics
      port: {{ . }}
      targetPort: metrics
      protocol: TCP
    {{- end }}
    {{- range .more }}
    - name: {{ .name }}
      port: {{ .containerPort }}
      targetPort: {{ .name }}
      protocol: {{ default "TCP" .protocol }}
    {{- end }}
  selector:
    {{- include "platform.selectorLabels" . | nindent 4 }}
{{- end -}}

{{/* Argument as for platform.serviceAccount, and "values" with minAvailable or maxUnavailable, and "selector" the pods' labels rendered (default: those of the component). */}}
{{- define "platform.podDisruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
{{ include "platform.metadata" . }}
spec:
  {{- if not (has (toString .values.minAvailable) (list "" "<nil>")) }}
  minAvailable: {{ .values.minAvailable }}
  {{- else }}
  maxUnavailable: {{ .values.maxUnavailable }}
  {{- end }}
  # A pod that is not ready serves nobody, so it must not hold up a drain either.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- default (include "platform.selectorLabels" .) .selector | nindent 6 }}
{{- end -}}

{{/*
Of the Deployment of the same name. Argument as for platform.serviceAccount, and "container" whose load counts, "values" with minReplicas, maxReplicas,
targetCPUUtilizationPercentage, targetMemoryUtilizationPercentage (percent of the requests), metrics (further ones, as autoscaling/v2 has
them) and behavior.
*/}}
{{- define "platform.horizontalPodAutoscaler" -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
{{ include "platform.metadata" . }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ .name }}
  minReplicas: {{ .values.minReplicas }}
  maxReplicas: {{ .values.maxReplicas }}
  metrics:
    {{- range $resource, $target := dict "cpu" .values.targetCPUUtilizationPercentage "memory" .values.targetMemoryUtilizationPercentage }}
    {{- if $target }}
    # Of the {{ $.container }}'s container: a sidecar at rest would hide its load.
    - type: ContainerResource
      containerResource:
        name: {{ $resource }}
        container: {{ $.container }}
        target:
          type: Utilization
          averageUtilization: {{ $target }}
    {{- end }}
    {{- end }}
    {{- with .values.metrics }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .values.behavior }}
  behavior:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/*
KEDA's object in place of a HorizontalPodAutoscaler; KEDA makes one itself, keda-hpa-NAME. Argument as for that, and in "values" keda with triggers,
pollingInterval (seconds), fallback and annotations. Each target is a trigger of its own.
*/}}
{{- define "platform.scaledObject" -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
{{ include "platform.metadata" (merge (dict "annotations" .values.keda.annotations) .) }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ .name }}
  minReplicaCount: {{ .values.minReplicas }}
  maxReplicaCount: {{ .values.maxReplicas }}
  pollingInterval: {{ .values.keda.pollingInterval }}
  {{- with .values.keda.fallback }}
  fallback:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.behavior }}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        {{- toYaml . | nindent 8 }}
  {{- end }}
  triggers:
    {{- range $resource, $target := dict "cpu" .values.targetCPUUtilizationPercentage "memory" .values.targetMemoryUtilizationPercentage }}
    {{- if $target }}
    # Of the {{ $.container }}'s container: a sidecar at rest would hide its load.
    - type: {{ $resource }}
      metricType: Utilization
      metadata:
        value: {{ $target | quote }}
        containerName: {{ $.container }}
    {{- end }}
    {{- end }}
    {{- with .values.keda.triggers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* Argument as for platform.serviceAccount, and "port" the name of the Service's port, "path", "values" with interval and scrapeTimeout, and where wanted relabelings and metricRelabelings. */}}
{{- define "platform.serviceMonitor" -}}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
{{ include "platform.metadata" . }}
spec:
  endpoints:
    - port: {{ .port }}
      path: {{ .path }}
      interval: {{ .values.interval }}
      scrapeTimeout: {{ .values.scrapeTimeout }}
      {{- range $key := list "relabelings" "metricRelabelings" }}
      {{- with get $.values $key }}
      {{ $key }}:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- end }}
  selector:
    matchLabels:
      {{- include "platform.selectorLabels" . | nindent 6 }}
{{- end -}}
