//! Duo's id_token: claims with a right signature, and any text.

use super::parts::Lines;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use duo_mfa::clock::UnixTime;
use duo_mfa::duo::universal::{Expected, Nonce, WebSdk};
use duo_mfa::secret::Secret;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha512;
use std::sync::LazyLock;
use std::time::Duration;

const CLIENT: &str = "DIUNIVERSALTEST00001";
const SECRET: &str = "UniversalTestSecretUniversalTestSecret40";
const NONCE: &str = "bm9uY2Utb2YtdGhpcy1hdHRlbXB0LTAwMDAwMDAwMDE";
const NOW: u64 = 1_800_000_000;

static WEB_SDK: LazyLock<(WebSdk, Nonce)> = LazyLock::new(|| {
    let host = "api-sim.duo.test".parse().unwrap();
    let web_sdk = WebSdk::new(host, CLIENT, Secret::new(SECRET.to_owned())).unwrap();
    (web_sdk, NONCE.parse().unwrap())
});

pub(crate) fn target(bytes: &[u8]) {
    if let Ok(text) = str::from_utf8(bytes) {
        assert!(!is_approved(text));
    }
    let mut lines = Lines::of(bytes);
    let (header, payload) = (lines.next(), lines.rest());
    if is_approved(&signed(header, payload)) {
        let header: Value = serde_json::from_slice(header).unwrap();
        let claims: Value = serde_json::from_slice(payload).unwrap();
        assert_eq!(header["alg"], "HS512");
        let has = |name: &str, value: &str| claims[name] == value;
        assert!(has("iss", "https://api-sim.duo.test/oauth/v1/token") && has("nonce", NONCE));
        assert!(has("aud", CLIENT) || claims["aud"] == json!([CLIENT]));
        assert!(claims["preferred_username"].as_str().unwrap().eq_ignore_ascii_case("alice"));
        let result = &claims["auth_result"];
        assert!(result["result"] == "allow" && result["status"] == "allow");
        let time = |name: &str| claims[name].as_f64().unwrap() - Value::from(NOW).as_f64().unwrap();
        assert!(
            time("exp") > -60.001 && time("iat") <= 60.001 && time("auth_time").abs() <= 60.001
        );
        assert!(claims.get("nbf").is_none() || time("nbf") <= 60.001);
    }
}

fn is_approved(id_token: &str) -> bool {
    let (web_sdk, nonce) = &*WEB_SDK;
    let max_age = Some(Duration::ZERO);
    let expected = Expected { username: "alice", nonce, max_age };
    web_sdk.verify(id_token, &expected, UnixTime::from_seconds(NOW)).is_ok()
}

fn signed(header: &[u8], payload: &[u8]) -> String {
    let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part));
    let text = format!("{header}.{payload}");
    let mac = Hmac::<Sha512>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(&text);
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}
