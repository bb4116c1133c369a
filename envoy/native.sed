# Makes a configuration with the wasm module one with the native module: sed -f envoy/native.sed envoy/production.yaml
# Change the folder's name to the version that you run. docs/deploy/native.md says what else differs.

# The filter: another type, another place of the plugin's configuration. The native module needs none of the VM's settings.
/\.http\.wasm\.v3\.Wasm$/,/^ *configuration:$/{
/\.http\.wasm\.v3\.Wasm$/!d
s#^\( *\)"@type": .*#\1"@type": type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter\
\1filter_name: duo_mfa\
\1dynamic_module_config:\
\1  module: {local: {filename: /opt/duo-mfa/0.1.0/libduo_mfa.so}}\
\1  metrics_namespace: wasmcustom     \# in /stats the metrics keep their prefix\
\1filter_config:#
}

# A claim of a JWT: the native module can't read it from the metadata, so jwt_authn copies it into a header, and takes off the client's own.
# In Istio that is outputClaimToHeaders of the RequestAuthentication.
s/payload_in_metadata: jwt_payload$/claim_to_headers: [{header_name: x-jwt-email, claim_name: email}]/
s/"source": "jwt",/"source": "header",/
s/"metadata": \["envoy.filters.http.jwt_authn", "[a-z_]*", "email"\]/"header": "x-jwt-email"/
s/^\( *\)source: jwt$/\1source: header/
s/metadata: \[envoy.filters.http.jwt_authn, [a-z_]*, email\]/header: x-jwt-email/
s/request_mutations: \[{remove: x-duo-mfa-user}/request_mutations: [{remove: x-jwt-email}, {remove: x-duo-mfa-user}/

# For Prometheus, Envoy takes the prefix off the names of a wasm module's metrics. For those of a native module it does so by this flag.
/^# The labels of the filter's metrics/i\
# Takes the prefix off the names of the filter's metrics for Prometheus.\
layered_runtime:\
  layers: [{name: metrics, static_layer: {envoy.reloadable_features.dynamic_modules_strip_custom_stat_prefix: true}}]\

# The filter writes its lines under another component.
s/"wasm:info"/"dynamic_modules:info"/
