//! The client's address, as the host reports it.

use std::net::{IpAddr, SocketAddr};

/// Reads the address of a peer, such as `192.0.2.1:4711` or `[2001:db8::1]:4711`. `None` if the
/// peer has none, such as a pipe.
#[must_use]
pub fn ip_address(peer: &[u8]) -> Option<IpAddr> {
    let peer: SocketAddr = str::from_utf8(peer).ok()?.parse().ok()?;
    Some(peer.ip().to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_peer_loses_its_port_and_brackets() {
        for (peer, ip) in [
            ("192.0.2.1:4711", Some("192.0.2.1")),
            ("[2001:db8::1]:4711", Some("2001:db8::1")),
            ("[::ffff:192.0.2.1]:4711", Some("192.0.2.1")),
            ("/var/run/app.sock", None),
            ("", None),
        ] {
            let read = ip_address(peer.as_bytes()).map(|ip| ip.to_string());
            assert_eq!(read.as_deref(), ip, "{peer}");
        }
    }
}
