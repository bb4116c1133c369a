//! The whole gate: requests of any form, and any answers of Duo to the calls that they lead to.
//!
//! Nobody is admitted, and nobody gets an approval, unless Duo has allowed it before in the same input, or the
//! path has a rule with `bypass`. The blocks of an input are separated by an empty line. One that begins with
//! a digit is an answer of Duo; any other is a request: headers, then perhaps a body after a line `>`.

use crate::accounts::two_more;
use crate::rig::{NOON, Outcome, Progress, Request, Rig, Scripted, get, wrongly_admitted};
use duo_mfa::clock::ClockOffset;
use duo_mfa::gate::{Forward, Health, Logo, NewCookie, Room, Unanswered};
use duo_mfa::http::Reply;
use duo_mfa::http::path::CanonicalPath;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::time::Duration;

/// Calls of one request. Each waits for at most a minute.
const MOST_CALLS: usize = 40;
/// A push that nobody answers is asked about this often at most before it is over.
const MOST_REQUESTS: usize = 6;

thread_local! {
    static RIGS: RefCell<Vec<Rig>> = RefCell::new(rigs());
}

fn rigs() -> Vec<Rig> {
    let mut several = two_more();
    several["session"] = json!({"bind": ["ip_prefix"]});
    let universal = json!({"duo": {"prompt": "universal", "universal": {
        "client_id": "DIUNIVERSALTEST00001",
        "client_secret": {"env": "DUO_CLIENT_SECRET"},
        "hosts": ["app.example.com"],
    }}});
    let per_request = json!({
        "request_bodies": true,
        "access_control": {"rules": [
            {"paths": ["/wire", "/wire/*"], "policy": "two_factor", "approval": "per_request"},
            {"paths": ["/healthz"], "policy": "bypass"},
        ]},
    });
    vec![Rig::new(), Rig::with(several), Rig::with(universal), Rig::with(per_request)]
}

pub(crate) fn target(bytes: &[u8]) {
    let Some((&choice, rest)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    RIGS.with_borrow_mut(|rigs| {
        let number = usize::from(choice) % rigs.len();
        let rig = &mut rigs[number];
        reset(rig);
        let mut run =
            Run { rig, blocks: text.split("\n\n").collect(), allowed: false, jar: String::new() };
        run.blocks.reverse();
        for _ in 0..MOST_REQUESTS {
            let Some(block) = run.blocks.pop() else { break };
            if !is_answer(block) {
                run.request(block);
            }
        }
    });
}

fn reset(rig: &mut Rig) {
    (rig.now, rig.health, rig.logo, rig.room) =
        (NOON, Health::default(), Logo::default(), Room::default());
    rig.offsets = vec![ClockOffset::default(); 3];
    rig.table.clear();
    rig.calls.clear();
    rig.signals.clear();
    rig.times.clear();
    rig.undone.clear();
    rig.judgements.clear();
}

fn is_answer(block: &str) -> bool {
    block.starts_with(|c: char| c.is_ascii_digit())
}

struct Run<'r, 't> {
    rig: &'r mut Rig,
    /// The blocks that are left, the next one last.
    blocks: Vec<&'t str>,
    /// Duo has allowed something.
    allowed: bool,
    /// The cookies of the last replies, for a header `jar`.
    jar: String,
}

impl Run<'_, '_> {
    fn request(&mut self, block: &str) {
        let (request, path) = self.request_of(block);
        let mut progress = self.rig.start(&request);
        for _ in 0..MOST_CALLS {
            match progress {
                Progress::Done(outcome) => return self.judge(outcome, &path),
                Progress::Pauses(..) => panic!("this rig does not pause"),
                Progress::Waits(_, flow) => {
                    let answer = self.answer();
                    progress = self.rig.resume(*flow, &answer);
                }
            }
        }
        panic!("a request without an end");
    }

    /// Alice's request for `/`, unless the block has other headers. The first of a name replaces Alice's.
    fn request_of(&self, block: &str) -> (Request, String) {
        let (head, body) =
            block.split_once("\n>\n").map_or((block, None), |(head, it)| (head, Some(it)));
        let (mut request, mut path) = (get("/"), "/".to_owned());
        let mut replaced = Vec::new();
        for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
            let value = if name == "jar" { &self.jar } else { value };
            let name = if name == "jar" { "cookie" } else { name };
            if !replaced.contains(&name) {
                replaced.push(name);
                request = request.without(name);
            }
            request = request.with(name, value);
            if name == ":path" {
                path = value.to_owned();
            }
        }
        (if let Some(body) = body { request.followed_by(body) } else { request }, path)
    }

    /// The next block, if it is an answer. Without one the call times out.
    fn answer(&mut self) -> Scripted {
        let Some(block) = self.blocks.pop_if(|block| is_answer(block)) else {
            self.rig.now = self.rig.now.plus(Duration::from_secs(60));
            return Scripted::Fails(Unanswered::Cut);
        };
        let (status, body) = block.split_once('\n').unwrap_or((block, ""));
        let status = status.parse().unwrap_or(503);
        let envelope: Value = serde_json::from_str(body).unwrap_or_default();
        let says_allow =
            status == 200 && envelope["stat"] == "OK" && envelope["response"]["result"] == "allow";
        self.allowed |= says_allow;
        let (body, after) = (body.to_owned(), Duration::from_millis(500));
        Scripted::Says { status, retry_after: None, body, after }
    }

    fn judge(&mut self, outcome: Outcome, path: &str) {
        match outcome {
            Outcome::Forwarded(forward) => {
                if !self.allowed && !is_bypassed(path) {
                    wrongly_admitted(&format!("{path:?} {forward:?}"));
                }
                self.keep_forwarded(&forward);
            }
            Outcome::Replied(reply) => self.keep(&reply),
        }
    }

    fn keep_forwarded(&mut self, forward: &Forward) {
        if let Some(NewCookie::Approval(line)) = &forward.cookie {
            assert!(self.allowed);
            self.jar = pair(line.as_bytes());
        }
    }

    fn keep(&mut self, reply: &Reply) {
        assert!((200..600).contains(&reply.status), "{}", reply.status);
        for (_, line) in reply.headers.iter().filter(|(name, _)| *name == "set-cookie") {
            let pair = pair(line.as_bytes());
            let (name, value) = pair.split_once('=').unwrap();
            let is_approval = name.starts_with("__Host-duo_mfa") || name == "__Host-duo_operation";
            if is_approval && !value.is_empty() && !self.allowed {
                wrongly_admitted(&pair);
            }
            if !value.is_empty() {
                self.jar = if self.jar.is_empty() { pair } else { format!("{}; {pair}", self.jar) };
            }
        }
        let kind = reply.headers.iter().find(|(name, _)| *name == "content-type");
        if kind.is_some_and(|(_, kind)| kind.as_bytes().ends_with(b"json")) {
            let _: Value = serde_json::from_slice(&reply.body).unwrap();
        }
    }
}

fn pair(line: &[u8]) -> String {
    str::from_utf8(line).unwrap().split(';').next().unwrap().to_owned()
}

fn is_bypassed(target: &str) -> bool {
    let path = target.split('?').next().unwrap().as_bytes();
    CanonicalPath::of(path).is_ok_and(|path| path.decoded() == b"/healthz")
}
