//! The parts of a server's certificate that a report shows.

use duo_mfa::clock::UnixTime;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate, X509Name};

const SECONDS_PER_DAY: u64 = 86_400;

/// A certificate, as far as a report shows it.
#[derive(Clone, Debug, Default)]
pub(super) struct Certificate {
    pub(super) names: Vec<String>,
    pub(super) issuer: String,
    pub(super) is_self_signed: bool,
    pub(super) begins: UnixTime,
    pub(super) ends: UnixTime,
}

impl Certificate {
    /// `None` if it is not an X.509 certificate.
    pub(super) fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.iter().flat_map(|names| &names.value.general_names);
        let dns = names.filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        });
        let time = |seconds: i64| UnixTime::from_seconds(u64::try_from(seconds).unwrap_or(0));
        Some(Self {
            names: dns.collect(),
            issuer: common_name(certificate.issuer()),
            is_self_signed: certificate.issuer() == certificate.subject(),
            begins: time(certificate.validity().not_before.timestamp()),
            ends: time(certificate.validity().not_after.timestamp()),
        })
    }

    /// Whole days until it expires.
    pub(super) fn days_left(&self, now: UnixTime) -> u64 {
        self.ends.since(now).as_secs().checked_div(SECONDS_PER_DAY).unwrap_or(0)
    }

    /// Whether it has this name, or a wildcard that covers it.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| {
            let parent = name.split_once('.').map(|(_, parent)| parent);
            known.eq_ignore_ascii_case(name)
                || known
                    .strip_prefix("*.")
                    .zip(parent)
                    .is_some_and(|(a, b)| a.eq_ignore_ascii_case(b))
        })
    }

    pub(super) fn names(&self) -> String {
        if self.names.is_empty() { "no DNS name".to_owned() } else { self.names.join(", ") }
    }
}

/// The common name; the whole name if it has none.
fn common_name(name: &X509Name<'_>) -> String {
    let common = name.iter_common_name().next().and_then(|name| name.as_str().ok());
    let text = common.map_or_else(|| name.to_string(), str::to_owned);
    text.chars().filter(|character| !character.is_control()).collect()
}
