//! `duo-mfa keygen`: a cookie key.

use crate::Outcome;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Print a new cookie key: 32 random bytes in base64
#[derive(clap::Args)]
pub(crate) struct Arguments {}

pub(crate) fn run() -> Outcome {
    let mut key = [0; 32];
    match getrandom::fill(&mut key) {
        Ok(()) => {
            println!("{}", STANDARD.encode(key));
            Outcome::Fine
        }
        Err(error) => {
            eprintln!("duo-mfa: no random bytes: {error}");
            Outcome::Unreadable
        }
    }
}
