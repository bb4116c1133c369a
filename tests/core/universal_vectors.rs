//! The Universal Prompt's protocol against the vectors made by running Duo's official clients.
//!
//! `tests/data/duo-universal-vectors.json` gives the expected result of each entry. This test makes the
//! signatures again with `ring`, which shares no code with the filter.

mod answers;
mod id_tokens;
mod signed;

use duo_mfa::duo::universal::{CallbackHost, ConfirmedBy, RedirectUri, WebSdk};
use duo_mfa::secret::Secret;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

const VECTORS: &str = include_str!("../data/duo-universal-vectors.json");

/// The callback of the vectors.
const PATH: &str = "/.duo-mfa/callback";

#[derive(Deserialize)]
pub(crate) struct Vectors {
    pub(crate) api_host: String,
    applications: BTreeMap<String, Application>,
    redirect_uri: String,
    nonce: String,
    counts: BTreeMap<String, usize>,
    pub(crate) now: u64,
    signed: Vec<Value>,
    pub(crate) id_tokens: Vec<IdToken>,
    pub(crate) token_responses: Vec<Response>,
    pub(crate) health_responses: Vec<Response>,
    pub(crate) callbacks: Vec<CallbackRequest>,
    pub(crate) factors: Vec<Named>,
    pub(crate) redirect_uris: Vec<Redirect>,
}

#[derive(Deserialize)]
struct Application {
    client_id: String,
    client_secret: String,
}

#[derive(Deserialize)]
pub(crate) struct IdToken {
    pub(crate) id: String,
    pub(crate) expect: Expect,
    pub(crate) jwt: String,
    verdict: String,
    pub(crate) refused_by: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Expect {
    pub(crate) username: String,
    pub(crate) nonce: String,
    pub(crate) max_age: Option<u64>,
}

#[derive(Deserialize)]
pub(crate) struct Response {
    pub(crate) id: String,
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) meaning: String,
}

#[derive(Deserialize)]
pub(crate) struct CallbackRequest {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) body: Option<String>,
    pub(crate) outcome: String,
    #[serde(default)]
    pub(crate) takes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
pub(crate) struct Named {
    pub(crate) factor: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) name: String,
}

#[derive(Deserialize)]
pub(crate) struct Redirect {
    pub(crate) authority: String,
    pub(crate) redirect_uri: Option<String>,
}

impl Vectors {
    pub(crate) fn read() -> Self {
        serde_json::from_str(VECTORS).unwrap()
    }

    pub(crate) fn web_sdk(&self, application: &str) -> WebSdk {
        let Application { client_id, client_secret } = &self.applications[application];
        let host = self.api_host.parse().unwrap();
        WebSdk::new(host, client_id, Secret::new(client_secret.clone())).unwrap()
    }

    /// Asserts that a part has as many entries as the file says, and as this test knows.
    pub(crate) fn counted(&self, part: &str, found: usize, expected: usize) {
        assert_eq!((found, self.counts[part]), (expected, expected), "{part}");
        crate::say!("universal vectors: {part} {found} of {expected}");
    }
}

/// The hosts of the vectors.
fn hosts() -> Vec<CallbackHost> {
    ["app.example.com", "localhost", "127.0.0.1", "[::1]"].map(|host| host.parse().unwrap()).into()
}

fn redirect_uri(authority: &str) -> Option<RedirectUri> {
    RedirectUri::of(authority.as_bytes(), &hosts(), PATH).ok()
}

#[test]
fn every_redirect_uri_is_as_the_vectors_say() {
    let vectors = Vectors::read();
    for vector in &vectors.redirect_uris {
        let found = redirect_uri(&vector.authority);
        let found = found.as_ref().map(RedirectUri::as_str);
        assert_eq!(found, vector.redirect_uri.as_deref(), "{:?}", vector.authority);
    }
    vectors.counted("redirect_uris", vectors.redirect_uris.len(), 17);
}

#[test]
fn every_factor_has_the_name_of_the_vectors() {
    let vectors = Vectors::read();
    for Named { factor, reason, name } in &vectors.factors {
        let found = ConfirmedBy::of(factor.as_deref(), reason.as_deref());
        assert_eq!(found.name(), name, "{factor:?} {reason:?}");
    }
    vectors.counted("factors", vectors.factors.len(), 34);
}
