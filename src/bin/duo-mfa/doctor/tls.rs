//! TLS to Duo, verified as the cluster verifies it, with a record of the server's certificates.

use super::certificate::Certificate;
use super::route::{Authorities, Route};
use super::verdict::{Code, Finding};
use crate::now;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme, StreamOwned,
};
use std::io;
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};

/// A connection to Duo.
pub(super) type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A client's side of TLS, for one route.
pub(super) struct Client {
    config: Arc<ClientConfig>,
    recorder: Arc<Recorder>,
    server_name: ServerName<'static>,
    route_names: String,
    authorities: String,
}

/// Verifies with webpki, and records the certificates for the report.
#[derive(Debug)]
struct Recorder {
    webpki: Arc<WebPkiServerVerifier>,
    names: Vec<ServerName<'static>>,
    chain: Mutex<Vec<CertificateDer<'static>>>,
}

impl Client {
    /// # Errors
    ///
    /// The authorities cannot be read, or a name is not a host name.
    pub(super) fn new(route: &Route) -> Result<Self, Finding> {
        let (roots, authorities) = roots(&route.authorities)?;
        let provider = Arc::new(ring::default_provider());
        let webpki = verifier(roots, &provider).map_err(|error| setup(&error))?;
        let names = route.names.iter().map(|name| server_name(name)).collect::<Result<_, _>>()?;
        let recorder = Arc::new(Recorder { webpki, names, chain: Mutex::default() });
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| setup(&error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::<Recorder>::clone(&recorder))
            .with_no_client_auth();
        let mut config = config;
        config.enable_sni = route.sni.is_some();
        let name = route.sni.as_deref().or_else(|| route.names.first().map(String::as_str));
        Ok(Self {
            config: Arc::new(config),
            recorder,
            server_name: server_name(name.unwrap_or(&route.host))?,
            route_names: route.names.join(" or "),
            authorities,
        })
    }

    /// Makes the TLS handshake. The connection's timeouts apply to each read.
    ///
    /// # Errors
    ///
    /// The certificate is not accepted, or the server does not speak TLS.
    pub(super) fn open(&self, mut tcp: TcpStream) -> Result<Stream, Finding> {
        let connection = ClientConnection::new(Arc::clone(&self.config), self.server_name.clone());
        let mut connection = connection.map_err(|error| setup(&error))?;
        while connection.is_handshaking() {
            connection.complete_io(&mut tcp).map_err(|error| self.failed(&error))?;
        }
        Ok(StreamOwned::new(connection, tcp))
    }

    /// The name of the trusted authorities in a report.
    pub(super) fn authorities(&self) -> &str {
        &self.authorities
    }

    /// The server's certificate and the number of certificates that it sent.
    pub(super) fn certificate(&self) -> (Certificate, usize) {
        let chain = self.recorder.chain.lock().unwrap_or_else(PoisonError::into_inner);
        (chain.first().and_then(Certificate::read).unwrap_or_default(), chain.len())
    }

    fn failed(&self, error: &io::Error) -> Finding {
        let of_tls = error.get_ref().and_then(|error| error.downcast_ref::<Error>());
        match of_tls {
            Some(Error::InvalidCertificate(fault)) => self.refused(fault),
            Some(Error::InvalidMessage(_)) => Finding::new(
                Code::NotTls,
                "the server does not answer in TLS",
                "check the cluster's address and port (Duo's is 443), and whether a proxy on the \
                 way expects CONNECT (--proxy)",
            ),
            Some(error) => handshake(&error.to_string()),
            None if is_timeout(error) => handshake("the server does not answer the first message"),
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                handshake("the server closed the connection")
            }
            None => handshake(&error.to_string()),
        }
    }

    fn refused(&self, fault: &CertificateError) -> Finding {
        let (certificate, _) = self.certificate();
        let (issuer, names) = (&certificate.issuer, certificate.names());
        match fault {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Finding::new(
                Code::CertificateExpired,
                format!(
                    "the certificate of {names}, issued by {issuer}, expired at {}",
                    certificate.ends.rfc2822()
                ),
                "renew it where the connection ends: Duo's own does not expire in use, so a proxy \
                 on the way is likely; if not, check the clock of this host",
            ),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Finding::new(
                    Code::CertificateNotYetValid,
                    format!(
                        "the certificate of {names} is valid from {} on",
                        certificate.begins.rfc2822()
                    ),
                    "set the clock of this host: it is likely to be behind",
                )
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Finding::new(
                    Code::CertificateOfOtherName,
                    format!("the certificate is that of {names}, not of {}", self.route_names),
                    "write Duo's API host as the cluster's address, as its sni and in \
                     match_typed_subject_alt_names; if it is there, something on the way answers \
                     in Duo's place",
                )
            }
            _ => self.untrusted(fault, &certificate),
        }
    }

    fn untrusted(&self, fault: &CertificateError, certificate: &Certificate) -> Finding {
        let (issuer, authorities) = (&certificate.issuer, &self.authorities);
        if self.is_public() {
            return Finding::new(
                Code::AuthoritiesTooFew,
                format!(
                    "the certificate, issued by {issuer}, is a public one that {authorities} lacks"
                ),
                "write the system's file as trusted_ca.filename, such as \
                 /etc/ssl/certs/ca-certificates.crt",
            );
        }
        let is_of_duo = self.recorder.names.iter().any(|name| certificate.has(&name.to_str()));
        if is_of_duo && !certificate.is_self_signed {
            return Finding::new(
                Code::InspectedConnection,
                format!(
                    "{issuer} issued a certificate for {}, and {authorities} does not trust it: a \
                     proxy on the way is likely to open the TLS connection",
                    certificate.names()
                ),
                "exempt Duo's API host from TLS inspection; to allow the inspection instead, add \
                 the proxy's authority to the file that trusted_ca names",
            );
        }
        Finding::new(
            Code::CertificateNotTrusted,
            format!(
                "the certificate of {}, issued by {issuer}, is not trusted by {authorities}: {fault}",
                certificate.names()
            ),
            "check that the cluster's address is Duo's, and that trusted_ca names the right file",
        )
    }

    /// Whether the system's authorities accept the certificate.
    fn is_public(&self) -> bool {
        let chain = self.recorder.chain.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((leaf, rest)) = chain.split_first() else { return false };
        let provider = Arc::new(ring::default_provider());
        let Ok((roots, _)) = roots(&Authorities::System) else { return false };
        let Ok(webpki) = verifier(roots, &provider) else { return false };
        let mut names = self.recorder.names.iter();
        names.any(|name| webpki.verify_server_cert(leaf, rest, name, &[], UnixTime::now()).is_ok())
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let sent = std::iter::once(end_entity).chain(intermediates);
        let sent = sent.map(|certificate| certificate.clone().into_owned()).collect();
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) = sent;
        let mut result = Err(CertificateError::NotValidForName.into());
        for name in &self.names {
            result =
                self.webpki.verify_server_cert(end_entity, intermediates, name, ocsp_response, now);
            if result.is_ok() {
                break;
            }
        }
        result
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

fn verifier(
    roots: RootCertStore,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, Error> {
    let builder =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    builder.build().map_err(|error| Error::General(error.to_string()))
}

/// The authorities, and their name in a report.
fn roots(authorities: &Authorities) -> Result<(RootCertStore, String), Finding> {
    let unreadable = |name: &str, why: &str| {
        Finding::new(
            Code::AuthoritiesUnreadable,
            format!("the certificate authorities in {name} cannot be read here: {why}"),
            "run doctor where Envoy runs, or name the file with --ca",
        )
    };
    let (certificates, name) = match authorities {
        Authorities::System => {
            (rustls_native_certs::load_native_certs().certs, "the system's store".to_owned())
        }
        Authorities::File(path) => {
            let name = path.display().to_string();
            let pem = std::fs::read(path).map_err(|error| unreadable(&name, &error.to_string()))?;
            (certificates(&pem), name)
        }
        Authorities::Pem(pem) => (certificates(pem), "the inline trusted_ca".to_owned()),
    };
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certificates);
    if store.is_empty() {
        return Err(unreadable(&name, "there is no certificate"));
    }
    Ok((store, name))
}

fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect()
}

fn server_name(name: &str) -> Result<ServerName<'static>, Finding> {
    ServerName::try_from(name.to_owned()).map_err(|_| {
        Finding::new(
            Code::HandshakeFailed,
            format!("{name} is not a host name, so no certificate can have it"),
            "write Duo's API host as the cluster's sni and in match_typed_subject_alt_names",
        )
    })
}

fn setup(error: &Error) -> Finding {
    handshake(&error.to_string())
}

fn handshake(why: &str) -> Finding {
    Finding::new(
        Code::HandshakeFailed,
        format!("the TLS handshake failed: {why}"),
        "check the cluster's address and port, and whether a firewall on the way ends TLS",
    )
}

pub(super) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// The report's text on an accepted certificate, and the days until it expires.
pub(super) fn accepted((certificate, sent): &(Certificate, usize)) -> (String, u64) {
    let days = certificate.days_left(now());
    let text = format!(
        "certificate of {}, issued by {}, {days} days left; {sent} sent",
        certificate.names(),
        certificate.issuer
    );
    (text, days)
}
