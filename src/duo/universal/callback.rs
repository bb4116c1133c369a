//! The request with which the browser comes back from Duo.

use super::opaque::{Code, State};
use crate::http::Parameters;

/// The values of `error` that are reported by name (RFC 6749, section 4.1.2.1; OpenID Connect
/// Core, section 3.1.2.6).
const KNOWN_ERRORS: [&str; 9] = [
    "access_denied",
    "interaction_required",
    "invalid_request",
    "invalid_scope",
    "login_required",
    "server_error",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_response_type",
];

/// The content of a callback. Both variants hold the `state` that Duo returned. It proves nothing
/// alone, since anyone can write such a URL.
#[derive(Clone, Debug)]
pub enum Callback {
    /// Duo approved an attempt. Only the id_token for the code says which user and which attempt.
    Approved {
        /// The state of the attempt.
        state: State,
        /// The code for the token call.
        code: Code,
    },
    /// The attempt ended without an approval. A code that came along must not be used.
    Ended {
        /// The state of the attempt.
        state: State,
        /// The error, one of the known ones or `other`. Neither its text nor its description is
        /// taken from the URL.
        error: &'static str,
    },
}

/// Why a request is not a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallbackFault {
    /// Another path: 404.
    #[error("the path is not that of the callback")]
    NotFound,
    /// Another method than GET: 405. A HEAD would use up the code.
    #[error("the callback accepts GET only")]
    MethodNotAllowed,
    /// `state`, or `duo_code` without an `error`, is missing, repeated, too long, or has a
    /// character that does not belong there; or the query is longer than 8 KiB: 400.
    #[error("the callback needs exactly one valid state and one valid duo_code")]
    BadRequest,
}

impl Callback {
    /// Reads a request's method and target; `path` is the exact path of the application's
    /// callback.
    ///
    /// The query is form-encoded, names included. All other parameters are ignored: a `code` may
    /// belong to the application, and the return path is in the state.
    ///
    /// # Errors
    ///
    /// [`CallbackFault`], which names the HTTP status.
    pub fn read(method: &[u8], target: &[u8], path: &str) -> Result<Self, CallbackFault> {
        if target.split(|byte| *byte == b'?').next() != Some(path.as_bytes()) {
            return Err(CallbackFault::NotFound);
        }
        if method != b"GET" {
            return Err(CallbackFault::MethodNotAllowed);
        }
        let parameters = Parameters::of(target);
        let value = |name| parameters.value(name).ok_or(CallbackFault::BadRequest);
        let state = value("state")?.parse().map_err(|_| CallbackFault::BadRequest)?;
        if parameters.has("error") {
            let error = parameters.value("error");
            let known = KNOWN_ERRORS.into_iter().find(|known| error.as_deref() == Some(known));
            return Ok(Self::Ended { state, error: known.unwrap_or("other") });
        }
        let code = value("duo_code")?.parse().map_err(|_| CallbackFault::BadRequest)?;
        Ok(Self::Approved { state, code })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PATH: &str = "/.duo-mfa/callback";
    const STATE: &str = "SSSSSSSSSSSSSSSSSSSSSSSS";

    fn read(query: &str) -> Result<Callback, CallbackFault> {
        Callback::read(b"GET", format!("{PATH}?{query}").as_bytes(), PATH)
    }

    #[test]
    fn an_error_is_reported_by_a_known_word_or_as_other() {
        for (query, expected) in [
            ("error=access_denied", "access_denied"),
            ("error=server_error&duo_code=x", "server_error"),
            ("error=", "other"),
            ("error=Access_Denied", "other"),
            ("error=access_denied&error=access_denied", "other"),
            ("%65rror=x&duo_code=x", "other"),
        ] {
            let Ok(Callback::Ended { error, .. }) = read(&format!("state={STATE}&{query}")) else {
                panic!("{query}")
            };
            assert_eq!(error, expected, "{query}");
        }
        assert!(matches!(read("error=access_denied"), Err(CallbackFault::BadRequest)));
    }

    #[test]
    fn neither_state_nor_code_is_in_the_debug_text() {
        let callback = read(&format!("state={STATE}&duo_code=cccc")).unwrap();
        let text = format!("{callback:?}");
        assert!(!text.contains("SSSS") && !text.contains("cccc"), "{text}");
    }

    #[test]
    fn a_query_of_8_kib_is_read_and_a_longer_one_is_not() {
        let query = |length: usize| {
            let query = format!("state={STATE}&duo_code=c&x=");
            format!("{query}{}", "x".repeat(length - query.len()))
        };
        assert!(read(&query(8_192)).is_ok());
        assert!(matches!(read(&query(8_193)), Err(CallbackFault::BadRequest)));
    }

    proptest! {
        #[test]
        fn read_values_keep_their_bounds(query in "(state|error|duo_code|%73tate|[=&;+%a-z0-9-]){0,40}") {
            if let Ok(Callback::Approved { state, code }) = read(&query) {
                prop_assert!(state.as_str().len() >= 16 && !code.as_str().is_empty());
                prop_assert!(!query.contains("error="));
            }
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(
            method in prop_oneof![Just(b"GET".to_vec()), proptest::collection::vec(any::<u8>(), 0..8)],
            query in proptest::collection::vec(any::<u8>(), 0..200),
            after_path in any::<bool>(),
        ) {
            let target = if after_path { [format!("{PATH}?").as_bytes(), &query].concat() } else { query };
            let _ = Callback::read(&method, &target, PATH);
        }
    }
}
