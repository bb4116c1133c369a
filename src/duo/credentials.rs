//! The filter's credentials at Duo: API host, integration key, secret key, and signature version.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha512};

use crate::secret::Secret;

const MAX_NAME_BYTES: usize = 253;
const MAX_LABEL_BYTES: usize = 63;

/// One application of type "Auth API", as Duo's admin panel shows it.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The host that receives all calls; every signature covers it.
    pub api_host: ApiHost,
    /// The integration key (ikey, also "client ID").
    pub integration_key: String,
    /// The secret key (skey, also "client secret"). Its bytes are the HMAC key, without decoding.
    pub secret_key: Secret<String>,
    /// The signature version.
    pub signature: Signature,
}

impl Credentials {
    /// Eight bytes that identify the application in Envoy's shared memory: the start of the SHA-512
    /// of the integration key.
    #[must_use]
    pub fn tag(&self) -> [u8; 8] {
        let [a, b, c, d, e, f, g, h, ..] = Sha512::digest(&self.integration_key).0;
        [a, b, c, d, e, f, g, h]
    }
}

/// The version of a request's signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signature {
    /// Version 5: HMAC-SHA512 over date, method, host, path, query, body and `x-duo-*` headers.
    #[default]
    V5,
    /// Version 2 with HMAC-SHA512.
    V2Sha512,
    /// Version 2 with HMAC-SHA1, the original form.
    V2Sha1,
}

/// The name of Duo's API host, in lower case: `api-xxxxxxxx.duosecurity.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiHost(String);

/// Why a text is not an API host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiHostFault {
    /// The text is empty.
    #[error("the API host is empty")]
    Empty,
    /// The text begins like a URL.
    #[error("the API host must be a name only: remove https://")]
    Scheme,
    /// The text has a slash, question mark or hash.
    #[error("the API host must be a name only: remove the path")]
    Path,
    /// The text has a colon.
    #[error("the API host must be a name only: set the port in the cluster")]
    Port,
    /// The text is an address, or not a DNS name.
    #[error("the API host is not a DNS name")]
    NotAName,
}

impl ApiHost {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ApiHost {
    type Err = ApiHostFault;

    fn from_str(text: &str) -> Result<Self, ApiHostFault> {
        if text.is_empty() {
            return Err(ApiHostFault::Empty);
        }
        if text.contains("://") {
            return Err(ApiHostFault::Scheme);
        }
        if text.contains(['/', '?', '#', '\\']) {
            return Err(ApiHostFault::Path);
        }
        if text.contains(':') {
            return Err(ApiHostFault::Port);
        }
        // A name whose last label has only digits is an address (RFC 3696, section 2).
        let is_address = text.rsplit('.').next().is_some_and(is_digits);
        if text.len() > MAX_NAME_BYTES || is_address || !text.split('.').all(is_label) {
            return Err(ApiHostFault::NotAName);
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for ApiHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_digits(label: &str) -> bool {
    label.bytes().all(|byte| byte.is_ascii_digit())
}

/// A label of a host name (RFC 1123, section 2.1).
fn is_label(label: &str) -> bool {
    let known = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let hyphen_at_an_end = label.starts_with('-') || label.ends_with('-');
    known && !hyphen_at_an_end && (1..=MAX_LABEL_BYTES).contains(&label.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_host_is_kept_in_lower_case() {
        let host: ApiHost = "API-1234abcd.DuoSecurity.com".parse().unwrap();
        assert_eq!(host.as_str(), "api-1234abcd.duosecurity.com");
        assert_eq!("localhost".parse::<ApiHost>().unwrap().to_string(), "localhost");
    }

    #[test]
    fn whatever_is_more_or_less_than_a_name_is_refused() {
        let long_label = format!("{}.example", "a".repeat(64));
        let long_name = vec!["abcdefgh"; 29].join(".");
        for (text, fault) in [
            ("", ApiHostFault::Empty),
            ("https://api-1.duosecurity.com", ApiHostFault::Scheme),
            ("api-1.duosecurity.com/auth/v2", ApiHostFault::Path),
            ("api-1.duosecurity.com?x", ApiHostFault::Path),
            ("api-1.duosecurity.com:443", ApiHostFault::Port),
            ("[::1]", ApiHostFault::Port),
            ("127.0.0.1", ApiHostFault::NotAName),
            ("api-1.duosecurity.com.", ApiHostFault::NotAName),
            (" api-1.duosecurity.com", ApiHostFault::NotAName),
            ("api_1.duosecurity.com", ApiHostFault::NotAName),
            ("-api.duosecurity.com", ApiHostFault::NotAName),
            ("api..com", ApiHostFault::NotAName),
            ("dü.com", ApiHostFault::NotAName),
            ("api\r\nx: y", ApiHostFault::Port),
            ("user@api.com", ApiHostFault::NotAName),
            (&long_label, ApiHostFault::NotAName),
            (&long_name, ApiHostFault::NotAName),
        ] {
            assert_eq!(text.parse::<ApiHost>(), Err(fault), "{text:?}");
        }
    }

    #[test]
    fn the_secret_key_is_not_in_the_debug_text() {
        let credentials = Credentials {
            api_host: "api-1.duosecurity.com".parse().unwrap(),
            integration_key: "DIWJ8X6AEYOR5OMC6TQ1".to_owned(),
            secret_key: Secret::new("Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep".to_owned()),
            signature: Signature::V5,
        };
        let text = format!("{credentials:?}");
        assert!(text.contains("[redacted]") && !text.contains("Zh5e"), "{text}");
    }
}
