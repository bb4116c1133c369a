//! The first factor in front of the filter: its filters, its cluster, and where the user's name is.

use super::draft::{Draft, NoSuchText, between};
use super::{Arguments, Target};
use serde_json::{Value, json};

const BASIC_AUTH: &str = include_str!("../../../../examples/basic-auth/envoy.yaml");
const OAUTH2_PROXY: &str = include_str!("../../../../examples/oauth2-proxy/envoy.yaml");
const KUBERNETES: &str = include_str!("../../../../envoy/kubernetes/base/envoy.yaml");

/// Where the filters of a first factor begin and end in the shipped files.
const FILTERS: (&str, &str) =
    ("          # Headers that the first", "          # The second factor.");
const CHANGED: (&str, &str) = ("          # The first factor", "          # The second factor.");
const DUO: &str = "  - name: duo_api\n";

/// The first factors for which files can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum FirstFactor {
    /// Name and password by Envoy's `basic_auth`
    Basic,
    /// A token of an identity provider, by Envoy's `jwt_authn`
    Jwt,
    /// OpenID Connect by oauth2-proxy
    Oauth2Proxy,
    /// A client certificate
    Mtls,
}

impl FirstFactor {
    /// The key `identity` of the plugin configuration.
    pub(super) fn identity(self) -> Value {
        let steps = ["trim", "lowercase"];
        match self {
            Self::Basic => json!({"source": "header", "header": "x-basic-user"}),
            Self::Jwt => json!({
                "source": "jwt",
                "metadata": ["envoy.filters.http.jwt_authn", "jwt_payload", "email"],
                "normalize": steps,
            }),
            Self::Oauth2Proxy => json!({
                "source": "header", "header": "x-auth-request-email", "normalize": steps,
            }),
            Self::Mtls => json!({"source": "mtls", "certificate": "subject"}),
        }
    }

    /// Puts its filters and its cluster into a file of Envoy.
    pub(super) fn put(self, draft: &mut Draft, with: &Arguments) -> Result<(), NoSuchText> {
        let is_in_cluster = with.target == Target::Kubernetes;
        match self {
            Self::Basic => {
                draft.put_between(CHANGED, between(BASIC_AUTH, FILTERS.0, FILTERS.1)?)?;
            }
            Self::Oauth2Proxy => {
                draft.put_between(CHANGED, between(OAUTH2_PROXY, FILTERS.0, FILTERS.1)?)?;
                let cluster = between(OAUTH2_PROXY, "  - name: oauth2_proxy\n", DUO)?;
                draft.put(DUO, &format!("{cluster}{DUO}"))?;
                let usual = if is_in_cluster { "oauth2-proxy" } else { "127.0.0.1" };
                draft.put("oauth2-proxy.internal", usual)?;
            }
            Self::Jwt => {
                if !is_in_cluster {
                    draft.put_between(CHANGED, between(KUBERNETES, CHANGED.0, CHANGED.1)?)?;
                    let cluster = between(KUBERNETES, "  - name: idp\n", DUO)?;
                    draft.put(DUO, &format!("{cluster}{DUO}"))?;
                }
                draft.put("# The first factor; change.", "# The first factor.")?;
                provider(draft, with)?;
                let host = with.key_set_host().to_owned();
                draft.put("address: idp.example.com", &format!("address: {host}"))?;
                draft.put("sni: idp.example.com", &format!("sni: {host}"))?;
                draft.put("exact: idp.example.com", &format!("exact: {host}"))?;
            }
            Self::Mtls => {
                draft.put_between(CHANGED, "")?;
                draft.put(
                    "          common_tls_context:\n            alpn_protocols",
                    "          # The first factor: no connection without a certificate of this authority.\n          \
                     require_client_certificate: true\n          common_tls_context:\n            \
                     validation_context: {trusted_ca: {filename: /etc/envoy/clients-ca.pem}}\n            \
                     alpn_protocols",
                )?;
            }
        }
        if self != Self::Jwt && is_in_cluster {
            draft.put_between(("  - name: idp\n", DUO), "")?;
        }
        Ok(())
    }
}

/// Puts the identity provider in the place of the one in the shipped files.
pub(super) fn provider(draft: &mut Draft, with: &Arguments) -> Result<(), NoSuchText> {
    let (issuer, keys) = (with.issuer(), with.key_set());
    draft.put("https://idp.example.com/.well-known/jwks.json", &keys)?;
    draft.put("issuer: https://idp.example.com", &format!("issuer: {issuer}"))?;
    draft.put("audiences: [app]", &format!("audiences: ['{}']", with.audience()))?;
    Ok(())
}
