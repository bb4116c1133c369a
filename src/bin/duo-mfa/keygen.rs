//! `duo-mfa keygen`: a cookie key.

use crate::Outcome;
use crate::output::{complain, say};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Print a new cookie key: 32 random bytes in base64
#[derive(clap::Args)]
pub(crate) struct Arguments {}

/// A new cookie key.
///
/// # Errors
///
/// The host has no random bytes.
pub(crate) fn key() -> Result<String, getrandom::Error> {
    let mut key = [0; 32];
    getrandom::fill(&mut key)?;
    Ok(STANDARD.encode(key))
}

pub(crate) fn run() -> Outcome {
    match key() {
        Ok(key) => {
            say!("{key}");
            Outcome::Fine
        }
        Err(error) => {
            complain!("duo-mfa: no random bytes: {error}");
            Outcome::Unreadable
        }
    }
}
