//! The files for each way to run the filter. Each is made from the file that the repository ships, so
//! that there is one source.

use super::draft::{Draft, NoSuchText};
use super::factor::{self, FirstFactor};
use super::{Arguments, Service, Target};
use serde_json::{Value, json};

const PRODUCTION: &str = include_str!("../../../../envoy/production.yaml");

macro_rules! shipped {
    ($($name:literal),*) => {
        [$(($name, include_str!(concat!("../../../../envoy/", $name)))),*]
    };
}

const KUBERNETES: [(&str, &str); 6] = shipped!(
    "kubernetes/base/envoy.yaml",
    "kubernetes/base/deployment.yaml",
    "kubernetes/base/service.yaml",
    "kubernetes/base/pod-disruption-budget.yaml",
    "kubernetes/base/network-policy.yaml",
    "kubernetes/base/kustomization.yaml"
);
const ISTIO: [(&str, &str); 5] = shipped!(
    "istio/gateway.yaml",
    "istio/gateway-values.yaml",
    "istio/duo-api.yaml",
    "istio/authorization-policy.yaml",
    "istio/metrics.yaml"
);
const ENVOY_GATEWAY: [(&str, &str); 3] =
    shipped!("envoy-gateway/gateway.yaml", "envoy-gateway/mfa.yaml", "envoy-gateway/duo-api.yaml");

/// The image of the module in the shipped files.
const IMAGE: &str = "registry.example.com/duo-mfa:0.1.0";

/// A file to write: its name and text.
pub(super) type Made = (&'static str, String);

/// The files, without the one that has the secrets.
pub(super) fn files(with: &Arguments) -> Result<Vec<Made>, NoSuchText> {
    match with.target {
        Target::Envoy => Ok(vec![("envoy.yaml", production(with)?)]),
        Target::Kubernetes => {
            let made = each(&KUBERNETES, with, kubernetes)?;
            let is_apart = with.service().is_some_and(|service| service.namespace.is_some());
            Ok(if is_apart { apart(made) } else { made })
        }
        Target::Istio => each(&ISTIO, with, istio),
        Target::EnvoyGateway => each(&ENVOY_GATEWAY, with, envoy_gateway),
    }
}

fn each(
    shipped: &[(&'static str, &'static str)],
    with: &Arguments,
    change: fn(&mut Draft, &str, &Arguments) -> Result<(), NoSuchText>,
) -> Result<Vec<Made>, NoSuchText> {
    let made = shipped.iter().map(|(path, text)| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let mut draft = Draft::of(text);
        common(&mut draft, with)?;
        change(&mut draft, name, with)?;
        Ok((name, draft.finished()))
    });
    made.collect()
}

/// The values that every file has in the same words, if it has them.
fn common(draft: &mut Draft, with: &Arguments) -> Result<(), NoSuchText> {
    draft.universal(with.is_universal());
    let client_id = with.client_id.as_deref().unwrap_or_default();
    let hosts = format!("hosts: [{}]", with.host);
    for (from, to) in [
        ("api-xxxxxxxx.duosecurity.com", &*with.api_host),
        ("DIXXXXXXXXXXXXXXXXXX", &with.integration_key),
        ("DIZZZZZZZZZZZZZZZZZZ", client_id),
        ("hosts: [app.example.com]", &hosts),
        (", {strip_domain: [example.com]}", ""),
        (IMAGE, &with.image),
        // The hints at lines for Duo's Universal Prompt, which are left out.
        (", lines for Duo's Universal Prompt with \"#universal\".", "."),
        (", lines for Duo's Universal Prompt with\n# \"#universal\".", "."),
    ] {
        if draft.text.contains(from) {
            draft.put(from, to)?;
        }
    }
    Ok(())
}

/// Envoy alone, from `envoy/production.yaml`. Its plugin configuration is JSON.
fn production(with: &Arguments) -> Result<String, NoSuchText> {
    let mut draft = Draft::of(PRODUCTION);
    // Routes and rules of the example.
    draft.put_between(
        (
            "              # A route without the second factor",
            "              - match: {prefix: /}\n",
        ),
        "",
    )?;
    draft.put("          # Where the second factor is off, nobody may assert what it asserts.\n", "          # Nobody may assert what the filter asserts, also where a route switches it off.\n")?;
    with.first_factor.put(&mut draft, with)?;
    let json = serde_json::to_string_pretty(&plugin(with)).unwrap_or_default();
    let indented: String = json.lines().map(|line| format!("{:20}{line}\n", "")).collect();
    draft.put_between(
        (
            "                  # Duo's Universal Prompt",
            "          - name: envoy.filters.http.router",
        ),
        &format!("                  value: |\n{indented}"),
    )?;
    let variables = if with.is_universal() { ", DUO_CLIENT_SECRET" } else { "" };
    draft.put(
        "DUO_MFA_COOKIE_KEY, DUO_MFA_COOKIE_KEY_BEFORE",
        &format!("DUO_MFA_COOKIE_KEY{variables}"),
    )?;
    let (host, port) = with.upstream();
    draft.put(
        "address: app.internal, port_value: 8080",
        &format!("address: {host}, port_value: {port}"),
    )?;
    draft.put("domains: [\"*\"]", &format!("domains: [{0}, \"{0}:*\"]", with.host))?;
    common(&mut draft, with)?;
    Ok(draft.finished())
}

/// The plugin configuration for Envoy alone.
fn plugin(with: &Arguments) -> Value {
    let mut duo = json!({
        "api_host": with.api_host,
        "integration_key": with.integration_key,
        "secret_key": {"env": "DUO_SECRET_KEY"},
        "cluster": "duo_api",
    });
    if let (Some(client_id), Some(duo)) = (&with.client_id, duo.as_object_mut()) {
        let universal = json!({
            "client_id": client_id,
            "client_secret": {"env": "DUO_CLIENT_SECRET"},
            "hosts": [with.host],
        });
        duo.insert("prompt".to_owned(), json!("universal"));
        duo.insert("universal".to_owned(), universal);
    }
    json!({
        "version": 1,
        "duo": duo,
        "identity": with.first_factor.identity(),
        "session": {"keys": [{"env": "DUO_MFA_COOKIE_KEY"}]},
        "request_bodies": true,
        "filter_state": true,
    })
}

fn kubernetes(draft: &mut Draft, name: &str, with: &Arguments) -> Result<(), NoSuchText> {
    let (host, port) = with.upstream();
    match name {
        "envoy.yaml" => {
            with.first_factor.put(draft, with)?;
            if with.first_factor != FirstFactor::Jwt {
                let identity = with.first_factor.identity();
                draft.put_between(
                    ("                    identity:\n", "                    session:"),
                    &format!("                    identity: {identity}\n"),
                )?;
            }
            draft.put(
                "address: app, port_value: 8080",
                &format!("address: {host}, port_value: {port}"),
            )?;
            draft.put(
                "- name: app\n              domains: [\"*\"]",
                &format!("- name: app\n              domains: [{0}, \"{0}:*\"]", with.host),
            )?;
        }
        "network-policy.yaml" => network_policy(draft, with)?,
        "kustomization.yaml" => {
            draft.put("namespace: app", &format!("namespace: {}", with.namespace()))?;
            draft.put("-n app", &format!("-n {}", with.namespace()))?;
        }
        _ => {}
    }
    Ok(())
}

/// The network policies of the application and of Envoy.
fn network_policy(draft: &mut Draft, with: &Arguments) -> Result<(), NoSuchText> {
    if with.first_factor == FirstFactor::Oauth2Proxy {
        draft.put("  # Where oauth2-proxy is the first factor:\n", "")?;
        draft.put("  # - to: [{podSelector", "  - to: [{podSelector")?;
        draft.put("  #   ports: [{protocol", "    ports: [{protocol")?;
    }
    let Some(Service { name, namespace, port }) = with.service() else { return Ok(()) };
    // The name of a Service is often the name of its pods, and its port often theirs.
    let pods = format!("podSelector: {{matchLabels: {{app.kubernetes.io/name: {name}}}}}");
    draft.put("podSelector: {matchLabels: {app.kubernetes.io/name: app}}", &pods)?;
    draft.put(
        "port: 8080}]",
        &format!("port: {port}}}]    # change, if the pods have another port than the Service"),
    )?;
    if let Some(namespace) = namespace {
        let of = |namespace: &str| {
            let labels = format!("kubernetes.io/metadata.name: {namespace}");
            format!("{{namespaceSelector: {{matchLabels: {{{labels}}}}}, ")
        };
        draft.put(&format!("- to: [{{{pods}"), &format!("- to: [{}{pods}", of(&namespace)))?;
        draft.put(
            "- from: [{podSelector",
            &format!("- from: [{}podSelector", of(with.namespace())),
        )?;
        draft.put(
            "metadata: {name: app-behind-duo-mfa}",
            &format!("metadata: {{name: app-behind-duo-mfa, namespace: {namespace}}}"),
        )?;
    }
    Ok(())
}

/// Kustomize puts all objects into one namespace. If that of the application is another one, its
/// policy gets a file apart.
fn apart(made: Vec<Made>) -> Vec<Made> {
    let split = |(name, text): Made| match text.split_once("---\n") {
        Some((of_app, of_envoy)) if name == "network-policy.yaml" => {
            let hint = "# Its namespace is not that of kustomization.yaml: kubectl apply -f app-network-policy.yaml\n";
            vec![
                ("app-network-policy.yaml", format!("{hint}{of_app}")),
                (name, of_envoy.to_owned()),
            ]
        }
        _ => vec![(name, text)],
    };
    made.into_iter().flat_map(split).collect()
}

fn istio(draft: &mut Draft, name: &str, with: &Arguments) -> Result<(), NoSuchText> {
    if name != "gateway-values.yaml" {
        draft.put("namespace: istio-ingress", &format!("namespace: {}", with.namespace()))?;
    }
    if name == "gateway.yaml" {
        factor::provider(draft, with)?;
        draft.put_between(("  imagePullSecret:", "  pluginName:"), "")?;
    }
    Ok(())
}

fn envoy_gateway(draft: &mut Draft, name: &str, with: &Arguments) -> Result<(), NoSuchText> {
    let namespace = with.namespace();
    draft.put("namespace: default", &format!("namespace: {namespace}"))?;
    match name {
        "gateway.yaml" => {
            let (host, port) = with.upstream();
            draft.put("hostnames: [app.example.com]", &format!("hostnames: [{}]", with.host))?;
            draft.put("{name: app, port: 8080}", &format!("{{name: {host}, port: {port}}}"))?;
        }
        "mfa.yaml" => {
            factor::provider(draft, with)?;
            draft.put("httproute/default/", &format!("httproute/{namespace}/"))?;
            draft.put_between(("        pullSecretRef:", "    env:"), "")?;
            draft.put_between(("      access_control:", "15m}"), "")?.put("15m}", "")?;
        }
        _ => {
            draft.put("httproute/default/", &format!("httproute/{namespace}/"))?;
        }
    }
    Ok(())
}
