//! The credentials of a "Web SDK" application.

use crate::duo::{ApiHost, Credentials, Signature};
use crate::secret::Secret;

const CLIENT_ID_CHARACTERS: usize = 20;
const CLIENT_SECRET_CHARACTERS: usize = 40;

/// One application of type "Web SDK", as Duo's admin panel shows it.
///
/// The keys of an "Auth API" application have the same form, and Duo refuses them here.
#[derive(Clone, Debug)]
pub struct WebSdk {
    api_host: ApiHost,
    client_id: String,
    client_secret: Secret<String>,
}

/// Why credentials cannot be those of a Web SDK application. Never holds a part of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebSdkFault {
    /// The client ID has another length.
    #[error("the client ID has {characters} characters instead of {CLIENT_ID_CHARACTERS}")]
    ClientIdLength {
        /// The number of its characters.
        characters: usize,
    },
    /// The client ID has a character other than an ASCII letter or digit.
    #[error("the client ID has a character that is not an ASCII letter or digit")]
    ClientIdCharacter,
    /// The client secret has another length.
    #[error("the client secret has {characters} characters instead of {CLIENT_SECRET_CHARACTERS}")]
    ClientSecretLength {
        /// The number of its characters.
        characters: usize,
    },
    /// The client secret has a space, a quote, a control character, or one that is not ASCII.
    #[error("the client secret has a space, a quote, a line break or a character beyond ASCII")]
    ClientSecretCharacter,
}

impl WebSdk {
    /// Checks the form of the credentials. The bytes of the secret are the HMAC key as they are.
    ///
    /// # Errors
    ///
    /// [`WebSdkFault`] if a length differs from Duo's, or a character is one that Duo does not use.
    pub fn new(
        api_host: ApiHost,
        client_id: &str,
        client_secret: Secret<String>,
    ) -> Result<Self, WebSdkFault> {
        let characters = client_id.chars().count();
        if characters != CLIENT_ID_CHARACTERS {
            return Err(WebSdkFault::ClientIdLength { characters });
        }
        if !client_id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(WebSdkFault::ClientIdCharacter);
        }
        let characters = client_secret.expose().chars().count();
        if characters != CLIENT_SECRET_CHARACTERS {
            return Err(WebSdkFault::ClientSecretLength { characters });
        }
        let is_key_byte = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'');
        if !client_secret.expose().bytes().all(is_key_byte) {
            return Err(WebSdkFault::ClientSecretCharacter);
        }
        Ok(Self { api_host, client_id: client_id.to_owned(), client_secret })
    }

    /// The API host. The browser is redirected to it too.
    #[must_use]
    pub const fn api_host(&self) -> &ApiHost {
        &self.api_host
    }

    /// The client ID (also "ikey").
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The client secret (also "skey").
    #[must_use]
    pub const fn client_secret(&self) -> &Secret<String> {
        &self.client_secret
    }

    /// The same keys as those of an application of type "Auth API". Duo accepts them only if they are
    /// the keys of such an application.
    #[must_use]
    pub fn as_auth_api(&self) -> Credentials {
        Credentials {
            api_host: self.api_host.clone(),
            integration_key: self.client_id.clone(),
            secret_key: self.client_secret.clone(),
            signature: Signature::default(),
        }
    }

    /// `https://{api_host}{path}`.
    pub(super) fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.api_host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "DIUNIVERSALTEST00001";
    const SECRET: &str = "UniversalTestSecretUniversalTestSecret40";

    fn fault(client_id: &str, client_secret: &str) -> Option<WebSdkFault> {
        let host = "api-sim.duo.test".parse().unwrap();
        WebSdk::new(host, client_id, Secret::new(client_secret.to_owned())).err()
    }

    #[test]
    fn credentials_have_duos_lengths_and_characters() {
        use WebSdkFault::{
            ClientIdCharacter, ClientIdLength, ClientSecretCharacter, ClientSecretLength,
        };
        assert_eq!(fault(ID, SECRET), None);
        for (id, secret, expected) in [
            ("", SECRET, ClientIdLength { characters: 0 }),
            ("DIUNIVERSALTEST0001", SECRET, ClientIdLength { characters: 19 }),
            (SECRET, ID, ClientIdLength { characters: 40 }),
            ("DIUNIVERSALTEST0000\n", SECRET, ClientIdCharacter),
            ("DIUNIVERSALTEST&x=01", SECRET, ClientIdCharacter),
            ("DIUNIVERSALTEST0000é", SECRET, ClientIdCharacter),
            (ID, "", ClientSecretLength { characters: 0 }),
            (ID, ID, ClientSecretLength { characters: 20 }),
            (ID, &format!("{SECRET}\n"), ClientSecretLength { characters: 41 }),
            (ID, &SECRET.replace('4', " "), ClientSecretCharacter),
            (ID, &SECRET.replace('4', "\""), ClientSecretCharacter),
            (ID, &SECRET.replace('4', "é"), ClientSecretCharacter),
        ] {
            assert_eq!(fault(id, secret), Some(expected), "{id:?} {secret:?}");
        }
    }

    #[test]
    fn the_client_secret_is_not_in_the_debug_text() {
        let host = "api-sim.duo.test".parse().unwrap();
        let web_sdk = WebSdk::new(host, ID, Secret::new(SECRET.to_owned())).unwrap();
        let text = format!("{web_sdk:?}");
        assert!(text.contains("[redacted]") && !text.contains("UniversalTest"), "{text}");
    }
}
