//! Whether Envoy's list of capabilities lets the module do what it does. Envoy says nothing of a
//! callback that is missing: it does not call the module there, and goes on.

use super::Subject;
use super::warning::{Code, Warning};
use crate::plugin::{Form, Host};
use crate::value::{at, member};

/// The capability without which Envoy starts, and every request passes by the filter.
const OF_A_REQUEST: [&str; 1] = ["proxy_on_request_headers"];
/// The others that the module needs, as in docs/security.md.
const OTHERS: [&str; 30] = [
    "environ_get",
    "environ_sizes_get",
    "proxy_add_header_map_value",
    "proxy_continue_stream",
    "proxy_define_metric",
    "proxy_get_buffer_bytes",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_pairs",
    "proxy_get_property",
    "proxy_get_shared_data",
    "proxy_http_call",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_http_call_response",
    "proxy_on_request_body",
    "proxy_on_request_trailers",
    "proxy_on_response_headers",
    "proxy_on_tick",
    "proxy_on_vm_start",
    "proxy_record_metric",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_send_local_response",
    "proxy_set_effective_context",
    "proxy_set_property",
    "proxy_set_shared_data",
    "proxy_set_tick_period_milliseconds",
    "random_get",
];

pub(super) fn warnings(subject: &Subject<'_>) -> Vec<Warning> {
    let Host::Envoy { plugin, form: Form::Wasm, .. } = subject.host else { return Vec::new() };
    let path = ["capability_restriction_config", "allowed_capabilities"];
    // An empty list restricts nothing.
    let list = at(plugin, &path).and_then(|list| list.as_object()).filter(|list| !list.is_empty());
    let Some(list) = list else { return Vec::new() };
    let missing = |names: &[&'static str]| {
        let names = names.iter().filter(|name| !list.contains_key(**name));
        names.copied().collect::<Vec<_>>().join(", ")
    };
    let warn = |names: &str, consequence: &str| {
        let problem = format!("the list of capabilities lacks {names}: {consequence}");
        let fix = "write the whole list of docs/security.md, or remove \
                   capability_restriction_config";
        let restriction = member(plugin, "capability_restriction_config")?;
        let warning = Warning::new(Code::CapabilityMissing, problem, fix).cannot_work();
        (!names.is_empty()).then(|| warning.on(subject, restriction))
    };
    let open = warn(&missing(&OF_A_REQUEST), "every request passes without the filter");
    let others = warn(&missing(&OTHERS), "the module cannot do its work");
    open.into_iter().chain(others).collect()
}
