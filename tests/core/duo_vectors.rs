//! The signer against the vectors that Duo's own Python client made.

use std::collections::BTreeMap;

use duo_mfa::duo::Signature;
use duo_mfa::duo::params::Params;
use duo_mfa::duo::sign::{Message, authorization, canonical};
use duo_mfa::secret::Secret;
use serde::Deserialize;

const VECTORS: &str = include_str!("../data/duo-signature-vectors.json");

#[derive(Deserialize)]
struct VectorFile {
    count: usize,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    sig_version: u8,
    digest: String,
    ikey: String,
    skey: String,
    host: String,
    method: String,
    path: String,
    params: BTreeMap<String, Values>,
    date: String,
    x_duo_headers: BTreeMap<String, String>,
    canonical: String,
    authorization: String,
    wire: Wire,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct Wire {
    body: Option<String>,
}

impl Vector {
    fn signature(&self) -> Signature {
        match (self.sig_version, self.digest.as_str()) {
            (5, "sha512") => Signature::V5,
            (2, "sha512") => Signature::V2Sha512,
            (2, "sha1") => Signature::V2Sha1,
            other => panic!("{}: {other:?}", self.name),
        }
    }

    fn params(&self) -> Params<'_> {
        self.params.iter().fold(Params::new(), |params, (name, values)| match values {
            Values::One(value) => params.with(name, value),
            Values::Many(values) => {
                values.iter().fold(params, |params, value| params.with(name, value))
            }
        })
    }

    fn canonical(&self, date: &str) -> String {
        let headers: Vec<(&str, &str)> = self
            .x_duo_headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        canonical(
            self.signature(),
            &Message {
                date,
                method: &self.method,
                host: &self.host,
                path: &self.path,
                params: &self.params(),
                body: self.wire.body.as_deref().unwrap_or("").as_bytes(),
                x_duo_headers: &headers,
            },
        )
    }

    fn authorization(&self, canonical: &str) -> String {
        let secret_key = Secret::new(self.skey.clone());
        authorization(self.signature(), &self.ikey, &secret_key, canonical)
    }
}

fn vectors() -> Vec<Vector> {
    let file: VectorFile = serde_json::from_str(VECTORS).unwrap();
    assert_eq!((file.count, file.vectors.len()), (121, 121));
    file.vectors
}

#[test]
fn every_vector_has_the_canonical_string_of_duos_client() {
    for vector in vectors() {
        assert_eq!(vector.canonical(&vector.date), vector.canonical, "{}", vector.name);
    }
}

#[test]
fn every_vector_has_the_authorization_of_duos_client() {
    for vector in vectors() {
        let canonical = vector.canonical(&vector.date);
        assert_eq!(vector.authorization(&canonical), vector.authorization, "{}", vector.name);
    }
}

#[test]
fn another_date_has_another_authorization() {
    for vector in vectors() {
        let canonical = vector.canonical("Tue, 21 Aug 2012 17:29:19 -0000");
        assert_ne!(vector.authorization(&canonical), vector.authorization, "{}", vector.name);
    }
}
