//! The signer against the vectors that Duo's own Python client made.

use std::collections::BTreeMap;
use std::time::Duration;

use duo_mfa::clock::UnixTime;
use duo_mfa::duo::params::Params;
use duo_mfa::duo::sign::{Message, authorization, canonical};
use duo_mfa::duo::{
    Auth, AuthFactor, Credentials, Enroll, EnrollStatus, Preauth, Request, Signature,
};
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
    uri: String,
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

/// The typed request with the parameters of a vector.
fn typed(case: &str) -> Option<Request> {
    Some(match case {
        "check_no_params" => Request::Check,
        "logo_no_params" => Request::Logo,
        "preauth_verified_push_trusted" => Request::Preauth(Preauth {
            username: "narroway".to_owned(),
            ipaddr: None,
            trusted_device_token: Some(Secret::new("REkxMjM0fDE3MzI=+/==".to_owned())),
        }),
        "auth_phone" => Request::Auth(Auth {
            username: "narroway".to_owned(),
            factor: AuthFactor::Phone { device: "DPFZRS9FB0D46QFTM899".parse().unwrap() },
            ipaddr: None,
        }),
        "auth_status" => {
            Request::AuthStatus { txid: "45f7c92b-f45f-4862-8545-e0f58e78075a".parse().unwrap() }
        }
        "enroll_no_params" => Request::Enroll(Enroll::default()),
        "enroll_basic" => Request::Enroll(Enroll {
            username: Some("narroway".to_owned()),
            valid_for: Some(Duration::from_secs(86_400)),
        }),
        "enroll_status" => Request::EnrollStatus(EnrollStatus {
            user_id: "DUYHV6TJBC3O4RITS1WC".parse().unwrap(),
            activation_code: Secret::new(
                "duo://LnMBCm0Ns3cnKJqIdxZN-YXBpLWFiY2QxMjM0LmR1b3NlY3VyaXR5LmNvbQ".to_owned(),
            ),
        }),
        _ => return None,
    })
}

#[test]
fn typed_requests_are_signed_and_sent_as_duos_client_does() {
    let mut compared = 0;
    for vector in vectors() {
        let case = vector.name.split('/').next().unwrap();
        let Some(request) = typed(case) else { continue };
        let credentials = Credentials {
            api_host: vector.host.parse().unwrap(),
            integration_key: vector.ikey.clone(),
            secret_key: Secret::new(vector.skey.clone()),
            signature: vector.signature(),
        };
        // Tue, 21 Aug 2012 17:29:18 UTC, the date of these vectors.
        let call = request.sign(&credentials, UnixTime::from_seconds(1_345_570_158));
        let sent = |name| {
            let (_, value) = call.headers.iter().find(|(header, _)| *header == name).unwrap();
            std::str::from_utf8(value.as_bytes()).unwrap()
        };
        assert_eq!(sent("date"), vector.date, "{}", vector.name);
        assert_eq!(sent("authorization"), vector.authorization, "{}", vector.name);
        assert_eq!(call.path, vector.wire.uri.trim_end_matches('?'), "{}", vector.name);
        if vector.sig_version == 5 {
            let body = vector.wire.body.as_deref().unwrap_or("");
            assert_eq!(call.body, body.as_bytes(), "{}", vector.name);
        }
        compared += 1;
    }
    assert_eq!(compared, 8 * 3);
}
