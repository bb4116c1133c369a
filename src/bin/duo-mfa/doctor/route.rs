//! The way of an application's calls to Duo, as the files describe it.

use super::verdict::{Code, Finding};
use crate::document::Document;
use crate::plugin::Host;
use crate::upstream::{self, Verification};
use crate::value::{at, duration_at, member, text_at};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use duo_mfa::config::DuoSettings;
use serde_json::Value;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

const HTTPS: u16 = 443;
/// Envoy's default.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The way of an application's calls to Duo.
pub(super) struct Route {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) proxy: Option<Proxy>,
    pub(super) connect_timeout: Duration,
    /// The name in the TLS handshake. `None` if the cluster sends none.
    pub(super) sni: Option<String>,
    /// The certificate must have one of these names; not empty.
    pub(super) names: Vec<String>,
    pub(super) authorities: Authorities,
    /// The origin of this route, for the report.
    pub(super) source: String,
}

/// An egress proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proxy {
    pub(super) host: String,
    pub(super) port: u16,
    /// Whether the proxy resolves Duo's name. With Envoy's `http_11_proxy`, Envoy resolves it and
    /// sends the address.
    pub(super) resolves: bool,
}

/// The certificate authorities that are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Authorities {
    System,
    File(PathBuf),
    Pem(Vec<u8>),
}

impl FromStr for Proxy {
    type Err = &'static str;

    /// `HOST:PORT`, also as an `http` URL.
    fn from_str(text: &str) -> Result<Self, &'static str> {
        let text = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
        if text.contains('@') {
            return Err("has a password: Envoy's http_11_proxy sends none");
        }
        let (host, port) = text.rsplit_once(':').ok_or("is not HOST:PORT")?;
        let port = port.parse().map_err(|_| "is not HOST:PORT")?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.contains('/') {
            return Err("is not HOST:PORT");
        }
        Ok(Self { host: host.to_owned(), port, resolves: true })
    }
}

impl Route {
    /// The way of an application's calls. `document` is the one that has the plugin configuration.
    ///
    /// # Errors
    ///
    /// A file with all of Envoy's clusters that lacks Duo's, or has it without TLS.
    pub(super) fn of(
        duo: &DuoSettings,
        host: Host<'_>,
        document: &Document,
        documents: &[&Document],
    ) -> Result<Self, Finding> {
        let documents = std::iter::once(&document).chain(documents).copied();
        match upstream::cluster(documents, &duo.cluster) {
            Some(cluster) => Self::of_cluster(cluster, duo),
            None if is_complete(host, document) => Err(Finding::new(
                Code::ClusterMissing,
                format!("the file has no cluster {}, so Envoy cannot call Duo", duo.cluster),
                "add it to static_resources.clusters, or name another cluster in duo.cluster",
            )),
            None => Ok(Self::usual(duo)),
        }
    }

    /// The route if no file describes the cluster: directly to the API host.
    pub(super) fn usual(duo: &DuoSettings) -> Self {
        let host = duo.api_host().to_string();
        Self {
            port: HTTPS,
            proxy: None,
            connect_timeout: CONNECT_TIMEOUT,
            sni: Some(host.clone()),
            names: vec![host.clone()],
            authorities: Authorities::System,
            source: format!("cluster {} is in none of the files", duo.cluster),
            host,
        }
    }

    fn of_cluster(cluster: &Value, duo: &DuoSettings) -> Result<Self, Finding> {
        let usual = Self::usual(duo);
        let Some(tls) = upstream::tls(cluster) else {
            return Err(Finding::new(
                Code::ClusterWithoutTls,
                format!("cluster {} has no TLS, but Duo accepts only TLS", duo.cluster),
                "give it a transport_socket with an UpstreamTlsContext",
            ));
        };
        let verification = Verification::of(tls);
        let address = upstream::address(cluster).map(|(host, port)| (host.to_owned(), port));
        let (host, port) = address.unwrap_or((usual.host, usual.port));
        let sni = text_at(tls, &["sni"]).map(str::to_owned).or(usual.sni);
        let exact: Vec<_> =
            verification.names.iter().flatten().map(|name| (*name).to_owned()).collect();
        let proxy = upstream::proxy(cluster).map(|(host, port)| Proxy {
            host: host.to_owned(),
            port,
            resolves: false,
        });
        Ok(Self {
            host,
            port,
            proxy,
            connect_timeout: duration_at(cluster, &["connect_timeout"]).unwrap_or(CONNECT_TIMEOUT),
            names: if exact.is_empty() { sni.iter().cloned().collect() } else { exact },
            sni,
            authorities: verification.trusted_ca.map_or(Authorities::System, authorities),
            source: format!("cluster {}", duo.cluster),
        })
    }
}

/// Whether the document has all clusters of its Envoy.
fn is_complete(host: Host<'_>, document: &Document) -> bool {
    let Some(bootstrap) = document.value() else { return false };
    matches!(host, Host::Envoy { .. })
        && member(bootstrap, "static_resources").is_some()
        && at(bootstrap, &["dynamic_resources", "cds_config"]).is_none()
}

/// Reads a `DataSource`. A kind that only Envoy knows counts as the system's authorities.
fn authorities(source: &Value) -> Authorities {
    if let Some(path) = text_at(source, &["filename"]) {
        return Authorities::File(path.into());
    }
    let inline = text_at(source, &["inline_string"]).map(|text| text.as_bytes().to_vec());
    let bytes = || STANDARD.decode(text_at(source, &["inline_bytes"])?).ok();
    inline.or_else(bytes).map_or(Authorities::System, Authorities::Pem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_host_and_a_port() {
        let proxy = |host: &str, port| Proxy { host: host.to_owned(), port, resolves: true };
        for (text, parsed) in [
            ("proxy.example.com:3128", Ok(proxy("proxy.example.com", 3128))),
            ("http://10.0.0.1:8080/", Ok(proxy("10.0.0.1", 8080))),
            ("[::1]:3128", Ok(proxy("::1", 3128))),
            ("proxy.example.com", Err("is not HOST:PORT")),
            ("https://proxy:3128", Err("is not HOST:PORT")),
            (":3128", Err("is not HOST:PORT")),
            ("http://a:b@proxy:3128", Err("has a password: Envoy's http_11_proxy sends none")),
        ] {
            assert_eq!(text.parse(), parsed, "{text}");
        }
    }
}
