//! Small servers: TLS with any certificate, and egress proxies.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// A certificate for a server.
pub(crate) struct Shown {
    pub(crate) name: &'static str,
    /// The first and the last year of its validity. `None` if it is valid for long.
    pub(crate) years: Option<(i32, i32)>,
    /// The name of its authority. `None` if it is self-signed.
    pub(crate) authority: Option<&'static str>,
}

/// Starts a server that ends each connection after the handshake. Returns its address and the
/// certificate of its authority as PEM.
pub(crate) fn tls(shown: &Shown) -> (SocketAddr, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([shown.name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, shown.name);
    if let Some((first, last)) = shown.years {
        params.not_before = date_time_ymd(first, 1, 1);
        params.not_after = date_time_ymd(last, 12, 31);
    }
    let (certificate, authority) = match shown.authority {
        Some(name) => {
            let mut of_authority = CertificateParams::default();
            of_authority.distinguished_name.push(DnType::CommonName, name);
            of_authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let authority_key = KeyPair::generate().unwrap();
            let pem = of_authority.self_signed(&authority_key).unwrap().pem();
            let issuer = Issuer::new(of_authority, authority_key);
            (params.signed_by(&key, &issuer).unwrap(), pem)
        }
        None => {
            let certificate = params.self_signed(&key).unwrap();
            let pem = certificate.pem();
            (certificate, pem)
        }
    };
    let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    let config = Arc::new(config);
    let address = serve(move |tcp| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        // The client may leave at any time.
        let _ = StreamOwned::new(connection, tcp).read(&mut [0; 1024]);
    });
    (address, authority)
}

/// Starts a proxy that answers CONNECT so.
pub(crate) fn refusing_proxy(answer: &'static str) -> SocketAddr {
    serve(move |mut tcp| {
        let _ = tcp.read(&mut [0; 1024]);
        let _ = tcp.write_all(answer.as_bytes());
    })
}

/// Starts a proxy that connects all to one address, if it is asked for the right target.
pub(crate) fn proxy(target: String, address: SocketAddr) -> SocketAddr {
    serve(move |mut tcp| {
        let mut head = [0; 1024];
        let read = tcp.read(&mut head).unwrap();
        let head = String::from_utf8_lossy(&head[..read]).into_owned();
        if !head.starts_with(&format!("CONNECT {target} HTTP/1.1\r\n")) {
            let _ = tcp.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n");
            return;
        }
        let mut duo = TcpStream::connect(address).unwrap();
        tcp.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let (mut back, mut from) = (tcp.try_clone().unwrap(), duo.try_clone().unwrap());
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut back);
            let _ = back.shutdown(Shutdown::Both);
        });
        let _ = io::copy(&mut tcp, &mut duo);
        let _ = duo.shutdown(Shutdown::Both);
    })
}

/// Serves each connection on a thread, until the test's process ends.
fn serve(act: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let act = Arc::new(act);
    thread::spawn(move || {
        for tcp in listener.incoming() {
            let act = Arc::clone(&act);
            thread::spawn(move || act(tcp.unwrap()));
        }
    });
    address
}

/// An address at which nothing listens.
pub(crate) fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
