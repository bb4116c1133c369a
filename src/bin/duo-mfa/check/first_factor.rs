//! Whether the user name that the configuration trusts comes from the first factor, and cannot come
//! from a client.

use super::Subject;
use super::header::{self, Handling, Step, step};
use super::mesh;
use super::order;
use super::warning::{Code, Warning};
use crate::plugin::{Chain, Host};
use crate::value::{at, extension, is_set, list_at, text_at};
use serde_json::Value;

/// The metadata namespace in which jwt_authn puts a verified JWT, whatever name the filter has.
const OF_JWT: &str = "envoy.filters.http.jwt_authn";

/// Filters that can set metadata in any namespace.
const SETS_ANY_METADATA: [&str; 6] =
    ["Lua", "ExternalProcessor", "Config", "Wasm", "DynamicModuleFilter", "ExtAuthz"];

pub(super) fn warnings(subject: &Subject<'_>) -> Vec<Warning> {
    let mut warnings = headers(subject);
    match text_at(subject.written, &["identity", "source"]) {
        Some("jwt") => warnings.extend(elsewhere(subject).or_else(|| jwt(subject))),
        Some("metadata") => warnings.extend(metadata(subject)),
        Some("mtls") => warnings.extend(certificate(subject)),
        Some(_) | None => {}
    }
    warnings
}

/// Checks each trusted header, for a user name or for groups.
fn headers(subject: &Subject<'_>) -> Vec<Warning> {
    let identity = at(subject.written, &["identity"]).unwrap_or(&Value::Null);
    let names = [text_at(identity, &["header"]), text_at(identity, &["groups", "header"])];
    names.into_iter().flatten().filter_map(|header| trusted_header(subject, header)).collect()
}

fn trusted_header(subject: &Subject<'_>, header: &str) -> Option<Warning> {
    let (handling, fix) = match subject.host {
        Host::Nothing => return None,
        Host::Envoy { chain: Some(chain), .. } => {
            let handling = header::in_chain(&chain, header);
            (handling, strip(&chain, header))
        }
        Host::Envoy { chain: None, .. } | Host::Istio { .. } => {
            let fix = format!(
                "also pass the EnvoyFilter that adds a header_mutation with {{remove: {header}}} \
                 before the first factor, or take the name from a JWT"
            );
            (header::by_documents(subject.documents, header), fix)
        }
        Host::Gateway { .. } => {
            let fix = format!(
                "also pass the ClientTrafficPolicy whose headers.earlyRequestHeaders.remove lists \
                 {header}; an HTTPRoute's filters act after this filter"
            );
            (header::by_documents(subject.documents, header), fix)
        }
    };
    let problem = match handling {
        Handling::Stripped => return None,
        Handling::MaybeReplaced => format!(
            "{header} is trusted, but is replaced only if the authorization service's response has \
             it; otherwise the client's own header decides who the user is"
        ),
        Handling::StrippedHereAndThere => format!(
            "{header} is trusted, but on some routes this filter is on, and the filter that removes \
             the client's own header is off: there a client can impersonate any user"
        ),
        Handling::Untouched => format!(
            "{header} is trusted, and no filter before this one is known to remove the client's own: \
             a client can impersonate any user"
        ),
    };
    Some(Warning::new(Code::HeaderNotStripped, problem, fix))
}

/// The change that removes the client's own header.
fn strip(chain: &Chain<'_>, header: &str) -> String {
    let mut behind = order::behind(chain).iter();
    match behind.find(|filter| step(filter, header) == Step::Removes) {
        Some(filter) => {
            let name = order::name(filter);
            format!(
                "move {name}, which removes it behind this filter, before the filter that sets it"
            )
        }
        None => format!(
            "add a header_mutation filter with {{remove: {header}}} before the filter that sets it; a \
             route's request_headers_to_remove acts after this filter"
        ),
    }
}

/// Reports an identity.metadata path that does not begin at the verified JWT.
fn elsewhere(subject: &Subject<'_>) -> Option<Warning> {
    if matches!(subject.host, Host::Nothing) {
        return None;
    }
    let first = list_at(subject.written, &["identity", "metadata"]).first()?.as_str()?;
    (first != OF_JWT).then(|| {
        let problem = format!(
            "identity.metadata begins with {first}, but the verified JWT is in {OF_JWT}: \
             every request is refused"
        );
        let fix = format!("write [{OF_JWT}, PAYLOAD, CLAIM]; for other metadata, source: metadata");
        Warning::new(Code::JwtPayloadMissing, problem, fix).cannot_work()
    })
}

fn jwt(subject: &Subject<'_>) -> Option<Warning> {
    match subject.host {
        Host::Nothing | Host::Envoy { chain: None, .. } => None,
        Host::Envoy { chain: Some(chain), .. } => jwt_in_chain(subject, &chain),
        Host::Istio { phase: Some("AUTHN"), .. } => {
            let problem = "in phase AUTHN the filter runs before Istio verifies the JWT that it \
                           trusts: every request is refused";
            let fix = "write `phase: AUTHZ`";
            Some(Warning::new(Code::RunsBeforeFirstFactor, problem, fix).cannot_work())
        }
        Host::Istio { .. } => {
            let wanted = payload(subject)?;
            (wanted != "payload").then(|| {
                let problem = format!(
                    "identity.metadata takes the name from {wanted}, but Istio puts a verified JWT \
                     into payload: every request is refused"
                );
                let fix = "write [envoy.filters.http.jwt_authn, payload, CLAIM]";
                Warning::new(Code::JwtPayloadMissing, problem, fix).cannot_work()
            })
        }
        Host::Gateway { .. } => jwt_of_gateway(subject),
    }
}

/// The metadata key in which identity.metadata expects the verified JWT.
fn payload<'a>(subject: &Subject<'a>) -> Option<&'a str> {
    list_at(subject.written, &["identity", "metadata"]).get(1)?.as_str()
}

/// Envoy Gateway puts a verified JWT into the metadata key with the name of its provider.
fn jwt_of_gateway(subject: &Subject<'_>) -> Option<Warning> {
    let wanted = payload(subject)?;
    let policies = mesh::objects(subject.documents, "SecurityPolicy");
    let mut providers =
        policies.flat_map(|policy| list_at(policy, &["spec", "jwt", "providers"])).peekable();
    providers.peek()?;
    let is_any = providers.any(|provider| text_at(provider, &["name"]) == Some(wanted));
    (!is_any).then(|| {
        let problem = format!(
            "no SecurityPolicy has a JWT provider {wanted}, from which identity.metadata takes the \
             name: every request is refused"
        );
        let fix = "write [envoy.filters.http.jwt_authn, PROVIDER, CLAIM]";
        Warning::new(Code::JwtPayloadMissing, problem, fix)
    })
}

fn jwt_in_chain(subject: &Subject<'_>, chain: &Chain<'_>) -> Option<Warning> {
    let mut providers = Vec::new();
    let mut is_any = false;
    for (_, config) in before(chain).filter(|(kind, _)| *kind == "JwtAuthentication") {
        is_any = true;
        providers.extend(at(config, &["providers"]).and_then(Value::as_object));
    }
    if !is_any {
        let is_jwt = |filter: &&Value| kind(filter) == Some("JwtAuthentication");
        if let Some(later) = order::behind(chain).iter().find(is_jwt) {
            return Some(order::too_early(later).cannot_work().on(subject, later));
        }
        let problem = "identity.source is jwt, and there is no jwt_authn filter before this one: every \
                       request is refused";
        let fix = "put envoy.filters.http.jwt_authn before it";
        return Some(Warning::new(Code::JwtFilterMissing, problem, fix).cannot_work());
    }
    let wanted = payload(subject)?;
    let puts = |provider: &Value| text_at(provider, &["payload_in_metadata"]) == Some(wanted);
    let is_put = providers.into_iter().flatten().any(|(_, provider)| puts(provider));
    (!is_put).then(|| {
        Warning::new(
            Code::JwtPayloadMissing,
            format!(
                "no provider of jwt_authn has `payload_in_metadata: {wanted}`, from which \
                     identity.metadata takes the name: every request is refused"
            ),
            format!("write `payload_in_metadata: {wanted}` there"),
        )
        .cannot_work()
    })
}

fn metadata(subject: &Subject<'_>) -> Option<Warning> {
    let Host::Envoy { chain: Some(chain), .. } = subject.host else { return None };
    let namespace = list_at(subject.written, &["identity", "metadata"]).first()?.as_str()?;
    let sets = |(kind, _): (&str, &Value)| {
        SETS_ANY_METADATA.contains(&kind)
            || (kind == "JwtAuthentication" && namespace.ends_with(".jwt_authn"))
    };
    let is_named = |filter: &Value| text_at(filter, &["name"]) == Some(namespace);
    let is_set = before(&chain).any(sets) || chain.before.iter().any(is_named);
    if !is_set && let Some(later) = order::behind(&chain).iter().find(|filter| is_named(filter)) {
        return Some(order::too_early(later).on(subject, later));
    }
    (!is_set).then(|| {
        Warning::new(
            Code::MetadataFilterMissing,
            format!(
                "the name is taken from the metadata of {namespace}, but no filter before this \
                 one can set it: every request is refused"
            ),
            "put the first factor before this filter",
        )
    })
}

fn certificate(subject: &Subject<'_>) -> Vec<Warning> {
    let Host::Envoy { chain: Some(Chain { filter_chain: Some(filter_chain), .. }), .. } =
        subject.host
    else {
        return Vec::new();
    };
    let tls = at(filter_chain, &["transport_socket", "typed_config"]).unwrap_or(&Value::Null);
    let mut warnings = Vec::new();
    if !is_set(tls, &["require_client_certificate"]) {
        warnings.push(Warning::new(
            Code::CertificateNotRequired,
            "identity.source is mtls, but the listener does not ask for a certificate: every \
             request is refused",
            "write `require_client_certificate: true` in its DownstreamTlsContext",
        ));
    }
    let common = at(tls, &["common_tls_context"]).unwrap_or(&Value::Null);
    if !verifies(common) {
        warnings.push(Warning::new(
            Code::CertificateNotVerified,
            "the listener accepts any certificate: anyone can make one with any user's name",
            "write `trusted_ca` in its validation_context, and remove `trust_chain_verification`",
        ));
    }
    warnings
}

fn verifies(common: &Value) -> bool {
    let combined = at(common, &["combined_validation_context"]).unwrap_or(&Value::Null);
    let contexts =
        [at(common, &["validation_context"]), at(combined, &["default_validation_context"])];
    let accepts_any = |context: &Value| {
        text_at(context, &["trust_chain_verification"]) == Some("ACCEPT_UNTRUSTED")
    };
    let by_discovery = ["validation_context_sds_secret_config"];
    let is_discovered =
        at(common, &by_discovery).is_some() || at(combined, &by_discovery).is_some();
    let mut contexts = contexts.into_iter().flatten();
    let has_authority = contexts.clone().any(|context| at(context, &["trusted_ca"]).is_some());
    (has_authority || is_discovered) && !contexts.any(accepts_any)
}

/// The filters before this one, each as the last part of its type, and its configuration.
pub(super) fn before<'d>(chain: &Chain<'d>) -> impl Iterator<Item = (&'d str, &'d Value)> {
    chain.before.iter().filter_map(|filter| {
        let (kind, config) = extension(at(filter, &["typed_config"])?)?;
        Some((kind.rsplit('.').next()?, config))
    })
}

/// The last part of a filter's type.
fn kind(filter: &Value) -> Option<&str> {
    extension(at(filter, &["typed_config"])?)?.0.rsplit('.').next()
}
