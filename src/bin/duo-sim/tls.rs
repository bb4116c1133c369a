//! The simulator's certificate authority, kept in the state directory, and a server certificate
//! that is made anew at each start.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("can't keep the keys in the state directory: {0}")]
    Directory(#[from] io::Error),
    #[error("can't make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("can't set TLS up: {0}")]
    Setup(#[from] rustls::Error),
}

/// The TLS acceptor, and the file that clients must trust.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) authority: PathBuf,
}

/// Uses the authority in `directory`, or creates one there. The certificate is for `names`: DNS
/// names and IP addresses.
pub(crate) fn prepare(directory: &Path, names: &[String]) -> Result<Tls, TlsError> {
    fs::create_dir_all(directory)?;
    let authority = directory.join("ca.pem");
    let issuer = issuer(&directory.join("ca.key"), &authority)?;
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names.to_vec())?;
    params.distinguished_name.push(DnType::CommonName, "duo-sim");
    params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
    params.key_usages.push(KeyUsagePurpose::DigitalSignature);
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, &issuer)?;
    let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Tls { acceptor: TlsAcceptor::from(Arc::new(config)), authority })
}

/// The authority's issuer. Its certificate is written only once, so that clients can keep it; later
/// only its key is read.
fn issuer(key_file: &Path, authority: &Path) -> Result<Issuer<'static, KeyPair>, TlsError> {
    if let (Ok(pem), true) = (fs::read_to_string(key_file), authority.exists()) {
        return Ok(Issuer::new(authority_params(), KeyPair::from_pem(&pem)?));
    }
    let key = KeyPair::generate()?;
    let certificate = authority_params().self_signed(&key)?;
    write_private(key_file, &key.serialize_pem())?;
    fs::write(authority, certificate.pem())?;
    Ok(Issuer::new(authority_params(), key))
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "duo-sim test authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)?.write_all(text.as_bytes())
}
