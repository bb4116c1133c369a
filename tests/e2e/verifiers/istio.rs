//! The Envoy filters that Istio makes of `examples/assertion/istio.yaml`, in a plain Envoy: no Istio runs here. istiod fetches the
//! public keys and sends them to its Envoys; the test does that once.

use serde_json::{Value, json};

use super::cases::{Check, HEADER, OLD, Received};
use super::sidecar::{Sidecar, example, filters};
use super::{genuine, of_session, under};
use crate::http1::Connection;
use crate::message::Request;
use crate::resources::{Resources, list, text};
use crate::stack::{Directory, Stack};
use crate::tally::Verdict;

const FILE: &str = "examples/assertion/istio.yaml";
/// Istio's name of the metadata with the claims.
const PAYLOAD: &str = "payload";

/// The filter that Istio makes of a RequestAuthentication: a request without an assertion passes, and the clock has Envoy's
/// default leeway of a minute, which Istio cannot change.
fn request_authentication(resource: &Value, keys: &str) -> Value {
    let rule = &resource["spec"]["jwtRules"][0];
    assert_eq!(rule["forwardOriginalToken"], true);
    let header = json!({"name": rule["fromHeaders"][0]["name"]});
    let provider = json!({
        "issuer": rule["issuer"],
        "audiences": rule["audiences"],
        "from_headers": [header],
        "forward": true,
        "local_jwks": {"inline_string": keys},
        "payload_in_metadata": PAYLOAD,
    });
    let any = json!([{"provider_name": "origins-0"}, {"allow_missing": {}}]);
    json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"origins-0": provider},
            "rules": [{"match": {"prefix": "/"}, "requires": {"requires_any": {"requirements": any}}}],
        },
    })
}

/// The filter that Istio makes of a DENY policy with these forms of rules.
fn authorization_policy(resource: &Value) -> Value {
    let spec = &resource["spec"];
    assert_eq!(spec["action"], "DENY");
    let rules = list(&spec["rules"]).iter().enumerate();
    let policies = rules.map(|(number, rule)| (number.to_string(), policy(rule)));
    json!({
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": {"action": "DENY", "policies": policies.collect::<serde_json::Map<_, _>>()},
        },
    })
}

fn policy(rule: &Value) -> Value {
    let permission = match rule["to"][0]["operation"]["paths"][0].as_str() {
        None => json!({"any": true}),
        Some(path) => {
            let prefix = path.strip_suffix('*').expect("a prefix");
            json!({"url_path": {"path": {"prefix": prefix}}})
        }
    };
    let principal = match rule["from"][0]["source"]["notRequestPrincipals"][0].as_str() {
        Some(principal) => {
            let issuer = principal.strip_suffix("/*").expect("any subject");
            let any_subject = json!({"safe_regex": {"regex": ".+"}});
            json!({"and_ids": {"ids": [
                claim("iss", &json!({"exact": issuer})), claim("sub", &any_subject),
            ]}})
        }
        None => {
            let when = &rule["when"][0];
            let name = text(&when["key"]).strip_prefix("request.auth.claims[").unwrap();
            let wanted = json!({"exact": when["notValues"][0]});
            claim(name.strip_suffix(']').unwrap(), &wanted)
        }
    };
    json!({"permissions": [permission], "principals": [{"not_id": principal}]})
}

/// Matches a claim that is a text, or a list with such a text.
fn claim(name: &str, wanted: &Value) -> Value {
    let one = json!({"string_match": wanted});
    json!({"sourced_metadata": {"metadata_matcher": {
        "filter": "envoy.filters.http.jwt_authn",
        "path": [{"key": PAYLOAD}, {"key": name}],
        "value": {"or_match": {"value_matchers": [one, {"list_match": {"one_of": one}}]}},
    }}})
}

#[test]
fn istio_filters_accept_what_the_filter_signed_and_refuse_forgeries() {
    let resources = Resources::of_files(&[FILE]);
    let mut stack = Stack::start(under(&[&OLD]));
    let genuine = genuine(&mut stack, |_, _| {}, || {});
    let admin = Received { method: "GET", host: "app.example.com", path: "/admin/users", body: "" };
    let fresh = of_session(&stack, &genuine.approval, &admin);

    let keys =
        Connection::open(stack.envoy.listener).exchange(&Request::get("/.duo-mfa/jwks.json"));
    let mut configuration = example(stack.app.address);
    let all = filters(&mut configuration).as_array_mut().unwrap();
    let router = all.pop().unwrap();
    *all = vec![
        request_authentication(resources.one("RequestAuthentication", ""), &keys.unwrap().text()),
        authorization_policy(resources.one("AuthorizationPolicy", "")),
        router,
    ];
    let directory = Directory::new();
    let sidecar = Sidecar::start(&directory.0, configuration);

    let counts = sidecar.judge(&stack, &genuine.cases(), &[Check::Assertion]);
    let ask = |assertion: Option<&str>, received: &Received, verdict| {
        let request = received.request();
        let request = match assertion {
            Some(assertion) => request.header(HEADER, assertion),
            None => request,
        };
        stack.judged(verdict, received.path, || sidecar.send(&request)).status
    };
    assert_eq!(ask(None, &admin, Verdict::Denied), 403, "no assertion");
    assert_eq!(ask(Some(&fresh), &admin, Verdict::Admitted(1)), 200);
    assert_eq!(ask(Some(&genuine.session), &admin, Verdict::Denied), 403, "of another rule");
    counts.print("RequestAuthentication + AuthorizationPolicy (Istio, emulated)");
}
