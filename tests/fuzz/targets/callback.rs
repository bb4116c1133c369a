//! The request with which a browser comes back from Duo's page.

use super::parts::Lines;
use duo_mfa::duo::universal::{Callback, CallbackFault};

const PATH: &str = "/.duo-mfa/callback";

pub(crate) fn target(bytes: &[u8]) {
    let mut lines = Lines::of(bytes);
    let (method, target) = (lines.next(), lines.rest());
    let (path, query) = match target.iter().position(|byte| *byte == b'?') {
        Some(at) => (&target[..at], &target[at + 1..]),
        None => (target, &[][..]),
    };
    let sent: Vec<_> = form_urlencoded::parse(query).collect();
    let one = |name: &str| {
        let mut values = sent.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_ref());
        values.next().filter(|_| values.next().is_none())
    };
    match Callback::read(method, target, PATH) {
        Ok(Callback::Approved { state, code }) => {
            assert_eq!(one("state"), Some(state.as_str()));
            assert_eq!(one("duo_code"), Some(code.as_str()));
            assert!(!sent.iter().any(|(name, _)| name == "error"));
        }
        Ok(Callback::Ended { state, error }) => {
            assert_eq!(one("state"), Some(state.as_str()));
            assert!(error == "other" || one("error") == Some(error));
        }
        Err(CallbackFault::NotFound) => assert_ne!(path, PATH.as_bytes()),
        Err(CallbackFault::MethodNotAllowed) => assert_ne!(method, b"GET"),
        Err(CallbackFault::BadRequest) => {}
    }
}
