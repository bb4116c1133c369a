//! The keys of assertions: Ed25519 (RFC 8032), as JSON Web Keys (RFC 8037).

use crate::json::ObjectText;
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// The signature algorithm, in the words of JOSE.
pub(super) const ALGORITHM: &str = "EdDSA";

/// A private key, which is wiped when it is dropped.
pub struct AssertionKey {
    /// In a box, so that a move leaves no copy behind.
    signing: Box<SigningKey>,
    id: String,
}

impl AssertionKey {
    /// The key with this seed: 32 random bytes, which RFC 8032 calls the private key.
    #[must_use]
    pub fn new(seed: &Secret<[u8; 32]>) -> Self {
        let signing = Box::new(SigningKey::from_bytes(seed.expose()));
        let mut key = Self { signing, id: String::new() };
        key.id = URL_SAFE_NO_PAD.encode(Sha256::digest(key.public_members().finish()));
        key
    }

    /// The key's id (`kid`): its thumbprint (RFC 7638).
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The public key as a JSON Web Key.
    pub(super) fn public(&self) -> ObjectText {
        let members = self.public_members();
        members.text("alg", ALGORITHM).text("use", "sig").text("kid", &self.id)
    }

    /// The members of which the thumbprint is made, in their order.
    fn public_members(&self) -> ObjectText {
        let public = URL_SAFE_NO_PAD.encode(self.signing.verifying_key().as_bytes());
        ObjectText::new().text("crv", "Ed25519").text("kty", "OKP").text("x", &public)
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message).to_bytes()
    }
}

/// Shows only what is public.
impl fmt::Debug for AssertionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssertionKey").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn unhex(hex: &str) -> Vec<u8> {
        let pairs = hex.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap());
        pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
    }

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        unhex(hex).try_into().unwrap()
    }

    fn key(seed: &str) -> AssertionKey {
        AssertionKey::new(&Secret::new(bytes(seed)))
    }

    /// RFC 8032, section 7.1: seed, public key, message, signature.
    const VECTORS: [[&str; 4]; 3] = [
        [
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ],
        [
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ],
        [
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ],
    ];

    #[test]
    fn signatures_are_those_of_rfc_8032() {
        for [seed, public, message, signature] in VECTORS {
            let key = key(seed);
            assert_eq!(key.signing.verifying_key().to_bytes(), bytes::<32>(public));
            assert_eq!(key.sign(&unhex(message)), bytes::<64>(signature));
        }
    }

    /// RFC 8037, appendices A.2, A.3 and A.4.
    #[test]
    fn key_thumbprint_and_signature_are_those_of_rfc_8037() {
        let key = key(VECTORS[0][0]);
        assert_eq!(key.id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        let public: Value = serde_json::from_str(&key.public().finish()).unwrap();
        let expected = json!({
            "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            "alg": "EdDSA", "use": "sig", "kid": key.id(),
        });
        assert_eq!(public, expected);
        let signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        assert_eq!(
            URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes())),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
    }

    #[test]
    fn a_private_key_is_in_no_text() {
        let seed = VECTORS[1][0];
        let key = key(seed);
        let text = format!("{key:?} {:#?} {}", key, key.public().finish());
        let [plain, padded] = [seed.to_owned(), format!("{:?}", bytes::<32>(seed))];
        let encoded = URL_SAFE_NO_PAD.encode(bytes::<32>(seed));
        for secret in [plain, padded.trim_matches(['[', ']']).to_owned(), encoded] {
            assert!(!text.contains(&secret), "{text}");
        }
        assert!(text.contains(key.id()));
    }
}
