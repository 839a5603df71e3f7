{{/* What a component's pods have, as JSON (of a list of root and component): `pod`, and over it what differs. */}}
{{- define "pm-parking-events.podValues" -}}
{{- $root := index . 0 -}}
{{- $pod := deepCopy $root.Values.pod -}}
{{- range $key, $value := (get $root.Values (index . 1)).pod -}}
{{- if and (kindIs "map" $value) (kindIs "map" (get $pod $key)) -}}
{{- $_ := set $pod $key (merge (deepCopy $value) (get $pod $key)) -}}
{{- else -}}
{{- $_ := set $pod $key $value -}}
{{- end -}}
{{- end -}}
{{- toJson $pod -}}
{{- end -}}

{{- define "pm-parking-events.podSecurity" -}}
runAsNonRoot: true
# The image's own.
runAsUser: 65532
runAsGroup: 65532
# So that the mounted secrets and volumes are its to read.
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "pm-parking-events.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* What every container has of settings (of a list of root and component). */}}
{{- define "pm-parking-events.env" -}}
{{- $root := index . 0 -}}
{{- $pod := include "pm-parking-events.podValues" . | fromJson -}}
{{- range $name := keys (include "pm-parking-events.secrets" . | fromJson) | sortAlpha }}
- name: {{ $name }}_FILE
  value: /etc/pm-parking-events/secrets/{{ $name }}
{{- end }}
{{- if and (eq (index . 1) "serve") $root.Values.serve.authKeys }}
- name: AUTH_KEYS_FILE
  value: /etc/pm-parking-events/auth-keys/keys.json
{{- end }}
{{- with $pod.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "pm-parking-events.envFrom" -}}
- configMapRef:
    name: {{ include "pm-parking-events.fullname" (index . 0) }}-{{ eq (index . 1) "serve" | ternary "serve" "processor" }}
{{- end -}}

{{/* Where files of secrets are mounted (of a list of root and component). */}}
{{- define "pm-parking-events.mounts" -}}
{{- $root := index . 0 -}}
{{- if include "pm-parking-events.secrets" . | fromJson }}
- name: secrets
  mountPath: /etc/pm-parking-events/secrets
  readOnly: true
{{- end }}
{{- if and (eq (index . 1) "serve") $root.Values.serve.authKeys }}
- name: auth-keys
  mountPath: /etc/pm-parking-events/auth-keys
  readOnly: true
{{- end }}
{{- with (include "pm-parking-events.podValues" . | fromJson).extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The volumes of these mounts (of a list of root and component). */}}
{{- define "pm-parking-events.volumes" -}}
{{- $root := index . 0 -}}
{{- $secrets := include "pm-parking-events.secrets" . | fromJson }}
{{- if $secrets }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range $name := keys $secrets | sortAlpha }}
      {{- with get $secrets $name }}
      - secret:
          name: {{ .secret }}
          items:
            - key: {{ .key }}
              path: {{ $name }}
      {{- end }}
      {{- end }}
{{- end }}
{{- if and (eq (index . 1) "serve") $root.Values.serve.authKeys }}
{{- with include "pm-parking-events.secretKey" (list $root.Values.serve.authKeys "keys.json") | fromJson }}
- name: auth-keys
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
    items:
      - key: {{ .key }}
        path: keys.json
{{- end }}
{{- end }}
{{- with (include "pm-parking-events.podValues" . | fromJson).extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The metadata of a pod template (of a list of root and component). */}}
{{- define "pm-parking-events.podMetadata" -}}
{{- $pod := include "pm-parking-events.podValues" . | fromJson -}}
# Not the chart's version: pods need not start anew where nothing of theirs has changed.
labels:
  {{- include "pm-parking-events.selector" . | nindent 2 }}
  {{- with $pod.labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  # So that pods start anew when settings change.
  checksum/settings: {{ include "pm-parking-events.settings" . | sha256sum }}
  {{- with $pod.annotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* The spec of a pod before its containers (of a list of root and component). */}}
{{- define "pm-parking-events.podSpec" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $pod := include "pm-parking-events.podValues" . | fromJson -}}
serviceAccountName: {{ include "pm-parking-events.serviceAccountName" $root }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ $pod.terminationGracePeriodSeconds }}
securityContext:
  {{- include "pm-parking-events.podSecurity" $root | nindent 2 }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pod.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $pod.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pod.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pod.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pod.topologySpread }}
topologySpreadConstraints:
  {{- range . }}
  - topologyKey: {{ .topologyKey }}
    maxSkew: {{ .maxSkew }}
    whenUnsatisfiable: {{ .whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- include "pm-parking-events.selector" (list $root $component) | nindent 8 }}
    # Of the pods of one version, so that those that are to go do not count.
    matchLabelKeys: [{{ ternary "controller-revision-hash" "pod-template-hash" (eq (include "pm-parking-events.isStateful" (list $root $component)) "yes") }}]
  {{- end }}
{{- end }}
{{- end -}}
