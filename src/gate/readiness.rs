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
        let is_ready = !healths.is_empty() && causes.is_empty();
        let (status, word) = if is_ready { (200, "ok") } else { (503, "unavailable") };
        let mut document = ObjectText::new().text("status", word);
        if !is_ready {
            document = document.objects("causes", causes);
        }
        // The status does not depend on it, since the calls of requests decide it.
        let mut open = healths.iter().filter(|(_, health)| health.breaker.is_open()).peekable();
        if open.peek().is_some() {
            document = document.objects("breaker_open", open.map(|(keys, _)| self.named(*keys)));
        }
        reply(status, document)
    }

    /// Why these keys are not ready; `None` if they are.
    fn cause(&self, (keys, health): &(KeyPair, Health)) -> Option<ObjectText> {
        let cause = match health.standing {
            Standing::Well => return None,
            Standing::Unknown => "unchecked",
            Standing::Unavailable => "unavailable",
            Standing::Misconfigured => "misconfigured",
        };
        Some(self.named(*keys).text("cause", cause))
    }

    fn named(&self, keys: KeyPair) -> ObjectText {
        let name = self.config().applications.get(keys.application).name.as_deref();
        ObjectText::new().some_text("application", name).text("keys", keys.api.name())
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
