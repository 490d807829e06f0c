{{/* Bitnami's features that this chart lacks: refused in one sentence, never ignored. */}}
{{- define "aipg.refusals" -}}
{{- $bitnami := "use Bitnami's chart (ai_agent_subcharts: bitnami) or an external database" -}}
{{- if ne .Values.architecture "standalone" -}}
{{- fail (printf "postgresql.architecture is %s, but the embedded chart runs one server alone: set it to standalone, or %s." .Values.architecture $bitnami) -}}
{{- end -}}
{{- if hasKey .Values "readReplicas" -}}
{{- fail (printf "postgresql.readReplicas is set, but the embedded chart runs one server alone: remove it, or %s." $bitnami) -}}
{{- end -}}
{{- $instead := dict
  "metrics" "run an exporter of your own against the Service"
  "tls" $bitnami
  "ldap" $bitnami
  "backup" "run pg_dump in a CronJob of your own"
  "networkPolicy" "write a NetworkPolicy of your own that selects app.kubernetes.io/component: primary"
  "volumePermissions" "let primary.podSecurityContext.fsGroup give the volume to the server"
-}}
{{- range $key, $way := $instead -}}
{{- if dig $key "enabled" false $.Values.AsMap -}}
{{- fail (printf "postgresql.%s.enabled is true, but the embedded chart has no %s: set it to false and %s." $key $key $way) -}}
{{- end -}}
{{- end -}}
{{- $auth := include "aipg.auth" . | fromJson -}}
{{- if and $auth.custom (not $auth.database) -}}
{{- fail (printf "postgresql.auth.username is %s, but postgresql.auth.database is empty: name the database that this user owns." $auth.username) -}}
{{- end -}}
{{- if not (or $auth.custom $auth.enablePostgresUser) -}}
{{- fail "postgresql.auth.enablePostgresUser is false and postgresql.auth.username is empty, so nobody could log in: set one of the two." -}}
{{- end -}}
{{- if and .Values.primary.initdb.scripts .Values.primary.initdb.scriptsConfigMap -}}
{{- fail "postgresql.primary.initdb.scripts and scriptsConfigMap are both set: keep one of the two." -}}
{{- end -}}
{{- range $key, $labels := dict "commonLabels" .Values.commonLabels "primary.podLabels" .Values.primary.podLabels -}}
{{- range $label := keys (default dict $labels) | sortAlpha -}}
{{- if regexMatch "^(app\\.kubernetes\\.io/(name|instance|component|managed-by|version)|helm\\.sh/chart)$" $label -}}
{{- fail (printf "postgresql.%s names the label %s, which the chart sets itself: remove it." $key $label) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- /* Helm 4 fails at a name that stands twice, and Kubernetes would take one of the two in silence. */ -}}
{{- range .Values.primary.extraEnvVars -}}
{{- if regexMatch "^(PGDATA|POSTGRES_(USER|DATABASE|PASSWORD_FILE|POSTGRES_PASSWORD_FILE|INITSCRIPTS_USERNAME)|POSTGRESQL_(PORT_NUMBER|VOLUME_DIR|SHARED_PRELOAD_LIBRARIES))$" .name -}}
{{- fail (printf "postgresql.primary.extraEnvVars names %s, which the chart sets itself: remove it." .name) -}}
{{- end -}}
{{- end -}}
{{- /* The label controller-revision-hash, 63 characters at most, is this name and 11 more: a longer one never gets a pod. */ -}}
{{- $name := include "aipg.fullname" . -}}
{{- if gt (len $name) 52 -}}
{{- fail (printf "the StatefulSet's name %s has %d characters, but Kubernetes makes pods up to 52: shorten the release name or set postgresql.fullnameOverride." $name (len $name)) -}}
{{- end -}}
{{- end -}}
