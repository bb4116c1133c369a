{{/* The names of the variables that hold secrets. */}}
{{- define "duo-mfa.variables" -}}
{{- $names := list "DUO_MFA_COOKIE_KEY" -}}
{{- if .Values.duo.integrationKey }}{{ $names = prepend $names "DUO_SECRET_KEY" }}{{ end -}}
{{- if .Values.secret.rotating }}{{ $names = append $names "DUO_MFA_COOKIE_KEY_BEFORE" }}{{ end -}}
{{- if eq .Values.duo.prompt "universal" }}{{ $names = append $names "DUO_CLIENT_SECRET" }}{{ end -}}
{{- with .Values.pluginConfig.assertion }}{{ range .keys }}{{ $names = append $names .env }}{{ end }}{{ end -}}
{{- toJson $names -}}
{{- end }}

{{/* The native module can't read a claim from the metadata. jwt_authn copies it into this header, and takes off the client's own. */}}
{{- define "duo-mfa.claim-header" -}}
x-jwt-{{ regexReplaceAll "[^a-z0-9-]" (lower .Values.jwt.claim) "-" }}
{{- end }}

{{/* The folder of the native module, with its version: the image's tag or digest. */}}
{{- define "duo-mfa.library-folder" -}}
/opt/duo-mfa/{{ regexFind "[A-Za-z0-9._-]+$" .Values.module.image }}
{{- end }}

{{/* The init container that copies the native module: (dict "root" $ "volume" NAME). */}}
{{- define "duo-mfa.copy-library" -}}
- name: module
  image: {{ trimPrefix "oci://" .root.Values.module.image | quote }}
  imagePullPolicy: {{ .root.Values.module.pullPolicy }}
  command: [cp, /libduo_mfa.so, {{ include "duo-mfa.library-folder" .root }}/]
  resources:
    requests: {cpu: 10m, memory: 16Mi}
    limits: {memory: 64Mi}
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities: {drop: [ALL]}
  volumeMounts:
  - {name: {{ .volume }}, mountPath: {{ include "duo-mfa.library-folder" .root }}}
{{- end }}

{{/* The plugin configuration, as JSON: (dict "root" $ "cluster" NAME "payload" KEY). */}}
{{- define "duo-mfa.plugin" -}}
{{- $values := .root.Values -}}
{{- $keys := list (dict "env" "DUO_MFA_COOKIE_KEY") -}}
{{- if $values.secret.rotating }}{{ $keys = append $keys (dict "env" "DUO_MFA_COOKIE_KEY_BEFORE") }}{{ end -}}
{{- $duo := dict "api_host" $values.duo.apiHost "cluster" .cluster -}}
{{- with $values.duo }}{{ if eq .prompt "universal" }}
{{- $_ := set $duo "prompt" "universal" -}}
{{- $_ := set $duo "universal" (dict "client_id" .universal.clientId "client_secret" (dict "env" "DUO_CLIENT_SECRET")
      "hosts" .universal.hosts) -}}
{{- end }}{{ end -}}
{{- $made := dict "version" 1 "duo" $duo "session" (dict "keys" $keys) -}}
{{- if $values.duo.integrationKey -}}
{{- $_ := set $duo "integration_key" $values.duo.integrationKey -}}
{{- $_ := set $duo "secret_key" (dict "env" "DUO_SECRET_KEY") -}}
{{- else -}}
{{- $_ := set $made "api" (dict "mode" "refuse") -}}
{{- end -}}
{{- if and $values.jwt.issuer (eq $values.host "native") -}}
{{- $_ := set $made "identity" (dict "source" "header" "header" (include "duo-mfa.claim-header" .root)) -}}
{{- else if $values.jwt.issuer -}}
{{- $path := list "envoy.filters.http.jwt_authn" .payload $values.jwt.claim -}}
{{- $_ := set $made "identity" (dict "source" "jwt" "metadata" $path) -}}
{{- else if not $values.pluginConfig.identity -}}
{{- fail "no first factor: set jwt.issuer, or pluginConfig.identity" -}}
{{- end -}}
{{- toJson (mustMergeOverwrite $made (deepCopy $values.pluginConfig)) -}}
{{- end }}

{{- define "duo-mfa.labels" -}}
app.kubernetes.io/name: duo-mfa
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}
