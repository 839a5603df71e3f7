{{/* The settings of a component that are no secrets, as JSON (of a list of root and component). */}}
{{- define "pm-parking-events.settings" -}}
{{- $root := index . 0 -}}
{{- $isServe := eq (index . 1) "serve" -}}
{{- $kept := dict -}}
{{- range list $root.Values.settings (ternary $root.Values.serve.settings (dict) $isServe) -}}
{{- range $name, $value := . -}}
{{- $isOther := and (not $isServe) (or (hasPrefix "SERVE_" $name) (hasPrefix "JWT_" $name)) -}}
{{- if or $isOther (kindIs "invalid" $value) -}}
{{- else if kindIs "slice" $value -}}
{{- $_ := set $kept $name (join "," $value) -}}
{{- else -}}
{{- $_ := set $kept $name (kindIs "string" $value | ternary $value (toJson $value)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $kept -}}
{{- end -}}

{{/*
Where the secrets of a component are, as JSON (of a list of root and component): setting → { secret, key }. Nobody gets what only
others need.
*/}}
{{- define "pm-parking-events.secrets" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $isServe := eq $component "serve" -}}
{{- $others := $isServe | ternary list (list "PRIMARY_MYSQL_URI") -}}
{{- if eq $component "status" -}}{{- $others = append $others "MONGODB_URI" -}}{{- end -}}
{{- $kept := dict -}}
{{- range list $root.Values.secrets (ternary $root.Values.serve.secrets (dict) $isServe) -}}
{{- range $name, $value := . -}}
{{- if and $value (not (has $name $others)) -}}
{{- $_ := set $kept $name (include "pm-parking-events.secretKey" (list $value $name) | fromJson) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $kept -}}
{{- end -}}

{{/* `secret/key` or `secret`, of a list of that and the key where none is given, as JSON. */}}
{{- define "pm-parking-events.secretKey" -}}
{{- $parts := splitList "/" (index . 0) -}}
{{- dict "secret" (first $parts) "key" (gt (len $parts) 1 | ternary (last $parts) (index . 1)) | toJson -}}
{{- end -}}

{{/* The ports of a text such as `kafka-1:9092,kafka-2:9093` or `https://a/b`, as a JSON list. */}}
{{- define "pm-parking-events.portsOf" -}}
{{- $ports := list -}}
{{- range splitList "," . -}}
{{- $port := regexFind ":[0-9]+(/|$)" (trim .) | trimPrefix ":" | trimSuffix "/" -}}
{{- $ports = append $ports (default (ternary 443 80 (hasPrefix "https:" (trim .))) $port | int) -}}
{{- end -}}
{{- uniq $ports | toJson -}}
{{- end -}}

{{/* Node's flags of `serve`: a heap that is too large is not collected, one that is too small ends the process. */}}
{{- define "pm-parking-events.serveNodeOptions" -}}
{{- $settings := include "pm-parking-events.settings" (list . "serve") | fromJson -}}
{{- $heap := add 192 (default "64" $settings.SERVE_CACHE_MB | int) -}}
{{- default (printf "--max-old-space-size=%d --max-semi-space-size=8" $heap) .Values.serve.nodeOptions -}}
{{- end -}}
