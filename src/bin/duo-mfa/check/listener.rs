//! Whether TLS protects the way from the client to the filter.

use super::Subject;
use super::universal;
use super::warning::{Code, Warning};
use crate::plugin::{Chain, Host};
use crate::value::{at, is_set, list_at, member, text_at};
use serde_json::Value;

const FIX: &str =
    "add a transport_socket with a DownstreamTlsContext, unless TLS ends before this Envoy";

/// Notes a listener without TLS, if nothing shows that TLS ends before this Envoy.
pub(super) fn note(subject: &Subject<'_>) -> Option<Warning> {
    let Host::Envoy { chain: Some(chain), .. } = subject.host else { return None };
    if !lacks_tls(&chain) {
        return None;
    }
    if !universal::is_used(subject) {
        let problem = "the listener has no TLS: others can read passcodes and cookies on the way, and \
                       browsers do not store the approval cookie";
        let note = Warning::new(Code::ListenerWithoutTls, problem, FIX);
        return Some(note.on(subject, chain.listener?));
    }
    let (path, host) = universal::hosts(subject).into_iter().find(|(_, host)| !is_local(host))?;
    let problem = format!("Duo sends browsers back to https://{host}, and the listener has no TLS");
    Some(Warning::new(Code::CallbackWithoutTls, problem, FIX).at(path))
}

fn lacks_tls(chain: &Chain<'_>) -> bool {
    let (Some(listener), Some(filter_chain)) = (chain.listener, chain.filter_chain) else {
        return false;
    };
    let address = text_at(listener, &["address", "socket_address", "address"]);
    let hops = at(chain.manager, &["xff_num_trusted_hops"]).and_then(Value::as_u64);
    let is_behind_a_proxy = hops.is_some_and(|hops| hops > 0)
        || !is_set(chain.manager, &["use_remote_address"])
        || list_at(listener, &["listener_filters"])
            .iter()
            .any(|filter| filter.to_string().contains("proxy_protocol"));
    let is_reached = address.is_some_and(|address| !is_local(address));
    is_reached && !is_behind_a_proxy && member(filter_chain, "transport_socket").is_none()
}

fn is_local(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1" | "[::1]")
}
