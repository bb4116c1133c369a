{{/* Envoy's configuration of the standalone form. */}}
{{- define "duo-mfa.envoy" -}}
{{- $host := .Values.duo.apiHost -}}
{{- $standalone := .Values.standalone -}}
{{- $manager := "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager" -}}
{{- $router := "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" -}}
{{- $idp := "" -}}
{{- if .Values.jwt.issuer }}{{ $idp = get (urlParse (required "jwt.jwksUri" .Values.jwt.jwksUri)) "host" }}{{ end -}}
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 9901}}}
{{ if eq .Values.host "native" }}
layered_runtime:
  layers: [{name: metrics, static_layer: {envoy.reloadable_features.dynamic_modules_strip_custom_stat_prefix: true}}]
{{- else }}
{{- include "duo-mfa.stats-config" . }}
{{- end }}
static_resources:
  listeners:
  - name: http
    address: {socket_address: {address: 0.0.0.0, port_value: 10000}}
    per_connection_buffer_limit_bytes: 1048576
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": {{ $manager }}
          stat_prefix: http
          use_remote_address: true
          xff_num_trusted_hops: {{ $standalone.trustedHops }}
          normalize_path: true
          merge_slashes: true
          path_with_escaped_slashes_action: REJECT_REQUEST
          stream_idle_timeout: 120s
          request_headers_timeout: 10s
          common_http_protocol_options: {idle_timeout: 3600s, headers_with_underscores_action: REJECT_REQUEST}
          access_log:
          - name: envoy.access_loggers.stdout
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
              log_format:
                json_format:
                  time: "%START_TIME%"
                  method: "%REQ(:METHOD)%"
                  path: "%PATH(NQ:PATH)%"
                  status: "%RESPONSE_CODE%"
                  details: "%RESPONSE_CODE_DETAILS%"
                  user: "%REQ(X-DUO-MFA-USER)%"
                  factor: "%REQ(X-DUO-MFA-FACTOR)%"
                  request_id: "%REQ(X-REQUEST-ID)%"
                  duration_ms: "%DURATION%"
          route_config:
            virtual_hosts:
            - name: app
              domains: ["*"]
              routes:
              - match: {prefix: /}
                route: {cluster: app}
          http_filters:
          {{- with .Values.jwt }}{{ if .issuer }}
          - name: envoy.filters.http.jwt_authn
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication
              providers:
                idp:
                  issuer: {{ .issuer | quote }}
                  {{- with .audiences }}
                  audiences: {{ toJson . }}
                  {{- end }}
                  remote_jwks:
                    http_uri: {uri: {{ .jwksUri | quote }}, cluster: idp, timeout: 5s}
                    cache_duration: 600s
                    async_fetch: {}
                  {{- with .cookie }}
                  from_cookies: [{{ . | quote }}]
                  {{- end }}
                  from_headers: [{name: authorization, value_prefix: "Bearer "}]
                  {{- if eq $.Values.host "native" }}
                  claim_to_headers: [{header_name: {{ include "duo-mfa.claim-header" $ }}, claim_name: {{ .claim | quote }}}]
                  {{- else }}
                  payload_in_metadata: jwt_payload
                  {{- end }}
              rules:
              {{- if $.Values.pluginConfig.assertion }}
              # Verifiers of assertions have no user.
              - match: {path: {{ printf "%s/jwks.json" (default "/.duo-mfa" $.Values.pluginConfig.path_prefix) | quote }}}
              {{- end }}
              - match: {prefix: /}
                requires: {provider_name: idp}
          {{- end }}{{ end }}
          {{- with $standalone.httpFilters }}
          {{- toYaml . | nindent 10 }}
          {{- end }}
          - name: duo_mfa
            typed_config:
              {{- if eq .Values.host "native" }}
              "@type": type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter
              filter_name: duo_mfa
              dynamic_module_config:
                module: {local: {filename: {{ include "duo-mfa.library-folder" . }}/libduo_mfa.so}}
                metrics_namespace: wasmcustom
              filter_config:
                "@type": type.googleapis.com/google.protobuf.StringValue
                value: {{ include "duo-mfa.plugin" (dict "root" . "payload" "jwt_payload" "cluster" "duo_api") | quote }}
              {{- else }}
              "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
              config:
                name: duo_mfa
                root_id: duo_mfa
                failure_policy: FAIL_RELOAD
                vm_config:
                  vm_id: duo_mfa
                  runtime: envoy.wasm.runtime.v8
                  code: {local: {filename: /etc/duo-mfa/plugin.wasm}}
                  environment_variables: {host_env_keys: {{ include "duo-mfa.variables" . }}}
                configuration:
                  "@type": type.googleapis.com/google.protobuf.StringValue
                  value: {{ include "duo-mfa.plugin" (dict "root" . "payload" "jwt_payload" "cluster" "duo_api") | quote }}
              {{- end }}
          - name: envoy.filters.http.router
            typed_config: {"@type": {{ $router }}}
  # Of the admin interface only this can be reached from outside the pod.
  - name: metrics
    address: {socket_address: {address: 0.0.0.0, port_value: 9902}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": {{ $manager }}
          stat_prefix: metrics
          route_config:
            virtual_hosts:
            - name: metrics
              domains: ["*"]
              routes:
              - match: {path: /ready, headers: [{name: ":method", string_match: {exact: GET}}]}
                route: {cluster: admin}
              - match: {path: /stats/prometheus, headers: [{name: ":method", string_match: {exact: GET}}]}
                route: {cluster: admin}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {"@type": {{ $router }}}
  clusters:
  - name: admin
    type: STATIC
    load_assignment:
      cluster_name: admin
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 9901}}}}]}]
  - name: app
    type: STRICT_DNS
    load_assignment:
      cluster_name: app
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: {{ $standalone.app.host | quote }}, port_value: {{ $standalone.app.port }}}}}}]}]
  {{- with $idp }}
  - {{- include "duo-mfa.tls-cluster" (dict "name" "idp" "host" .) | nindent 4 }}
  {{- end }}
  {{- with $standalone.clusters }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  - {{- include "duo-mfa.tls-cluster" (dict "name" "duo_api" "host" $host) | nindent 4 }}
    circuit_breakers:
      thresholds: [{max_connections: 4096, max_pending_requests: 4096, max_requests: 4096, max_retries: 0}]
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http_protocol_options: {}}
        common_http_protocol_options: {idle_timeout: 30s}
        http_filters:
        - name: envoy.filters.http.header_mutation
          typed_config:
            "@type": type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation
            mutations: {request_mutations: [{remove: x-envoy-internal}, {remove: x-envoy-expected-rq-timeout-ms}]}
        - name: envoy.filters.http.upstream_codec
          typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec}
{{- end }}

{{/* A cluster of one host by TLS, whose name must be the certificate's: (dict "name" NAME "host" HOST). */}}
{{- define "duo-mfa.tls-cluster" -}}
name: {{ .name }}
type: STRICT_DNS
connect_timeout: 2s
load_assignment:
  cluster_name: {{ .name }}
  endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: {{ .host | quote }}, port_value: 443}}}}]}]
transport_socket:
  name: envoy.transport_sockets.tls
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
    sni: {{ .host | quote }}
    common_tls_context:
      tls_params: {tls_minimum_protocol_version: TLSv1_2}
      validation_context:
        trusted_ca: {filename: /etc/ssl/certs/ca-certificates.crt}
        match_typed_subject_alt_names: [{san_type: DNS, matcher: {exact: {{ .host | quote }}}}]
{{- end }}

{{/* The labels of the filter's metrics for Prometheus, in place of parts of their names. */}}
{{- define "duo-mfa.stats-config" -}}
stats_config:
  stats_tags:
  - {tag_name: code, regex: '^wasmcustom\.duo_mfa_.*(\.code\.(\w+))$'}
  - {tag_name: factor, regex: '^wasmcustom\.duo_mfa_\w+(\.factor\.(\w+))$'}
  - {tag_name: reason, regex: '^wasmcustom\.duo_mfa_cookie_refused(\.reason\.(\w+))$'}
  - {tag_name: endpoint, regex: '^wasmcustom\.duo_mfa_\w+(\.endpoint\.(\w+))$'}
  - {tag_name: limit, regex: '^wasmcustom\.duo_mfa_crowded(\.limit\.(\w+))$'}
  - {tag_name: rule, regex: '^wasmcustom\.duo_mfa_would_refuse(\.rule\.(\w+))'}
  - {tag_name: application, regex: '^wasmcustom\.duo_mfa_(?:duo_up|breaker_open)(\.application\.([\w-]+))$'}
  - {tag_name: direction, regex: '^wasmcustom\.duo_mfa_clock_offset_seconds(\.direction\.(\w+))$'}
  - {tag_name: version, regex: '^wasmcustom\.duo_mfa_build_info(\.version\.([\w.-]+))$'}
  - {tag_name: hash, regex: '^wasmcustom\.duo_mfa_configuration(\.hash\.(\w+))$'}
{{- end }}
