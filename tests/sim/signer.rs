//! Signs one call in each of Duo's three forms.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use sha2::{Digest as _, Sha512};

pub(crate) const INTEGRATION_KEY: &str = "DIWJ8X6AEYOR5OMC6TQ1";
pub(crate) const SECRET_KEY: &str = "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep";

const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Form {
    V5,
    V2Sha512,
    V2Sha1,
}

pub(crate) const FORMS: [(Form, &str); 3] =
    [(Form::V5, "v5"), (Form::V2Sha512, "v2-sha512"), (Form::V2Sha1, "v2-sha1")];

/// A call as it goes out.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Signed {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }
}

pub(crate) fn sign(
    form: Form,
    (method, host, path): (&str, &str, &str),
    params: &[(&str, &str)],
    date: &str,
) -> Signed {
    let line = canonical_params(params);
    let is_post = method == "POST";
    let json: serde_json::Map<String, serde_json::Value> =
        params.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
    let body = match (is_post, form) {
        (false, _) => String::new(),
        (true, Form::V5) => serde_json::Value::from(json).to_string(),
        (true, Form::V2Sha512 | Form::V2Sha1) => line.clone(),
    };
    let signed_params = if is_post && form == Form::V5 { "" } else { &line };
    let mut canonical = format!("{date}\n{method}\n{host}\n{path}\n{signed_params}");
    if form == Form::V5 {
        canonical += &format!("\n{}\n{}", sha512(&body), sha512(""));
    }
    let target =
        if is_post || line.is_empty() { path.to_owned() } else { format!("{path}?{line}") };
    let signature = match form {
        Form::V5 | Form::V2Sha512 => hex(&Hmac::<Sha512>::new_from_slice(SECRET_KEY.as_bytes())
            .unwrap()
            .chain_update(canonical)
            .finalize()
            .into_bytes()),
        Form::V2Sha1 => hex(&Hmac::<Sha1>::new_from_slice(SECRET_KEY.as_bytes())
            .unwrap()
            .chain_update(canonical)
            .finalize()
            .into_bytes()),
    };
    let credentials = STANDARD.encode(format!("{INTEGRATION_KEY}:{signature}"));
    let mut headers = vec![
        ("host".to_owned(), host.to_owned()),
        ("date".to_owned(), date.to_owned()),
        ("authorization".to_owned(), format!("Basic {credentials}")),
    ];
    if is_post {
        let content_type = match form {
            Form::V5 => "application/json",
            Form::V2Sha512 | Form::V2Sha1 => "application/x-www-form-urlencoded",
        };
        headers.push(("content-type".to_owned(), content_type.to_owned()));
    }
    Signed { method: method.to_owned(), target, headers, body }
}

fn canonical_params(params: &[(&str, &str)]) -> String {
    let escape = |text: &str| utf8_percent_encode(text, ESCAPED).to_string();
    let mut pairs: Vec<_> =
        params.iter().map(|(key, value)| (escape(key), escape(value))).collect();
    pairs.sort();
    pairs.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&")
}

fn sha512(text: &str) -> String {
    hex(&Sha512::digest(text))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
