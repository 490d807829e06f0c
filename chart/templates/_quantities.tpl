{{/*
The number that a Kubernetes quantity stands for: "250m" is 0.25, "1Gi" is 1073741824.
Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
*/}}
{{- define "ai-agent.number" -}}
{{- $text := toString . -}}
{{- $number := regexFind "^[0-9.]+([eE][-+]?[0-9]+)?" $text -}}
{{- $binary := dict "Ki" 1 "Mi" 2 "Gi" 3 "Ti" 4 "Pi" 5 "Ei" 6 -}}
{{- $decimal := dict "n" 1e-9 "u" 1e-6 "m" 1e-3 "" 1.0 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 -}}
{{- $unit := trimPrefix $number $text -}}
{{- $value := float64 $number -}}
{{- range until (get $binary $unit | default 0 | int) -}}
{{- $value = mulf $value 1024 -}}
{{- end -}}
{{- mulf $value (get $decimal $unit | default 1.0) -}}
{{- end -}}
