//! The Envoy filters that Istio makes of `examples/assertion/istio.yaml`, in a plain Envoy: no Istio runs here. istiod fetches the
//! public keys and sends them to its Envoys; the test does that once.

use serde_json::{Value, json};

use super::cases::{Check, HEADER, OLD, PAYMENT, REPORTS, Received};
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
    let operation = rule["to"][0]["operation"].as_object().into_iter().flatten();
    let permissions: Vec<_> =
        operation.map(|(member, wanted)| permission(member, list(wanted))).collect();
    let permission = match &permissions[..] {
        [] => json!({"any": true}),
        all => json!({"and_rules": {"rules": all}}),
    };
    json!({"permissions": [permission], "principals": [principal(rule)]})
}

/// Matches a request by this member of an operation.
fn permission(member: &str, wanted: &[Value]) -> Value {
    let header = |name: &str, wanted: &Value, ignore_case: bool| {
        let matcher = json!({"exact": wanted, "ignore_case": ignore_case});
        json!({"header": {"name": name, "string_match": matcher}})
    };
    let one = |wanted: &Value| match member {
        "paths" | "notPaths" => json!({"url_path": {"path": matcher(wanted)}}),
        "notMethods" => header(":method", wanted, false),
        "notHosts" => header(":authority", wanted, true),
        other => panic!("{other}"),
    };
    let any = json!({"or_rules": {"rules": wanted.iter().map(one).collect::<Vec<_>>()}});
    if member.starts_with("not") { json!({"not_rule": any}) } else { any }
}

fn principal(rule: &Value) -> Value {
    if let Some(principal) = rule["from"][0]["source"]["notRequestPrincipals"][0].as_str() {
        let issuer = principal.strip_suffix("/*").expect("any subject");
        let both = [("iss", issuer), ("sub", "*")];
        let both = both.map(|(name, wanted)| claim(name, &matcher(&json!(wanted))));
        return json!({"not_id": {"and_ids": {"ids": both}}});
    }
    let when = &rule["when"][0];
    if when.is_null() {
        return json!({"any": true});
    }
    let name = text(&when["key"]).strip_prefix("request.auth.claims[").unwrap();
    let name = name.strip_suffix(']').unwrap();
    let any_of = |texts: &Value| {
        let claims: Vec<_> = list(texts).iter().map(|text| claim(name, &matcher(text))).collect();
        json!({"or_ids": {"ids": claims}})
    };
    match when.get("values") {
        Some(values) => any_of(values),
        None => json!({"not_id": any_of(&when["notValues"])}),
    }
}

/// Matches a text, by its beginning if a `*` ends it; a `*` alone matches any text.
fn matcher(wanted: &Value) -> Value {
    match text(wanted).strip_suffix('*') {
        Some("") => json!({"safe_regex": {"regex": ".+"}}),
        Some(prefix) => json!({"prefix": prefix}),
        None => json!({"exact": wanted}),
    }
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

    let checks = [Check::Assertion, Check::Operation];
    let counts = sidecar.judge(&stack, &genuine.cases(), &checks);
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
    let below = Received { path: "/payments/7", ..PAYMENT };
    assert_eq!(ask(Some(&genuine.session), &below, Verdict::Denied), 403, "below the path");
    assert_eq!(ask(Some(&genuine.payment), &REPORTS, Verdict::Denied), 403, "of one request");
    counts.print("RequestAuthentication + AuthorizationPolicy (Istio, emulated)");
}
