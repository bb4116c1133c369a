//! Connections: name, address, proxy.

use super::route::{Proxy, Route};
use super::tls::{self, is_timeout};
use super::verdict::{Code, Finding};
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// The most bytes of a proxy's response to CONNECT.
const MAX_ANSWER: usize = 8_192;
/// How long a proxy may take to connect.
const TUNNEL_TIMEOUT: Duration = Duration::from_secs(10);

/// The resolved way to Duo. It opens a connection for each call.
pub(super) struct Link {
    /// The addresses to connect to: Duo's or the proxy's.
    pub(super) addresses: Vec<SocketAddr>,
    /// The target that the proxy is asked for.
    pub(super) tunnel: Option<String>,
    pub(super) client: tls::Client,
    pub(super) connect_timeout: Duration,
}

impl Link {
    /// A new connection, up to and including TLS.
    ///
    /// # Errors
    ///
    /// The first step that fails.
    pub(super) fn open(&self) -> Result<tls::Stream, Finding> {
        let (mut tcp, _) = connect(&self.addresses, self.connect_timeout, self.tunnel.is_some())?;
        if let Some(target) = &self.tunnel {
            tunnel(&mut tcp, target)?;
        }
        self.client.open(tcp)
    }
}

/// The addresses of a host; not empty.
///
/// # Errors
///
/// A name without an address.
pub(super) fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Finding> {
    let failed = |why: &str| {
        Finding::new(
            Code::NameNotResolved,
            format!("{host} has no address here: {why}"),
            "check the spelling of duo.api_host and of the cluster's address, and the name server \
             of this host (`getent hosts NAME`)",
        )
    };
    let found = (host, port).to_socket_addrs().map_err(|error| failed(&error.to_string()))?;
    let found: Vec<_> = found.collect();
    if found.is_empty() { Err(failed("the name server knows none")) } else { Ok(found) }
}

/// A connection to the first address that accepts one.
///
/// # Errors
///
/// The fault of the last address if none does.
pub(super) fn connect(
    addresses: &[SocketAddr],
    timeout: Duration,
    is_proxy: bool,
) -> Result<(TcpStream, SocketAddr), Finding> {
    let mut fault = None;
    for address in addresses {
        match TcpStream::connect_timeout(address, timeout) {
            Ok(stream) => {
                // Small messages that wait for a response each.
                let _ = stream.set_nodelay(true);
                let _ = stream.set_read_timeout(Some(timeout.max(Duration::from_secs(5))));
                return Ok((stream, *address));
            }
            Err(error) => fault = Some((*address, error)),
        }
    }
    let Some((address, error)) = fault else {
        return Err(Finding::new(Code::ConnectionFailed, "there is no address", "name one"));
    };
    if is_proxy {
        return Err(Finding::new(
            Code::ProxyNotReached,
            format!("the proxy at {address} does not accept the connection: {error}"),
            "check the proxy's address and port, and the firewall between this host and it",
        ));
    }
    Err(unconnected(address, &error, timeout))
}

fn unconnected(address: SocketAddr, error: &io::Error, timeout: Duration) -> Finding {
    if error.kind() == io::ErrorKind::ConnectionRefused {
        return Finding::new(
            Code::ConnectionRefused,
            format!(
                "{address} refuses the connection: nothing listens there, or a firewall rejects it"
            ),
            "check the cluster's address and port (Duo's is 443); allow outgoing connections to it",
        );
    }
    if is_timeout(error) {
        return Finding::new(
            Code::ConnectionTimeout,
            format!("{address} does not answer within {} s", timeout.as_secs_f32()),
            "allow outgoing connections to Duo's API host on port 443 in the firewall, or name \
             the egress proxy (--proxy)",
        );
    }
    Finding::new(
        Code::ConnectionFailed,
        format!("no connection to {address}: {error}"),
        "check the routes of this host and the family of the address (IPv4 or IPv6)",
    )
}

/// Asks a proxy for a connection to a target, `host:port` (RFC 9110, section 9.3.6).
///
/// # Errors
///
/// A proxy that does not connect.
pub(super) fn tunnel(tcp: &mut TcpStream, target: &str) -> Result<(), Finding> {
    let refused = |problem: String, fix: &str| Finding::new(Code::ProxyRefused, problem, fix);
    let _ = tcp.set_read_timeout(Some(TUNNEL_TIMEOUT));
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n");
    let answer = tcp.write_all(request.as_bytes()).and_then(|()| answer(tcp));
    let answer = answer.map_err(|error| {
        let problem = format!("the proxy does not answer CONNECT {target}: {error}");
        refused(problem, "check that it is an HTTP proxy, and that it can reach Duo")
    })?;
    let line = answer.lines().next().unwrap_or_default();
    let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1));
    let line: String = line.chars().filter(|it| !it.is_control()).take(100).collect();
    match status {
        Some(status) if status.starts_with('2') => Ok(()),
        Some("407") => Err(refused(
            format!("the proxy requires a password for CONNECT {target}: {line}"),
            "allow this host at the proxy by its address: Envoy's http_11_proxy sends no password",
        )),
        Some(_) => Err(refused(
            format!("the proxy does not allow CONNECT {target}: {line}"),
            "allow it at the proxy. Envoy asks by address, not by name, unless the cluster's \
             address is resolved at the proxy",
        )),
        None => Err(refused(
            format!("the answer to CONNECT {target} is not HTTP"),
            "check the proxy's address and port",
        )),
    }
}

/// A proxy's response up to the empty line. Nothing follows it before the client begins TLS.
fn answer(tcp: &mut TcpStream) -> io::Result<String> {
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") && answer.len() < MAX_ANSWER {
        if tcp.read(&mut byte)? == 0 {
            break;
        }
        answer.extend_from_slice(&byte);
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The target that a proxy is asked for.
pub(super) fn target(route: &Route, proxy: &Proxy, addresses: &[SocketAddr]) -> String {
    match addresses.first() {
        Some(address) if !proxy.resolves => address.to_string(),
        _ => format!("{}:{}", route.host, route.port),
    }
}
