{{/* Where the pods of a component may go (of a list of root and component). */}}
{{- define "pm-parking-events.egress" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $settings := include "pm-parking-events.settings" . | fromJson -}}
{{- $secrets := include "pm-parking-events.secrets" . | fromJson -}}
{{- with $root.Values.networkPolicy.egress -}}
{{- include "pm-parking-events.egressRule" (list .dns .dns.ports "UDP") }}
{{- include "pm-parking-events.egressRule" (list .kafka (default (include "pm-parking-events.portsOf" $settings.KAFKA_BROKERS | fromJsonArray) .kafka.ports)) }}
{{- if ne $component "status" }}
{{- include "pm-parking-events.egressRule" (list .mongodb .mongodb.ports) }}
{{- end }}
{{- with $settings.SCHEMA_REGISTRY_URL }}
{{- $registry := $root.Values.networkPolicy.egress.registry }}
{{- include "pm-parking-events.egressRule" (list $registry (default (include "pm-parking-events.portsOf" . | fromJsonArray) $registry.ports)) }}
{{- end }}
{{- if hasKey $secrets "PRIMARY_MYSQL_URI" }}
{{- include "pm-parking-events.egressRule" (list .mysql .mysql.ports) }}
{{- end }}
{{- with $settings.JWT_JWKS_URL }}
{{- $jwks := $root.Values.networkPolicy.egress.jwks }}
{{- include "pm-parking-events.egressRule" (list $jwks (default (include "pm-parking-events.portsOf" . | fromJsonArray) $jwks.ports)) }}
{{- end }}
{{- with $settings.OTEL_EXPORTER_OTLP_ENDPOINT }}
{{- $telemetry := $root.Values.networkPolicy.egress.telemetry }}
{{- include "pm-parking-events.egressRule" (list $telemetry (default (include "pm-parking-events.portsOf" . | fromJsonArray) $telemetry.ports)) }}
{{- end }}
{{- with .more }}
{{ toYaml . }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* One rule (of a list of its values, its ports and, where it is not TCP alone, another protocol). */}}
{{- define "pm-parking-events.egressRule" }}
{{- $values := index . 0 }}
{{- $protocols := list "TCP" | concat (slice . 2) }}
- ports:
    {{- range $port := index . 1 }}
    {{- range $protocols }}
    - port: {{ $port | int }}
      protocol: {{ . }}
    {{- end }}
    {{- end }}
  {{- with $values.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
