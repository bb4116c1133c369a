//! A browser of one user: it keeps cookies and marks its requests as browsers do.

use crate::rig::{
    Outcome, Request, Response, Rig, Scripted, get, is_deletion, one_phone, pair, started,
};
use std::collections::BTreeMap;

const CHROME: &str = "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0";
const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

#[derive(Clone)]
pub(crate) struct Browser {
    user: &'static str,
    pub(crate) jar: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn of(user: &'static str) -> Self {
        Self { user, jar: BTreeMap::new() }
    }

    /// Alice's browser after it has started a push.
    pub(crate) fn pushed(rig: &mut Rig) -> Self {
        let mut alice = Self::of("alice");
        let push = alice.posts("/.duo-mfa/auth?factor=push&return_to=%2Freports");
        alice.asks(rig, &push, &[one_phone(), started()]);
        alice
    }

    fn request(&self, path: &str) -> Request {
        let cookies: Vec<&str> = self.jar.values().map(String::as_str).collect();
        let request = get(path).of(self.user).with("user-agent", CHROME);
        if cookies.is_empty() { request } else { request.with("cookie", cookies.join("; ")) }
    }

    /// The user opens a page.
    pub(crate) fn opens(&self, path: &str) -> Request {
        let request = self.request(path).with("accept", HTML).with("sec-fetch-mode", "navigate");
        request.with("sec-fetch-dest", "document").with("sec-fetch-site", "same-origin")
    }

    /// The user submits a form without a script.
    pub(crate) fn submits(&self, path: &str) -> Request {
        posted(self.opens(path)).with("origin", "https://app.example.com")
    }

    /// The page's script sends a GET.
    pub(crate) fn fetches(&self, path: &str) -> Request {
        let request = self.request(path).with("accept", "application/json");
        let request = request.with("sec-fetch-mode", "cors").with("sec-fetch-dest", "empty");
        request.with("sec-fetch-site", "same-origin")
    }

    /// The page's script sends a POST.
    pub(crate) fn posts(&self, path: &str) -> Request {
        posted(self.fetches(path)).with("origin", "https://app.example.com")
    }

    /// Sends a request and returns the response, which has no approval.
    #[track_caller]
    pub(crate) fn asks(
        &mut self,
        rig: &mut Rig,
        request: &Request,
        script: &[Scripted],
    ) -> Response {
        let answer = rig.send(request, script).answered();
        self.keep(&answer);
        answer
    }

    /// Sends a request and asserts that the response has an approval.
    #[track_caller]
    pub(crate) fn is_approved(
        &mut self,
        rig: &mut Rig,
        request: &Request,
        script: &[Scripted],
    ) -> Response {
        let Outcome::Replied(reply) = rig.send(request, script) else {
            panic!("an own endpoint is never forwarded")
        };
        let answer = Response(reply);
        let is_approval = |line: &&String| line.starts_with("__Host-duo_mfa") && !is_deletion(line);
        assert_eq!(answer.cookies().iter().filter(is_approval).count(), 1, "{}", answer.text());
        self.keep(&answer);
        answer
    }

    pub(crate) fn keep(&mut self, answer: &Response) {
        for line in answer.cookies() {
            let (name, _) = line.split_once('=').unwrap();
            if is_deletion(&line) {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), pair(&line).to_owned());
            }
        }
    }

    pub(crate) fn has(&self, cookie: &str) -> bool {
        self.jar.contains_key(cookie)
    }
}

/// The same request by POST.
pub(crate) fn posted(request: Request) -> Request {
    request.without(":method").with(":method", "POST")
}
