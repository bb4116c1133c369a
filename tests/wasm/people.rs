//! The configurations, and the requests of browsers and programs.

use crate::host::{Map, Stream};
use crate::judge::Sent;
use serde_json::{Value, json};

/// The configuration of a listener. Listeners differ in their cookie keys.
pub(crate) fn config(listener: usize) -> Value {
    let key = ["COOKIE_KEY", "OTHER_COOKIE_KEY"][listener];
    json!({
        "version": 1,
        "duo": {
            "api_host": "api-xxxxxxxx.duosecurity.com",
            "integration_key": "DIXXXXXXXXXXXXXXXXXX",
            "secret_key": {"env": "SECRET_KEY"},
            "cluster": "duo_api",
            "enrollment": "inline",
        },
        "identity": {"source": "header", "header": "x-basic-user"},
        "session": {"keys": [{"env": key}], "bind": ["ip_prefix"]},
        "request_bodies": true,
        "filter_state": true,
        "access_control": {"rules": [
            {"paths": ["/public/*"], "policy": "bypass"},
            {"paths": ["/deny/*"], "policy": "deny"},
            {"paths": ["/ops/*"], "networks": ["10.0.0.0/8"], "policy": "bypass"},
            {"paths": ["/api/*"], "policy": "two_factor", "approval": {"per": "client", "for": "5m"}},
            {"paths": ["/wire"], "policy": "two_factor", "approval": "per_request"},
            {"paths": ["/admin"], "policy": "two_factor", "max_age": "5m"},
        ]},
    })
}

const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";
const CHROME: &str = "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0";

/// A request that somebody is about to send.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) user: String,
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    method: &'static str,
    pub(crate) has_body: bool,
    pub(crate) peer: &'static str,
    cookies: Vec<(String, String)>,
}

pub(crate) const PEERS: [&str; 3] = ["192.0.2.7:51000", "198.51.100.9:40000", "10.0.0.5:1234"];

impl Ask {
    fn new(user: &str, path: &str) -> Self {
        let (headers, method, cookies) = (Vec::new(), "GET", Vec::new());
        let (user, path) = (user.to_owned(), path.to_owned());
        Self { user, path, headers, method, has_body: false, peer: PEERS[0], cookies }
    }

    /// A request of a program.
    pub(crate) fn program(user: &str, path: &str) -> Self {
        Self::new(user, path).with("user-agent", "curl/8.5.0").with("accept", "*/*")
    }

    /// The user opens a page.
    pub(crate) fn opens(user: &str, path: &str) -> Self {
        let ask = Self::new(user, path).with("user-agent", CHROME).with("accept", HTML);
        let ask = ask.with("sec-fetch-site", "same-origin").with("sec-fetch-mode", "navigate");
        ask.with("sec-fetch-dest", "document")
    }

    /// The page's script sends a GET.
    pub(crate) fn fetches(user: &str, path: &str) -> Self {
        let ask = Self::new(user, path).with("user-agent", CHROME);
        let ask = ask.with("accept", "application/json").with("sec-fetch-site", "same-origin");
        ask.with("sec-fetch-mode", "cors").with("sec-fetch-dest", "empty")
    }

    /// The page's script sends a POST.
    pub(crate) fn posts(user: &str, path: &str) -> Self {
        let ask = Self::fetches(user, path).with("origin", "https://app.example.com");
        Self { method: "POST", ..ask }
    }

    /// The user submits a form with a body, without a script.
    pub(crate) fn submits(user: &str, path: &str) -> Self {
        let ask = Self::opens(user, path).with("origin", "https://app.example.com");
        let ask = ask.with("content-type", "application/x-www-form-urlencoded");
        Self { method: "POST", has_body: true, ..ask }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn from(self, peer: &'static str) -> Self {
        Self { peer, ..self }
    }

    /// A POST with a body.
    pub(crate) fn with_body(self) -> Self {
        Self { method: "POST", ..self.still_without_its_body() }
    }

    /// The same request, whose body follows.
    pub(crate) fn still_without_its_body(self) -> Self {
        Self { has_body: true, ..self }
    }

    pub(crate) fn cookies<'a>(
        mut self,
        jar: impl Iterator<Item = (&'a String, &'a String)>,
    ) -> Self {
        self.cookies.extend(jar.map(|(name, value)| (name.clone(), value.clone())));
        self
    }

    fn network(&self) -> String {
        self.peer.rsplit_once('.').unwrap().0.to_owned()
    }

    pub(crate) fn sent(&self, listener: usize, is_configured: bool) -> Sent {
        let wanted = self.path.split(['?', '&']).find_map(|part| part.strip_prefix("return_to="));
        let wanted =
            wanted.map(|it| it.replace("%2F", "/").replace("%3F", "?").replace("%3D", "="));
        let mut brought = self.cookies.clone();
        brought.extend(
            self.headers.iter().filter(|(name, _)| name.starts_with("x-duo-mfa-t")).cloned(),
        );
        Sent {
            user: self.user.clone(),
            listener,
            network: self.network(),
            path: self.path.clone(),
            wanted: wanted.unwrap_or_else(|| self.path.clone()),
            brought,
            is_configured,
            reason: None,
        }
    }

    pub(crate) fn stream(&self, root: u32) -> Stream {
        let mut headers: Map = Vec::new();
        let mut add = |name: &str, value: &str| {
            headers.push((name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        };
        add(":method", self.method);
        add(":authority", "app.example.com");
        add(":path", &self.path);
        add(":scheme", "https");
        add("x-request-id", "7f3a19c2-1111-4222-8333-444444444444");
        add("x-basic-user", &self.user);
        add("x-duo-mfa-user", "mallory");
        self.headers.iter().for_each(|(name, value)| add(name, value));
        if !self.cookies.is_empty() {
            let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
            add("cookie", &pairs.collect::<Vec<_>>().join("; "));
        }
        let mut stream = Stream::new(root, headers, self.peer);
        stream.is_whole = !self.has_body;
        stream
    }
}
