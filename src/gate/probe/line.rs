//! The log lines of the background check. Equal results have equal lines.

use crate::clock::ClockOffset;
use crate::duo::DuoError;
use crate::duo::universal::{Cause, PromptError, Refusal};
use crate::gate::key_pair::Api;
use crate::signal::{Level, Signal};
use std::time::Duration;

/// A clock offset above this is worth a warning.
const MAX_OFFSET: Duration = Duration::from_secs(60);

const AUTH_API_KEYS: &str = "duo.universal has the keys of an application of type Auth API, which \
                             the Auth API accepts: add an application of type Web SDK at Duo, and \
                             copy its client ID and client secret";

const WRONG_SECRET: &str = "the client secret is not that of the client ID, or both are of another \
                            account or of a type other than Web SDK: copy them again from the \
                            application of type Web SDK at Duo";

/// The owner of the keys that a refused check had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// An application of type "Auth API": that API accepts them.
    AuthApi,
    /// Unknown: no API of Duo's accepts them.
    Unknown,
}

pub(super) fn well(api: Api, name: Option<&str>, offset: ClockOffset) -> Signal {
    let (duo, seconds) = (api.name_of_duo(name), offset.seconds());
    if seconds.unsigned_abs() > MAX_OFFSET.as_secs() {
        let text = format!(
            "{duo} answers and accepts the credentials; its clock is {seconds} s ahead of this \
             host's. The filter corrects for that; synchronize this host's clock"
        );
        return Signal::Log(Level::Warn, text);
    }
    Signal::Log(Level::Info, format!("{duo} answers and accepts the credentials"))
}

pub(super) fn failed(api: Api, name: Option<&str>, fault: &DuoError) -> Signal {
    let hint = fault.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    Signal::Log(
        Level::Error,
        format!("the check of {} failed: {fault}{hint}", api.name_of_duo(name)),
    )
}

/// The line for a failed health check of a Web SDK application.
pub(super) fn failed_health_check(
    name: Option<&str>,
    error: &PromptError,
    offset: ClockOffset,
) -> Signal {
    match error {
        PromptError::Call(fault) => failed(Api::WebSdk, name, fault),
        PromptError::Refused(Refusal { cause: Cause::Clock, .. }) => {
            let seconds = offset.seconds();
            let hint = format!(
                "its clock is {seconds} s ahead of this host's: synchronize this host's clock"
            );
            refused(name, error, &hint)
        }
        PromptError::Refused(refusal) => refused(name, error, refusal.cause.hint()),
        PromptError::StartAgain => refused(name, error, Cause::Request.hint()),
    }
}

/// The line for keys that Duo's Universal Prompt refuses.
pub(super) fn refused_keys(name: Option<&str>, refusal: Refusal, owner: Owner) -> Signal {
    let hint = match owner {
        Owner::AuthApi => AUTH_API_KEYS,
        Owner::Unknown => WRONG_SECRET,
    };
    refused(name, &PromptError::Refused(refusal), hint)
}

fn refused(name: Option<&str>, error: &PromptError, hint: &str) -> Signal {
    let duo = Api::WebSdk.name_of_duo(name);
    Signal::Log(Level::Error, format!("the check of {duo} failed: {error}; {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_far_off_is_worth_a_warning() {
        for (seconds, level) in [
            (0, Level::Info),
            (60, Level::Info),
            (-60, Level::Info),
            (61, Level::Warn),
            (-61, Level::Warn),
        ] {
            let Signal::Log(said, text) =
                well(Api::AuthApi, Some("b"), ClockOffset::from_seconds(seconds))
            else {
                panic!("nothing is counted")
            };
            assert_eq!(said, level, "{text}");
            assert!(text.starts_with("Duo (application b) answers"), "{text}");
        }
    }
}
