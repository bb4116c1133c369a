//! `GET readyz`: whether the last background check of each pair of keys succeeded.

use super::configured::Gate;
use super::health::{Health, Standing};
use super::key_pair::KeyPair;
use crate::http::Reply;
use crate::json::ObjectText;

impl Gate {
    /// The reply to `readyz`: 200 if all are well, else 503 with the causes.
    #[must_use]
    pub fn readiness(&self, healths: &[(KeyPair, Health)]) -> Reply {
        let causes: Vec<_> = healths.iter().filter_map(|it| self.cause(it)).collect();
        if !healths.is_empty() && causes.is_empty() {
            return reply(200, ObjectText::new().text("status", "ok"));
        }
        let document = ObjectText::new().text("status", "unavailable");
        reply(503, document.objects("causes", causes))
    }

    /// Why these keys are not ready; `None` if they are.
    fn cause(&self, (keys, health): &(KeyPair, Health)) -> Option<ObjectText> {
        let cause = match health.standing {
            Standing::Well => return None,
            Standing::Unknown => "unchecked",
            Standing::Unavailable => "unavailable",
            Standing::Misconfigured => "misconfigured",
        };
        let name = self.config().applications.get(keys.application).name.as_deref();
        let document = ObjectText::new().some_text("application", name);
        Some(document.text("keys", keys.api.name()).text("cause", cause))
    }
}

/// The reply to `healthz`.
pub(super) fn alive() -> Reply {
    reply(200, ObjectText::new().text("status", "ok"))
}

fn reply(status: u16, document: ObjectText) -> Reply {
    let body = document.finish().into_bytes();
    Reply::new(status, "duo_mfa_health".to_owned(), "application/json", body)
}
