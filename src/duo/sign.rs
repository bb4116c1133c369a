//! Signing as pure functions: the text that a signature covers, and the header made from it.
//!
//! Source: Duo, "Auth API", section "Authentication".

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::digest::{Key, Output};
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha512};
use zeroize::Zeroize;

use super::credentials::Signature;
use super::params::Params;
use crate::hex::hex;
use crate::secret::Secret;

/// The parts of a request that a signature covers.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a parameter may be a passcode")]
pub struct Message<'a> {
    /// The text of the date header, verbatim.
    pub date: &'a str,
    /// The HTTP method, in any case.
    pub method: &'a str,
    /// The API host, in any case.
    pub host: &'a str,
    /// The path, without a query.
    pub path: &'a str,
    /// The parameters, wherever the request carries them.
    pub params: &'a Params<'a>,
    /// The bytes of the body. Only version 5 signs them; version 2 signs the parameters.
    pub body: &'a [u8],
    /// All `x-duo-*` headers, name and value. Only version 5 signs them.
    pub x_duo_headers: &'a [(&'a str, &'a str)],
}

/// The canonical string: five lines in version 2, seven in version 5, without a line end.
#[must_use]
pub fn canonical(signature: Signature, message: &Message<'_>) -> String {
    let method = message.method.to_ascii_uppercase();
    let host = message.host.to_ascii_lowercase();
    let (date, path) = (message.date, message.path);
    match signature {
        Signature::V2Sha512 | Signature::V2Sha1 => {
            let params = message.params.canonical();
            [date, &method, &host, path, &params].join("\n")
        }
        Signature::V5 => {
            let in_body = matches!(method.as_str(), "POST" | "PUT" | "PATCH");
            let params = if in_body { String::new() } else { message.params.canonical() };
            let body = hex(&Sha512::digest(message.body));
            let headers = hex(&Sha512::digest(join_headers(message.x_duo_headers)));
            [date, &method, &host, path, &params, &body, &headers].join("\n")
        }
    }
}

/// The value of the `Authorization` header for a canonical string.
#[must_use]
pub fn authorization(
    signature: Signature,
    integration_key: &str,
    secret_key: &Secret<String>,
    canonical: &str,
) -> String {
    let key = secret_key.expose().as_bytes();
    let mac = match signature {
        Signature::V5 | Signature::V2Sha512 => hex(&hmac::<Sha512>(key, canonical.as_bytes())),
        Signature::V2Sha1 => hex(&hmac::<Sha1>(key, canonical.as_bytes())),
    };
    format!("Basic {}", STANDARD.encode(format!("{integration_key}:{mac}")))
}

/// Names in lower case, sorted; all names and values joined by NUL.
fn join_headers(headers: &[(&str, &str)]) -> String {
    let mut sorted: Vec<(String, &str)> = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        let pair = (name.to_ascii_lowercase(), *value);
        let at = sorted.partition_point(|other| *other <= pair);
        sorted.insert(at, pair);
    }
    let parts: Vec<&str> = sorted.iter().flat_map(|(name, value)| [name.as_str(), value]).collect();
    parts.join("\0")
}

/// The HMAC-SHA512 of `message`. The key may have any length.
pub(super) fn hmac_sha512(key: &[u8], message: &[u8]) -> [u8; 64] {
    hmac::<Sha512>(key, message).into()
}

/// The HMAC (RFC 2104) of `message`.
///
/// The key is brought to the length of a block here, as section 2 of the RFC has it, since the
/// library's way for keys of any length responses with a `Result` that never fails.
fn hmac<D: EagerHash + Digest>(key: &[u8], message: &[u8]) -> Output<Hmac<D>> {
    let mut block = Key::<Hmac<D>>::default();
    if key.len() > block.len() {
        fill(&mut block, &D::digest(key));
    } else {
        fill(&mut block, key);
    }
    let mac = Hmac::<D>::new(&block).chain_update(message).finalize();
    block.as_mut_slice().zeroize();
    mac.into_bytes()
}

fn fill(block: &mut [u8], key: &[u8]) {
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_agrees_with_rfc_4231_and_rfc_2202() {
        // RFC 4231 test cases 2 and 6 (a key longer than a block), RFC 2202 test case 6.
        assert_eq!(
            hex(&hmac::<Sha512>(b"Jefe", b"what do ya want for nothing?")),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
             9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
        );
        let message = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(
            hex(&hmac_sha512(&[0xaa; 131], message)),
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352\
             6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"
        );
        let sha1 = hex(&hmac::<Sha1>(&[0xaa; 80], message));
        assert_eq!(sha1, "aa4ae5e15272d00e95705637ce8a3b55ed402112");
    }

    #[test]
    fn headers_are_joined_in_the_order_of_their_lower_case_names() {
        let headers = [("X-Duo-B", "Two"), ("x-duo-a", "One")];
        assert_eq!(join_headers(&headers), "x-duo-a\0One\0x-duo-b\0Two");
        assert_eq!(join_headers(&[]), "");
    }

    #[test]
    fn version_5_keeps_the_parameters_of_a_post_out_of_the_fifth_line() {
        let params = Params::new().with("username", "alice");
        let message = |method| Message {
            date: "Tue, 21 Aug 2012 17:29:18 -0000",
            method,
            host: "API.example",
            path: "/p",
            params: &params,
            body: b"",
            x_duo_headers: &[],
        };
        let line = |method| {
            let text = canonical(Signature::V5, &message(method));
            (text.lines().nth(4).unwrap().to_owned(), text.split('\n').count())
        };
        assert_eq!(line("POST"), (String::new(), 7));
        assert_eq!(line("GET"), ("username=alice".to_owned(), 7));
        let v2 = canonical(Signature::V2Sha1, &message("post"));
        assert_eq!(v2, "Tue, 21 Aug 2012 17:29:18 -0000\nPOST\napi.example\n/p\nusername=alice");
    }
}
