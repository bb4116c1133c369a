//! A browser of one user: it keeps cookies and marks its requests as browsers do.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::Value;

use crate::http1::Connection;
use crate::message::{Reply, Request};
use crate::sim::eventually;
use crate::stack::{APPROVAL, Stack};
use crate::tally::Verdict;

/// The cookie of a pending sign-in.
pub(crate) const PENDING: &str = "__Host-duo_txn";

#[derive(Clone)]
pub(crate) struct Browser {
    user: String,
    /// The values of the cookies, by their names.
    pub(crate) jar: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn of(user: &str) -> Self {
        Self { user: user.to_owned(), jar: BTreeMap::new() }
    }

    pub(crate) fn has(&self, cookie: &str) -> bool {
        self.jar.contains_key(cookie)
    }

    pub(crate) fn with_cookies(&self, request: Request) -> Request {
        let pairs: Vec<String> = self.jar.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let request = request.user(&self.user);
        if pairs.is_empty() { request } else { request.header("cookie", pairs.join("; ")) }
    }

    /// The user opens a page.
    pub(crate) fn open(&mut self, stack: &Stack, target: &str) -> Reply {
        self.ask(stack, Request::get(target).navigation())
    }

    /// The user submits a form without a script.
    pub(crate) fn submit(&mut self, stack: &Stack, target: &str) -> Reply {
        let form = Request::post(target).navigation();
        let form = form.header("origin", "http://app.example.com").header("content-length", "0");
        self.ask(stack, form)
    }

    /// The page's script sends a request to one of the filter's endpoints.
    pub(crate) fn fetch(&mut self, stack: &Stack, method: &str, endpoint: &str) -> Reply {
        self.ask(stack, fetched(method, endpoint))
    }

    /// Like [`Self::fetch`], but sends to another Envoy and judges nothing.
    pub(crate) fn fetch_at(&mut self, to: SocketAddr, method: &str, endpoint: &str) -> Reply {
        let request = self.with_cookies(fetched(method, endpoint));
        let reply = Connection::open(to).exchange(&request).expect("an answer");
        self.keep(&reply);
        reply
    }

    /// Sends a request that the filter answers and that must not reach the application.
    pub(crate) fn ask(&mut self, stack: &Stack, request: Request) -> Reply {
        let occasion = request.summary();
        let request = self.with_cookies(request);
        let reply = stack.judged(Verdict::Denied, &occasion, || stack.send(&request));
        self.keep(&reply);
        reply
    }

    pub(crate) fn keep(&mut self, reply: &Reply) {
        for line in reply.values("set-cookie") {
            let pair = line.split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if line.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Starts a push as the script does, to the first device that preauth names.
    pub(crate) fn push(&mut self, stack: &Stack) -> Value {
        let choices = self.fetch(stack, "POST", "preauth");
        assert_eq!(choices.status, 200, "{choices:?} {}", choices.text());
        assert_eq!(choices.json()["result"], "auth");
        let device = choices.json()["devices"][0]["device"].as_str().unwrap().to_owned();
        let auth = format!("auth?factor=push&device={device}&return_to=%2Freports%3Fyear%3D2026");
        let begun = self.fetch(stack, "POST", &auth);
        assert_eq!(begun.status, 202, "{begun:?} {}", begun.text());
        assert!(self.has(PENDING));
        begun.json()
    }

    /// Polls until the sign-in has ended, and returns the last response.
    pub(crate) fn ended(&mut self, stack: &Stack) -> Value {
        eventually("the end of the sign-in", || {
            let state = self.fetch(stack, "GET", "status").json();
            (state["state"] != "waiting").then_some(state)
        })
    }

    /// Signs in by an approved push.
    pub(crate) fn sign_in(&mut self, stack: &Stack) {
        self.push(stack);
        stack.sim.answer(&self.user, "approve");
        assert_eq!(self.ended(stack)["state"], "approved");
        assert!(self.has(APPROVAL) && !self.has(PENDING));
    }

    pub(crate) fn reaches_the_application(&self, stack: &Stack, target: &str) {
        let (_, seen) = stack.admitted(&self.with_cookies(Request::get(target).navigation()));
        assert_eq!(seen.values("x-duo-mfa-user"), [self.user.as_str()]);
        assert_eq!(seen.values("x-duo-mfa-factor"), ["push"]);
        assert_eq!(seen.values("cookie"), [""; 0], "the filter's cookies stay here");
    }
}

/// A request of the page's script to one of the filter's endpoints.
pub(crate) fn fetched(method: &str, endpoint: &str) -> Request {
    let request = Request::new(method, format!("/.duo-mfa/{endpoint}")).all(&[
        ("accept", "application/json"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/156"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-dest", "empty"),
        ("sec-fetch-site", "same-origin"),
    ]);
    if method == "POST" { request.header("content-length", "0") } else { request }
}
