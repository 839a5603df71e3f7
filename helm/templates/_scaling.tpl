{{- define "pm-parking-events.target" -}}
kind: {{ ternary "StatefulSet" "Deployment" (eq (include "pm-parking-events.isStateful" .) "yes") }}
name: {{ include "pm-parking-events.fullname" (index . 0) }}-{{ index . 1 }}
{{- end -}}

{{- define "pm-parking-events.behavior" -}}
{{- with .Values.scaling -}}
scaleUp:
  stabilizationWindowSeconds: {{ .up.waitSeconds }}
  policies:
    - type: Pods
      value: {{ .up.pods }}
      periodSeconds: {{ .up.everySeconds }}
scaleDown:
  stabilizationWindowSeconds: {{ .down.waitSeconds }}
  policies:
    - type: Pods
      value: {{ .down.pods }}
      periodSeconds: {{ .down.everySeconds }}
{{- end -}}
{{- end -}}

{{/* The lag of one topic (of a list of root, stage, topic and settings). */}}
{{- define "pm-parking-events.trigger" -}}
{{- $root := index . 0 -}}
{{- $stage := index . 1 -}}
{{- $settings := index . 3 -}}
- type: kafka
  metadata:
    bootstrapServers: {{ $settings.KAFKA_BROKERS | quote }}
    consumerGroup: {{ printf "%s-%s" (default "pm-parking-events" $settings.KAFKA_GROUP_ID) $stage | quote }}
    topic: {{ index . 2 | quote }}
    lagThreshold: {{ get $root.Values.keda.lag $stage | int64 | quote }}
    offsetResetPolicy: earliest
    version: {{ $root.Values.keda.kafkaVersion | quote }}
    {{- if eq (default "false" $settings.KAFKA_SSL) "true" }}
    tls: enable
    {{- end }}
    {{- with $settings.KAFKA_SASL_MECHANISM }}
    sasl: {{ get (dict "plain" "plaintext" "scram-sha-256" "scram_sha256" "scram-sha-512" "scram_sha512") . }}
    {{- end }}
  {{- with include "pm-parking-events.authentication" $root | fromJson }}
  authenticationRef:
    kind: {{ .kind }}
    name: {{ .name }}
  {{- end }}
{{- end -}}

{{/* The authentication of KEDA, as JSON; empty: it needs none. */}}
{{- define "pm-parking-events.authentication" -}}
{{- if .Values.keda.authentication.name -}}
{{- toJson .Values.keda.authentication -}}
{{- else if include "pm-parking-events.authenticationSpec" . -}}
{{- dict "kind" "TriggerAuthentication" "name" (printf "%s-kafka" (include "pm-parking-events.fullname" .)) | toJson -}}
{{- else -}}
{}
{{- end -}}
{{- end -}}

{{/* What KEDA needs of the secrets of a processor. */}}
{{- define "pm-parking-events.authenticationSpec" -}}
{{- $parameters := dict "KAFKA_SASL_USERNAME" "username" "KAFKA_SASL_PASSWORD" "password" "KAFKA_SSL_CA" "ca" "KAFKA_SSL_CERT" "cert" "KAFKA_SSL_KEY" "key" -}}
{{- $secrets := include "pm-parking-events.secrets" (list . "processor") | fromJson -}}
{{- $settings := include "pm-parking-events.settings" (list . "processor") | fromJson -}}
{{- $refs := list -}}
{{- $env := list -}}
{{- range $name := keys $parameters | sortAlpha -}}
{{- $parameter := get $parameters $name -}}
{{- with get $secrets $name -}}
{{- $refs = append $refs (dict "parameter" $parameter "name" .secret "key" .key) -}}
{{- else -}}
{{- if hasKey $settings $name -}}
{{- $env = append $env (dict "parameter" $parameter "name" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with $refs -}}
secretTargetRef:
  {{- toYaml . | nindent 2 }}
{{ end -}}
{{- with $env -}}
# From the ConfigMap of the processors.
env:
  {{- toYaml . | nindent 2 }}
{{ end -}}
{{- end -}}
