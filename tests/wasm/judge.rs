//! Judges each request that is forwarded and each approval that is handed out, by what Duo has said and by the cookies that
//! clients got before. It knows the configuration's rules, and nothing of the filter's code.

use crate::duo::{Allowed, Duo};
use crate::host::Map;
use std::collections::BTreeMap;

/// Seconds that an approval is valid, as configured or by default.
const SESSION: u64 = 8 * 60 * 60;
const MAX_AGE: u64 = 300;
const PER_CLIENT: u64 = 300;
/// Grace period in which a sign-in's token gives its approval again.
const GRACE: u64 = 10;
/// The module reads the clock on its ticks.
const TICK: u64 = 1;

/// The rule for a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Public,
    Denied,
    /// Open to one network.
    Operations,
    PerClient,
    PerRequest,
    MaxAge,
    Usual,
    /// An endpoint of the filter.
    Own,
}

impl Kind {
    pub(crate) fn of(path: &str) -> Self {
        let kinds = [
            ("/public/", Self::Public),
            ("/deny/", Self::Denied),
            ("/ops/", Self::Operations),
            ("/api/", Self::PerClient),
            ("/wire", Self::PerRequest),
            ("/admin", Self::MaxAge),
            ("/.duo-mfa", Self::Own),
        ];
        kinds.iter().find(|(start, _)| path.starts_with(start)).map_or(Self::Usual, |it| it.1)
    }
}

/// The reason for an approval.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    user: String,
    listener: usize,
    network: String,
    since: u64,
    /// The only path that it opens; `None` for an approval of a session.
    one: Option<String>,
    is_used: bool,
}

/// A request that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) user: String,
    pub(crate) listener: usize,
    pub(crate) network: String,
    /// The path with its query.
    pub(crate) path: String,
    /// The path that is to be opened: that of an endpoint's `return_to`, or the same.
    pub(crate) wanted: String,
    /// The values of its cookies and tokens, with their names.
    pub(crate) brought: Vec<(String, String)>,
    /// Whether its configuration was accepted.
    pub(crate) is_configured: bool,
    /// Why it was forwarded.
    pub(crate) reason: Option<Grant>,
}

#[derive(Default)]
pub(crate) struct Judge {
    /// The approvals that were handed out, by the cookie's value.
    approvals: BTreeMap<String, Grant>,
    /// The approvals per client: user, listener and network, and their start.
    clients: BTreeMap<(String, usize, String), u64>,
}

fn values<'a>(map: &'a Map, name: &str) -> Vec<&'a [u8]> {
    map.iter().filter(|(it, _)| it == name.as_bytes()).map(|(_, value)| value.as_slice()).collect()
}

impl Judge {
    /// Judges a request that was forwarded. `heard` is what Duo has just said.
    pub(crate) fn forwarded(
        &mut self,
        (sent, stream): (&mut Sent, (usize, u32)),
        upstream: &Map,
        heard: Option<&Allowed>,
        (duo, now): (&mut Duo, u64),
    ) -> Result<(), String> {
        let named = values(upstream, "x-duo-mfa-user");
        if named.iter().any(|name| *name != sent.user.as_bytes()) {
            return Err(format!("another user's name goes to the application: {sent:?}"));
        }
        let cookies = values(upstream, "cookie");
        let is_ours = |cookie: &&[u8]| String::from_utf8_lossy(cookie).contains("__Host-duo_mfa=");
        if cookies.iter().any(is_ours) {
            return Err(format!("an approval goes to the application: {sent:?}"));
        }
        let kind = Kind::of(&sent.path);
        let is_operator = kind == Kind::Operations && sent.network == "10.0.0";
        let is_open = kind == Kind::Public || is_operator;
        if sent.is_configured && is_open {
            return Ok(());
        }
        let is_closed = matches!(kind, Kind::Denied | Kind::Own) || !sent.is_configured;
        if is_closed || named.len() != 1 {
            return Err(format!("closed or nameless: {sent:?}"));
        }
        let heard = heard.filter(|heard| is_its(heard, sent, stream, kind));
        let grant = heard.map(|heard| Self::by_word(sent, heard, (duo, now)));
        let grant = match grant {
            Some(grant) => Some(grant?),
            None => self.by_token(sent, kind, now).or_else(|| self.by_client(sent, kind, now)),
        };
        sent.reason = Some(grant.ok_or_else(|| format!("{sent:?} at {now}"))?);
        Ok(())
    }

    /// Duo has just allowed it.
    fn by_word(sent: &Sent, heard: &Allowed, (duo, now): (&mut Duo, u64)) -> Result<Grant, String> {
        if let Some(prompt) = heard.prompt.map(|number| &mut duo.prompts[number]) {
            prompt.admitted += 1;
            if prompt.admitted > 1 {
                return Err(format!("a second request by one prompt: {sent:?}"));
            }
        }
        Ok(grant(sent, now, None))
    }

    /// Duo has allowed a held request, or a sign-in on a page. The approval of its client is valid even if the request is not
    /// forwarded.
    pub(crate) fn heard(&mut self, heard: &Allowed, now: u64) {
        let origin = &heard.origin;
        if Kind::of(&origin.wanted) == Kind::PerClient {
            let key = (origin.user.clone(), origin.listener, origin.network.clone());
            self.clients.insert(key, now);
        }
    }

    fn by_token(&mut self, sent: &Sent, kind: Kind, now: u64) -> Option<Grant> {
        let is_one = kind == Kind::PerRequest;
        let longest = if kind == Kind::MaxAge { MAX_AGE } else { SESSION };
        let token = sent.brought.iter().find(|(_, value)| {
            self.approvals.get(value).is_some_and(|grant| {
                let is_same = grant.user == sent.user
                    && grant.listener == sent.listener
                    && grant.network == sent.network;
                let opens = match &grant.one {
                    Some(one) => is_one && *one == sent.path && !grant.is_used,
                    None => !is_one && now <= grant.since + longest + TICK,
                };
                is_same && opens
            })
        });
        let grant = self.approvals.get_mut(&token?.1)?;
        grant.is_used = true;
        Some(grant.clone())
    }

    fn by_client(&self, sent: &Sent, kind: Kind, now: u64) -> Option<Grant> {
        let key = (sent.user.clone(), sent.listener, sent.network.clone());
        let since = *self.clients.get(&key).filter(|_| kind == Kind::PerClient)?;
        (now <= since + PER_CLIENT + TICK).then(|| grant(sent, since, None))
    }

    /// Judges the cookies of a response.
    pub(crate) fn responded(
        &mut self,
        sent: &Sent,
        client: &Map,
        heard: Option<&Allowed>,
        (duo, now): (&mut Duo, u64),
    ) -> Result<(), String> {
        for line in values(client, "set-cookie") {
            let line = str::from_utf8(line).unwrap();
            let is_one = line.starts_with("__Host-duo_operation");
            let is_approval = line.starts_with("__Host-duo_mfa=") || is_one;
            if !is_approval || line.contains("Max-Age=0") {
                continue;
            }
            let value = line.split(';').next().unwrap().split_once('=').unwrap().1;
            let grant = match &sent.reason {
                Some(reason) if !is_one => reason.clone(),
                _ => approved(sent, heard, is_one, (duo, now))
                    .ok_or_else(|| format!("approval without a reason: {sent:?} {heard:?}"))?,
            };
            self.approvals.insert(value.to_owned(), grant);
        }
        Ok(())
    }
}

fn grant(sent: &Sent, since: u64, one: Option<String>) -> Grant {
    let (user, network) = (sent.user.clone(), sent.network.clone());
    Grant { user, listener: sent.listener, network, since, one, is_used: false }
}

/// Whether what Duo said is about this held request, or about an equal one whose client has left.
fn is_its(heard: &Allowed, sent: &Sent, stream: (usize, u32), kind: Kind) -> bool {
    let origin = &heard.origin;
    let is_same = origin.user == sent.user
        && origin.listener == sent.listener
        && origin.network == sent.network
        && origin.wanted == sent.wanted
        && origin.is_held;
    let may_be_taken_up = heard.prompt.is_some() && kind != Kind::PerRequest;
    is_same && (origin.stream == stream || may_be_taken_up)
}

/// The reason for an approval that an endpoint gives.
fn approved(
    sent: &Sent,
    heard: Option<&Allowed>,
    is_one: bool,
    (duo, now): (&mut Duo, u64),
) -> Option<Grant> {
    let Allowed { origin, prompt } = heard?;
    let is_same = origin.user == sent.user
        && origin.listener == sent.listener
        && origin.network == sent.network
        && !origin.is_held;
    if !is_same || Kind::of(&sent.path) != Kind::Own {
        return None;
    }
    if let Some(prompt) = prompt.map(|number| &mut duo.prompts[number]) {
        let first = *prompt.redeemed.get_or_insert(now);
        if now > first + GRACE + TICK {
            return None;
        }
    }
    Some(grant(sent, now, is_one.then(|| origin.wanted.clone())))
}
