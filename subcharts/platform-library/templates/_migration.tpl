{{/* A Deployment as it is in the cluster, as JSON; empty where there is none, or no cluster. Asked once a rendering. Argument: dict "root", "name". */}}
{{- define "platform.liveDeployment" -}}
{{- $kept := printf "platformDeployment %s" .name -}}
{{- if not (hasKey .root $kept) -}}
{{- $_ := set .root $kept (lookup "apps/v1" "Deployment" .root.Release.Namespace .name | toJson) -}}
{{- end -}}
{{- get .root $kept -}}
{{- end -}}

{{/* "true" when pods of that Deployment serve now, else empty. Argument as above. */}}
{{- define "platform.serving" -}}
{{- if gt (int (dig "status" "availableReplicas" 0 (include "platform.liveDeployment" . | fromJson))) 0 -}}true{{- end -}}
{{- end -}}

{{/*
Annotations of an object of the pre-upgrade hook, as JSON. A Job and its log stay until the next run, a failed one most of all; what it reads
goes with its success. Argument: dict "job" whether it is the Job, which comes after what it reads.
*/}}
{{- define "platform.migration.hook" -}}
{{- if .job -}}
{{- dict "helm.sh/hook" "pre-upgrade" "helm.sh/hook-weight" "-5" "helm.sh/hook-delete-policy" "before-hook-creation" "helm.sh/hook-output-log-policy" "hook-failed" | toJson -}}
{{- else -}}
{{- dict "helm.sh/hook" "pre-upgrade" "helm.sh/hook-weight" "-10" "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded" | toJson -}}
{{- end -}}
{{- end -}}

{{/*
Suffix of the name of a plain Job: the release's revision makes a retry a new Job, the hash of what it runs makes a new version one under
`kubectl apply` and Argo CD, where the revision is always 1 and a Job cannot be changed. Argument: dict "root", "spec" of the Job, rendered.
*/}}
{{- define "platform.migration.suffix" -}}
{{- printf "db-migrate-%d-%s" .root.Release.Revision (.spec | sha256sum | trunc 8) -}}
{{- end -}}

{{/*
Spec of a Job that migrates.
Argument: dict "values" with backoffLimit and ttlSecondsAfterFinished (null: it stays), "deadline" in seconds and "failAt" the exit code
that no other attempt can help (both or neither), "labels" and "annotations" of the pod rendered, "pod" fields of the pod's spec rendered,
"container" the container `migrate` without its name, rendered, and "volumes" rendered.
*/}}
{{- define "platform.migration.jobSpec" -}}
backoffLimit: {{ .values.backoffLimit }}
{{- with .deadline }}
activeDeadlineSeconds: {{ . }}
podFailurePolicy:
  rules:
    - action: FailJob
      onExitCodes:
        containerName: migrate
        operator: In
        values: [{{ $.failAt }}]
{{- end }}
{{- if ne (toString .values.ttlSecondsAfterFinished) "<nil>" }}
ttlSecondsAfterFinished: {{ .values.ttlSecondsAfterFinished }}
{{- end }}
template:
  metadata:
    labels:
      {{- .labels | nindent 6 }}
    {{- with .annotations }}
    annotations:
      {{- . | nindent 6 }}
    {{- end }}
  spec:
    {{- .pod | nindent 4 }}
    restartPolicy: Never
    containers:
      - name: migrate
        {{- .container | nindent 8 }}
    volumes:
      {{- .volumes | nindent 6 }}
{{- end -}}

{{/*
The Job of a chart whose migration reads nothing that an upgrade changes: as a pre-upgrade hook while a Deployment serves, else a plain Job.
Argument: dict "root", "name" the fullname and the Deployment's name, "values" with backoffLimit, timeout (seconds, of the hook) and
ttlSecondsAfterFinished, "annotations" of a plain Job (optional), "pod", "container" and "volumes" as above.
*/}}
{{- define "platform.migration.job" -}}
{{- $hook := and .root.Release.IsUpgrade (include "platform.serving" .) -}}
{{- $labels := dict "root" .root "component" "migration" -}}
{{- $more := ternary (dict "deadline" .values.timeout "failAt" 124) dict (not (empty $hook)) -}}
{{- $given := merge (dict "labels" (include "platform.clientPodLabels" $labels)) (pick . "values" "pod" "container" "volumes") -}}
{{- $spec := include "platform.migration.jobSpec" (merge $given $more) -}}
{{- $suffix := ternary "pre-upgrade-migration" (include "platform.migration.suffix" (dict "root" .root "spec" $spec)) (not (empty $hook)) -}}
{{- $annotations := .annotations -}}
{{- if $hook -}}{{- $annotations = include "platform.migration.hook" (dict "job" true) | fromJson -}}{{- end -}}
apiVersion: batch/v1
kind: Job
{{ include "platform.metadata" (merge (dict "name" (include "platform.objectName" (dict "fullname" .name "suffix" $suffix)) "annotations" $annotations) $labels) }}
spec:
  {{- $spec | nindent 2 }}
{{- end -}}

{{/* An init container that holds a pod until its database is ready for it. Argument: dict "name", "image", "pullPolicy", "command" rendered as a list, "body" the rest rendered, "resources". */}}
{{- define "platform.migration.wait" -}}
- name: {{ .name }}
  image: {{ .image | quote }}
  imagePullPolicy: {{ .pullPolicy }}
  command:
    {{- .command | nindent 4 }}
  {{- .body | nindent 2 }}
  resources:
    {{- toYaml .resources | nindent 4 }}
{{- end -}}

{{/*
The command of a waiting container whose image has python3, as a list: until the servers of the URLs in some variables take a connection, and
then until a program of the image ends with 0. Argument: dict "variables" the names, "check" that program and its arguments (empty: none).
*/}}
{{- define "platform.migration.waitCommand" -}}
- python3
- -c
- |
  {{- include "platform.migration.waitProgram" . | nindent 2 }}
{{- range concat (list (join "," .variables)) (default list .check) }}
- {{ . | quote }}
{{- end }}
{{- end -}}

{{/* The program of that container. */}}
{{- define "platform.migration.waitProgram" -}}
import os, socket, subprocess, sys, time, urllib.parse

PORTS = {"postgresql": 5432, "postgres": 5432, "redis": 6379, "rediss": 6379, "http": 80, "https": 443}
for name in filter(None, sys.argv[1].split(",")):
    url = urllib.parse.urlsplit(os.environ[name])
    place = url.hostname, url.port or PORTS[url.scheme.partition("+")[0]]
    while True:
        try:
            socket.create_connection(place, timeout=3).close()
            break
        except OSError as error:
            print(f"{name}: {place[0]}:{place[1]} does not answer yet ({error})", flush=True)
            time.sleep(2)
while sys.argv[2:] and subprocess.run(sys.argv[2:]).returncode:
    print(f"{sys.argv[2]} says that the database is not ready for this version yet", flush=True)
    time.sleep(2)
{{- end -}}
