{{/* What is wrong with the values together, each with its remedy, as a JSON list. */}}
{{- define "pm-parking-events.problems" -}}
{{- $problems := list -}}
{{- $components := include "pm-parking-events.components" . | fromJsonArray -}}
{{- if not $components -}}
{{- $problems = append $problems "stages is none and serve.enabled is false: nothing would run. Choose stages=together, or serve.enabled=true" -}}
{{- end -}}
{{- if not .Values.settings.KAFKA_BROKERS -}}
{{- $problems = append $problems "settings.KAFKA_BROKERS is not set. Example: --set 'settings.KAFKA_BROKERS={kafka-1:9092,kafka-2:9092}'" -}}
{{- end -}}
{{- range $component := $components -}}
{{- $values := get $.Values $component -}}
{{- $which := list $ $component -}}
{{- $settings := include "pm-parking-events.settings" $which | fromJson -}}
{{- $secrets := include "pm-parking-events.secrets" $which | fromJson -}}
{{- $pod := include "pm-parking-events.podValues" $which | fromJson -}}
{{- $env := list -}}
{{- range $pod.extraEnv -}}{{- $env = append $env .name -}}{{- end -}}
{{- if not (or (eq $component "status") (hasKey $secrets "MONGODB_URI") (has "MONGODB_URI" $env)) -}}
{{- $problems = append $problems (printf "%s needs MONGODB_URI: kubectl create secret generic parking --from-literal=MONGODB_URI=mongodb://… and then --set secrets.MONGODB_URI=parking" $component) -}}
{{- end -}}
{{- range $name := keys $secrets | sortAlpha -}}
{{- if or (hasKey $settings $name) (has $name $env) -}}
{{- $problems = append $problems (printf "%s of %s is among the secrets, and elsewhere too: keep one of them" $name $component) -}}
{{- end -}}
{{- end -}}
{{- $scaling := $values.scaling -}}
{{- if gt (int $scaling.min) (int $scaling.max) -}}
{{- $problems = append $problems (printf "%s.scaling.min is %d, more than its max, %d" $component (int $scaling.min) (int $scaling.max)) -}}
{{- end -}}
{{- if ne $component "serve" -}}
{{- $isScaled := ne $scaling.by "none" -}}
{{- $most := ternary $scaling.max $values.replicas $isScaled | int -}}
{{- if gt $most (int $.Values.partitions) -}}
{{- $problems = append $problems (printf "%s.%s is %d, but the topics have %d partitions: the others would have nothing to do. Lower it, or set partitions to what your topics have" $component (ternary "scaling.max" "replicas" $isScaled) $most (int $.Values.partitions)) -}}
{{- end -}}
{{- else -}}
{{- $jwt := list "JWT_ISSUER" "JWT_AUDIENCE" "JWT_JWKS_URL" -}}
{{- $missing := list -}}
{{- range $jwt -}}{{- if not (get $settings .) -}}{{- $missing = append $missing . -}}{{- end -}}{{- end -}}
{{- if and $missing (lt (len $missing) 3) -}}
{{- $problems = append $problems (printf "settings.%s is not set: JWTs need %s" (join ", settings." $missing) (join ", " $jwt)) -}}
{{- else if and $missing (not $values.authKeys) (not (has "AUTH_KEYS_FILE" $env)) -}}
{{- $problems = append $problems "serve answers other machines only if something says who may read. Make a key (serve --make-key), put its file into a Secret and set serve.authKeys=<secret>/keys.json; or set settings.JWT_ISSUER, JWT_AUDIENCE and JWT_JWKS_URL" -}}
{{- end -}}
{{- if and $.Values.metrics.serviceMonitor.enabled (not $values.metricsKey) -}}
{{- $problems = append $problems "metrics.serviceMonitor is enabled, and metrics of serve need credentials: make a key with the scope metrics:read (serve --make-key), put it into a Secret and set serve.metricsKey=<secret>/<key>" -}}
{{- end -}}
{{- if and $values.ingress.enabled (not $values.ingress.hosts) -}}
{{- $problems = append $problems "serve.ingress is enabled and has no hosts. Example: --set 'serve.ingress.hosts={parking.example.com}'" -}}
{{- end -}}
{{- if and $values.route.enabled (not $values.route.parentRefs) -}}
{{- $problems = append $problems "serve.route is enabled and names no gateway. Example: --set 'serve.route.parentRefs[0].name=public'" -}}
{{- end -}}
{{- if gt (add $values.preStopSeconds 15) (int $pod.terminationGracePeriodSeconds) -}}
{{- $problems = append $problems (printf "terminationGracePeriodSeconds of serve is %d: preStopSeconds are %d, and what is in flight needs 15 more" (int $pod.terminationGracePeriodSeconds) (int $values.preStopSeconds)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}
