//! The rule that decides about a request.

use super::{Request, Rig};
use duo_mfa::http::RequestHead;
use duo_mfa::identity::Attributes;
use duo_mfa::policy::{Decision, Person};

impl Rig {
    /// The number of the rule that decides about a request; `None` if no rule does.
    pub(crate) fn rule(&self, request: &Request) -> Option<usize> {
        let buffer = request.serialized();
        let head = RequestHead::read(&buffer).unwrap();
        let config = self.gate.config();
        let view = config.policies.view(&head, self.address()).ok()?;
        let decision = match config.policies.decide(&view, None) {
            Decision::WhoAsks => {
                let user = config.identity.resolve(&head, Attributes::default()).ok()?.user;
                let groups = config.identity.groups(&head, Attributes::default()).ok()?;
                config.policies.decide(&view, Some(&Person { user: &user, groups: &groups }))
            }
            decided @ Decision::Ruled(..) => decided,
        };
        match decision {
            Decision::Ruled(ruled) => ruled.rule,
            Decision::WhoAsks => panic!("nobody is nobody"),
        }
    }
}
