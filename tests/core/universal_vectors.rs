//! The Universal Prompt's protocol against the vectors made by running Duo's official clients.
//!
//! `tests/data/duo-universal-vectors.json` says of each entry what the filter has to make of it.
//! Signatures are made again here by `ring`, which shares no code with the filter.

pub(crate) mod signed;

use duo_mfa::duo::universal::{CallbackHost, RedirectUri, WebSdk};
use duo_mfa::secret::Secret;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

const VECTORS: &str = include_str!("../data/duo-universal-vectors.json");

/// The callback of the vectors.
const PATH: &str = "/.duo-mfa/callback";

#[derive(Deserialize)]
struct Vectors {
    api_host: String,
    applications: BTreeMap<String, Application>,
    redirect_uri: String,
    nonce: String,
    counts: BTreeMap<String, usize>,
    signed: Vec<Value>,
    redirect_uris: Vec<Redirect>,
}

#[derive(Deserialize)]
struct Application {
    client_id: String,
    client_secret: String,
}

#[derive(Deserialize)]
struct Redirect {
    authority: String,
    redirect_uri: Option<String>,
}

impl Vectors {
    fn read() -> Self {
        serde_json::from_str(VECTORS).unwrap()
    }

    fn web_sdk(&self, application: &str) -> WebSdk {
        let Application { client_id, client_secret } = &self.applications[application];
        let host = self.api_host.parse().unwrap();
        WebSdk::new(host, client_id, Secret::new(client_secret.clone())).unwrap()
    }

    /// Asserts that a part has as many entries as the file says, and as this test knows.
    fn counted(&self, part: &str, found: usize, expected: usize) {
        assert_eq!((found, self.counts[part]), (expected, expected), "{part}");
        println!("universal vectors: {part} {found} of {expected}");
    }
}

/// Hosts as the vectors have them.
fn hosts() -> Vec<CallbackHost> {
    ["app.example.com", "localhost", "127.0.0.1", "[::1]"].map(|host| host.parse().unwrap()).into()
}

fn redirect_uri(authority: &str) -> Option<RedirectUri> {
    RedirectUri::of(authority.as_bytes(), &hosts(), PATH).ok()
}

fn every_redirect_uri_is_as_the_vectors_say() {
    let vectors = Vectors::read();
    for vector in &vectors.redirect_uris {
        let found = redirect_uri(&vector.authority);
        let found = found.as_ref().map(RedirectUri::as_str);
        assert_eq!(found, vector.redirect_uri.as_deref(), "{:?}", vector.authority);
    }
    vectors.counted("redirect_uris", vectors.redirect_uris.len(), 17);
}

crate::suite![every_redirect_uri_is_as_the_vectors_say];
