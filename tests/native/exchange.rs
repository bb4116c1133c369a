//! Exchanges as tests write them, and what Duo answers.

use crate::host::{Call, Ends, Host, Outcome, POINTERS, Response, Stream};
use serde_json::{Value, json};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

/// The headers of a program that signs in as a new user. The limits of users outlive
/// configurations.
pub(crate) fn program() -> Vec<(&'static str, &'static str)> {
    vec![
        (":method", "GET"),
        (":authority", "app.example.com"),
        (":path", "/reports"),
        (":scheme", "https"),
        ("user-agent", "curl/8.5.0"),
        ("accept", "*/*"),
        ("x-basic-user", user()),
    ]
}

/// A new user.
pub(crate) fn user() -> &'static str {
    static NAMES: LazyLock<Vec<String>> =
        LazyLock::new(|| (0..20_000).map(|number| format!("user-{number}")).collect());
    static USED: AtomicUsize = AtomicUsize::new(0);
    &NAMES[USED.fetch_add(1, Relaxed)]
}

/// A configuration with some members more. Each has another Duo application, since the module remembers for some seconds that
/// calls of one have failed.
pub(crate) fn config(more: &Value) -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Relaxed);
    let mut config = json!({
        "version": 1,
        "duo": {
            "api_host": "api-xxxxxxxx.duosecurity.com",
            "integration_key": format!("DI{number:018}"),
            "secret_key": {"env": "SECRET_KEY"},
            "cluster": "duo_api",
        },
        "identity": {"source": "header", "header": "x-basic-user"},
        "session": {"keys": [{"env": "COOKIE_KEY"}]},
    });
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    config.to_string()
}

/// One test at a time, since all share the module's tables. Asserts at the end that nothing of the
/// host's is left.
pub(crate) struct Turn(#[expect(dead_code, reason = "held")] MutexGuard<'static, ()>);

pub(crate) fn turn() -> Turn {
    static TURN: Mutex<()> = Mutex::new(());
    Turn(TURN.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(POINTERS.count(), 0, "streams, configurations or schedulers are left");
        }
    }
}

/// Duo, where every user approves at once.
pub(crate) fn duo(call: &Call) -> Response {
    let response = match call.path() {
        "/auth/v2/check" | "/auth/v2/ping" => {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            json!({"time": now.as_secs()})
        }
        "/auth/v2/preauth" => json!({"result": "auth", "status_msg": "", "devices": [{
            "device": device(&call.body), "type": "phone", "name": "",
            "number": "XXX-XXX-0100", "display_name": "iOS (XXX-XXX-0100)",
            "capabilities": ["auto", "push", "sms", "phone", "mobile_otp"],
        }]}),
        "/auth/v2/auth" if call.body.windows(8).any(|part| part == b"passcode") => {
            json!({"result": "allow", "status": "allow", "status_msg": ""})
        }
        "/auth/v2/auth" => json!({"txid": "45f7c92b-f45f-4862-8545-e0f58e78075a"}),
        "/auth/v2/auth_status" => json!({"result": "allow", "status": "allow", "status_msg": ""}),
        _ => return Response::Answered(404, String::new()),
    };
    Response::Answered(200, json!({"stat": "OK", "response": response}).to_string())
}

/// The only device of a user.
fn device(asked: &[u8]) -> String {
    let asked: Value = serde_json::from_slice(asked).unwrap();
    format!("DP{:0>18}", asked["username"].as_str().unwrap().replace('-', "").to_uppercase())
}

/// One request and its response. It ends when it is dropped.
pub(crate) struct Exchange {
    stream: Cell<*mut Stream>,
    pub(crate) outcome: Rc<Outcome>,
}

impl Exchange {
    pub(crate) fn begin(host: &Host, headers: &[(&str, &str)]) -> Self {
        let stream = host.try_stream(headers).expect("a filter");
        // SAFETY: it was just made.
        let outcome = unsafe { Rc::clone(&(*stream).outcome) };
        Self { stream: Cell::new(stream), outcome }
    }

    /// Begins, and passes the request's headers.
    pub(crate) fn of(host: &Host, headers: &[(&str, &str)]) -> Self {
        let exchange = Self::begin(host, headers);
        exchange.headers(true);
        exchange
    }

    pub(crate) fn ends(self, ends: Ends) -> Self {
        self.outcome.ends.set(ends);
        self
    }

    pub(crate) fn stream(&self) -> Option<*mut Stream> {
        (!self.outcome.has_ended.get()).then(|| self.stream.get())
    }

    pub(crate) fn headers(&self, is_whole: bool) -> u32 {
        // SAFETY: it has not ended.
        let status = unsafe { Stream::request_headers(self.stream().unwrap(), is_whole) };
        if status == 0 {
            // SAFETY: as above; a request that continues has not ended.
            unsafe { (*self.stream().unwrap()).goes_upstream() };
        }
        status
    }

    pub(crate) fn body(&self, part: &[u8], is_whole: bool) -> u32 {
        // SAFETY: it has not ended.
        unsafe { Stream::request_body(self.stream().unwrap(), part, is_whole) }
    }

    pub(crate) fn trailers(&self, trailers: &[(&str, &str)]) -> u32 {
        // SAFETY: it has not ended.
        unsafe { Stream::request_trailers(self.stream().unwrap(), trailers) }
    }

    pub(crate) fn respond(&self, headers: &[(&str, &str)]) -> u32 {
        // SAFETY: it has not ended.
        unsafe { Stream::respond(self.stream().unwrap(), headers) }
    }

    pub(crate) fn leave(&self) {
        if let Some(stream) = self.stream() {
            // SAFETY: it has not ended.
            unsafe { Stream::end(stream) };
        }
    }

    /// Delivers an event or the end of a call. `false` if there was nothing to do.
    pub(crate) fn step(&self, duo: &dyn Fn(&Call) -> Response) -> bool {
        // SAFETY: it has not ended.
        self.stream().is_some_and(|stream| unsafe { Stream::step(stream, duo) })
    }

    pub(crate) fn is_decided(&self) -> bool {
        self.outcome.upstream.borrow().is_some() || !self.outcome.replies.borrow().is_empty()
    }

    /// Goes on until the request is decided.
    pub(crate) fn decided(self, host: &Host) -> Self {
        run(host, &[&self], &duo, &|| self.is_decided());
        self
    }

    /// The reply's status and code.
    pub(crate) fn refusal(&self) -> (u32, String) {
        let replies = self.outcome.replies.borrow();
        let reply = replies.last().expect("a reply");
        assert!(self.outcome.upstream.borrow().is_none(), "forwarded and refused");
        (reply.status, reply.details.clone())
    }

    /// A header of the request, as the application gets it.
    pub(crate) fn upstream(&self, name: &str) -> Option<String> {
        find(self.outcome.upstream.borrow().as_ref().expect("a forwarded request"), name)
    }

    /// A header of the response, as the client gets it.
    pub(crate) fn response(&self, name: &str) -> Option<String> {
        find(self.outcome.response.borrow().as_ref().expect("a response"), name)
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.leave();
    }
}

fn find(headers: &[(String, String)], name: &str) -> Option<String> {
    headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
}

/// Does all that is to be done, until something holds. The module's clock is the real one.
pub(crate) fn run(
    host: &Host,
    exchanges: &[&Exchange],
    duo: &dyn Fn(&Call) -> Response,
    until: &dyn Fn() -> bool,
) {
    let deadline = Instant::now() + Duration::from_secs(if cfg!(miri) { 600 } else { 20 });
    while !until() {
        assert!(Instant::now() < deadline, "nothing happens");
        let steps = exchanges.iter().filter(|exchange| exchange.step(duo)).count();
        if !host.step(duo) && steps == 0 {
            sleep(Duration::from_millis(5));
        }
    }
}

/// Signs a user in, and returns the user and the approval cookie.
pub(crate) fn signed_in(host: &Host) -> (&'static str, String) {
    let headers = program();
    let exchange = Exchange::of(host, &headers).decided(host);
    exchange.respond(&[(":status", "200"), ("content-type", "text/plain")]);
    let line = exchange.response("set-cookie").expect("an approval cookie");
    (headers.last().unwrap().1, line.split(';').next().unwrap().to_owned())
}

/// The headers of a program with a user's cookies.
pub(crate) fn returning<'a>(user: &'a str, cookies: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut headers: Vec<(&str, &str)> = program();
    headers.pop();
    headers.extend([("x-basic-user", user), ("cookie", cookies)]);
    headers
}
