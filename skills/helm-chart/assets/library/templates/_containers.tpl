{{/*
securityContext of a container in the restricted standard; what the caller gives wins. Argument: dict "own".
A library's templates read their argument alone, never .Values: each chart has its own. Not merge: it takes false for nothing.
*/}}
{{- define "standards.containerSecurity" -}}
{{- $made := dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "capabilities" (dict "drop" (list "ALL")) -}}
{{- range $key, $value := .own -}}
{{- $_ := set $made $key $value -}}
{{- end -}}
{{- $made | toYaml -}}
{{- end -}}
