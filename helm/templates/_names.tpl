{{- define "pm-parking-events.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The beginning of all names; room is left for `-processor-metrics`. */}}
{{- define "pm-parking-events.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 45 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "pm-parking-events.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 45 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 45 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What all objects have. */}}
{{- define "pm-parking-events.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/name: {{ include "pm-parking-events.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* What tells the pods of one component (of a list of root and component). */}}
{{- define "pm-parking-events.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "pm-parking-events.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* The metadata of what belongs to one component (of a list of root, component and, where it differs, the end of the name). */}}
{{- define "pm-parking-events.metadata" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
name: {{ include "pm-parking-events.fullname" $root }}-{{ if gt (len .) 2 }}{{ index . 2 }}{{ else }}{{ $component }}{{ end }}
labels:
  {{- include "pm-parking-events.labels" $root | nindent 2 }}
  app.kubernetes.io/component: {{ $component }}
{{- end -}}

{{- define "pm-parking-events.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "pm-parking-events.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* The image of a component (of a list of root and component). */}}
{{- define "pm-parking-events.image" -}}
{{- $root := index . 0 -}}
{{- $image := $root.Values.image -}}
{{- $own := get (get $root.Values (index . 1)) "tag" -}}
{{- if and $image.digest (not $own) -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (coalesce $own $image.tag $root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* The workloads that run `process`, as a JSON list; each is a section of the values. */}}
{{- define "pm-parking-events.processors" -}}
{{- get (dict "together" (list "processor") "apart" (list "ingest" "status") "ingest" (list "ingest") "status" (list "status") "none" list) .Values.stages | toJson -}}
{{- end -}}

{{/* Those and `serve`, as a JSON list. */}}
{{- define "pm-parking-events.components" -}}
{{- $all := include "pm-parking-events.processors" . | fromJsonArray -}}
{{- if .Values.serve.enabled -}}{{- $all = append $all "serve" -}}{{- end -}}
{{- toJson $all -}}
{{- end -}}

{{/* The stages that a component runs (of its name), as `STAGES` has them. */}}
{{- define "pm-parking-events.stagesOf" -}}
{{- get (dict "processor" "ingest,status" "ingest" "ingest" "status" "status" "serve" "") . -}}
{{- end -}}

{{/* Whether a component needs a StatefulSet (of a list of root and component): empty for no. */}}
{{- define "pm-parking-events.isStateful" -}}
{{- if and (eq (index . 0).Values.state.kind "persistent") (has (index . 1) (list "processor" "status")) -}}yes{{- end -}}
{{- end -}}
