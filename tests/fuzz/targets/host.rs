//! Hosts: the authority of a request, the hosts of a configuration, and a client's address.

use duo_mfa::duo::ApiHost;
use duo_mfa::duo::universal::{CallbackHost, RedirectUri};
use duo_mfa::http::authority::Host;
use duo_mfa::http::peer::ip_address;
use std::net::SocketAddr;
use url::Url;

const PATH: &str = "/.duo-mfa/callback";

pub(crate) fn target(bytes: &[u8]) {
    if let Some(ip) = ip_address(bytes) {
        assert_eq!(ip_address(SocketAddr::new(ip, 1).to_string().as_bytes()), Some(ip));
    }
    if let Ok(host) = Host::of(bytes) {
        let name = host.as_str();
        assert_eq!(Host::of(name.as_bytes()).as_ref(), Ok(&host));
        assert_eq!(Host::of(format!("{name}:8443").as_bytes()).as_ref(), Ok(&host));
        assert!(!name.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii_graphic()));
        assert!(!name.contains(['/', '@', '\\', '?', '#', '%', ' ']) && !name.ends_with('.'));
    }
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(host) = text.parse::<ApiHost>() {
        assert_eq!(host.to_string().parse(), Ok(host));
    }
    // Duo's answer comes back to a host of the configuration, whatever the client writes.
    let ours = ["app.example.com", "*.apps.example.com"].map(|host| host.parse().unwrap());
    if let Some(uri) = redirect_uri(bytes, &ours) {
        let url = Url::parse(&uri).unwrap();
        assert_eq!((url.scheme(), url.path()), ("https", PATH));
        let host = url.host_str().unwrap();
        assert!(host == "app.example.com" || host.ends_with(".apps.example.com"), "{uri}");
    }
    if let Ok(allowed) = text.parse::<CallbackHost>() {
        redirect_uri(bytes, &[allowed]);
    }
}

fn redirect_uri(authority: &[u8], hosts: &[CallbackHost]) -> Option<String> {
    let uri = RedirectUri::of(authority, hosts, PATH).ok()?.as_str().to_owned();
    let (scheme, rest) = uri.split_once("://").unwrap();
    let host = Host::of(rest.strip_suffix(PATH).unwrap().as_bytes()).unwrap();
    let is_loopback = ["localhost", "127.0.0.1", "[::1]"].contains(&host.as_str());
    assert_eq!(scheme, if is_loopback { "http" } else { "https" }, "{uri}");
    assert!(hosts.iter().any(|it| it.allows(&host)), "{uri}");
    Some(uri)
}
