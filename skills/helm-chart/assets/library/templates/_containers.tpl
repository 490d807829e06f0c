{{/*
securityContext of a container in the restricted standard; what the caller gives wins. Argument: dict "own".
A library's templates read their argument alone, never .Values: each chart has its own.
*/}}
{{- define "standards.containerSecurity" -}}
{{- $default := dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "capabilities" (dict "drop" (list "ALL")) -}}
{{- merge (deepCopy (default dict .own)) $default | toYaml -}}
{{- end -}}
