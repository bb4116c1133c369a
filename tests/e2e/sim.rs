//! The simulator of Duo: its process, and a typed client of its control interface.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http1::Connection;
use crate::message::{Body, Request};
use crate::setup::{API_HOST, DuoEnd, INTEGRATION_KEY, SECRET_KEY, guest};

/// The longest wait for a call or a push to reach the simulator.
const PATIENCE: Duration = Duration::from_secs(20);

/// The second Web SDK application, as `ID=SECRET`.
const FURTHER_CLIENT: &str = "DISECONDWEBSDK000001=SecondWebSdkSecretSecondWebSdkSecret0001";

pub(crate) struct Sim {
    process: Child,
    /// The simulator ends when its standard input closes.
    _life: ChildStdin,
    /// The address of the control interface and the phone page.
    pub(crate) control: SocketAddr,
    /// The API without TLS.
    pub(crate) api: SocketAddr,
    pub(crate) end: DuoEnd,
}

impl Sim {
    /// Starts a simulator that keeps its certificate authority in `directory`.
    pub(crate) fn start(directory: &Path) -> Self {
        Self::of(directory, API_HOST, INTEGRATION_KEY, SECRET_KEY)
    }

    /// Like [`Self::start`], for another account at Duo.
    pub(crate) fn of(
        directory: &Path,
        api_host: &str,
        integration_key: &str,
        secret_key: &str,
    ) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_duo-sim"))
            .arg("--exit-with-stdin")
            .arg("--state-dir")
            .arg(directory.join("duo-sim"))
            .args(["--api-host", api_host])
            .args(["--integration-key", integration_key, "--secret-key", secret_key])
            .args(["--further-client", FURTHER_CLIENT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("duo-sim runs");
        let life = process.stdin.take().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        // Further output must not fill the pipe.
        thread::spawn(move || output.read_to_end(&mut Vec::new()));
        let start: Value = serde_json::from_str(&line).expect("duo-sim tells where it is");
        let end = DuoEnd {
            address: socket(&start["https"]),
            authority: start["ca"].as_str().unwrap().into(),
        };
        let (control, api) = (socket(&start["control"]), socket(&start["http"]));
        Self { process, _life: life, control, api, end }
    }

    /// The origin of Duo's page for a browser.
    pub(crate) fn browser_origin(&self) -> String {
        format!("http://localhost:{}", self.api.port())
    }

    /// The number of calls of this endpoint: `preauth`, `auth`, `auth_status`, ...
    pub(crate) fn calls(&self, endpoint: &str) -> usize {
        self.journal().iter().filter(|entry| entry["endpoint"] == endpoint).count()
    }

    /// The only call of this name.
    pub(crate) fn only_call(&self, endpoint: &str) -> Value {
        let mut calls = self.journal();
        calls.retain(|entry| entry["endpoint"] == endpoint);
        assert_eq!(calls.len(), 1, "{calls:?}");
        calls.remove(0)
    }

    /// The number of calls for users, without the module's background checks.
    pub(crate) fn user_calls(&self) -> usize {
        let journal = self.journal();
        let is_check =
            |entry: &&Value| matches!(entry["endpoint"].as_str(), Some("ping" | "check"));
        journal.iter().filter(|entry| !is_check(entry)).count()
    }

    pub(crate) fn journal(&self) -> Vec<Value> {
        self.get("/sim/requests").as_array().expect("the journal is a list").clone()
    }

    /// The first code of the last text message.
    pub(crate) fn texted_code(&self) -> String {
        let messages = self.get("/sim/messages");
        let last = messages.as_array().and_then(|messages| messages.last()).expect("a message");
        last["codes"][0].as_str().expect("a code").to_owned()
    }

    /// The number of started pushes, with any result.
    pub(crate) fn pushes(&self) -> usize {
        let pushes = &self.get("/sim/counters")["deliveries"]["pushes"];
        pushes.as_u64().expect("a count").try_into().unwrap()
    }

    /// Waits for a push or phone call to `user` and returns its transaction.
    pub(crate) fn pending(&self, user: &str) -> Value {
        eventually(&format!("a push to {user}"), || {
            let pending = self.get(&format!("/sim/transactions?username={user}&pending=true"));
            pending.as_array().expect("a list").first().cloned()
        })
    }

    /// All transactions, or those that wait for an answer.
    #[allow(dead_code, reason = "for the tests of e2e")]
    pub(crate) fn transactions(&self, is_pending: bool) -> Vec<Value> {
        let found = self.get(&format!("/sim/transactions?pending={is_pending}"));
        found.as_array().expect("a list").clone()
    }

    /// Answers a push by its transaction, as [`Self::answer`].
    pub(crate) fn answer_to(&self, txid: &str, action: &str) {
        self.tell("POST", &format!("/sim/transactions/{txid}/{action}"), &json!({}));
    }

    /// Answers the push to `user` as its owner would: `approve`, `deny`, `fraud`, `timeout`.
    pub(crate) fn answer(&self, user: &str, action: &str) {
        let pending = self.pending(user);
        self.answer_to(pending["txid"].as_str().unwrap(), action);
    }

    /// Approves the verified push to `user`, with the code that the screen shows.
    pub(crate) fn enter(&self, user: &str, code: &str) {
        let pending = self.pending(user);
        let txid = pending["txid"].as_str().unwrap();
        self.tell("POST", &format!("/sim/transactions/{txid}/approve"), &json!({"code": code}));
    }

    /// Has `user` answer every push with this action, automatically.
    pub(crate) fn always(&self, user: &str, action: &str) {
        self.always_after(user, action, Duration::from_millis(50));
    }

    /// As [`Self::always`], after a while.
    pub(crate) fn always_after(&self, user: &str, action: &str, wait: Duration) {
        let wait = u64::try_from(wait.as_millis()).unwrap();
        let answer = json!({"answer": action, "after_ms": wait});
        self.tell("PUT", &format!("/sim/users/{user}/auto"), &answer);
    }

    /// Adds a user with a phone that can get pushes, and returns the name. The first factor knows it too.
    pub(crate) fn guest(&self, number: usize) -> String {
        let name = guest(number);
        self.add(&name);
        name
    }

    /// Adds a user with a phone that can get pushes.
    pub(crate) fn add(&self, name: &str) {
        let phone = json!({
            "platform": "Apple iOS", "number": "XXX-XXX-0000",
            "capabilities": ["auto", "push", "mobile_otp"],
        });
        self.put_user(&json!({"username": name, "devices": [phone]}));
    }

    /// Adds a user, or replaces the one of that name.
    pub(crate) fn put_user(&self, user: &Value) {
        self.tell("PUT", "/sim/users", user);
    }

    /// Has Duo Mobile scan an activation code, as the QR code holds it.
    pub(crate) fn claim(&self, code: &str) {
        self.tell("POST", "/sim/enrollments/claim", &json!({"activation_code": code}));
    }

    /// Has all activation codes expire.
    pub(crate) fn expire_enrollments(&self) {
        self.ask(Request::new("DELETE", "/sim/enrollments"));
    }

    /// Switches a fault on; its members are those of the simulator's faults.
    pub(crate) fn fault(&self, fault: &Value) {
        self.tell("POST", "/sim/faults", fault);
    }

    /// Sets how users answer at Duo's page without a browser, and other switches of it.
    #[allow(dead_code, reason = "for the tests of e2e")]
    pub(crate) fn universal(&self, wish: &Value) {
        self.tell("POST", "/sim/universal", wish);
    }

    /// Codes of the Universal Prompt: `given`, `used`, `reused`.
    #[allow(dead_code, reason = "for the tests of e2e")]
    pub(crate) fn codes(&self) -> Value {
        self.get("/sim/counters")["codes"].clone()
    }

    /// Restores the state of the start.
    pub(crate) fn reset(&self) {
        self.tell("POST", "/sim/reset", &Value::Null);
    }

    pub(crate) fn clear_faults(&self) {
        self.ask(Request::new("DELETE", "/sim/faults"));
    }

    fn get(&self, path: &str) -> Value {
        self.ask(Request::get(path))
    }

    fn tell(&self, method: &str, path: &str, body: &Value) {
        let request = Request::new(method, path).header("content-type", "application/json");
        self.ask(request.body(Body::Sized(body.to_string().into_bytes())));
    }

    fn ask(&self, request: Request) -> Value {
        let reply = Connection::open(self.control).ask(&request).expect("duo-sim answers");
        assert!(matches!(reply.status, 200..300), "{request:?}: {reply:?} {}", reply.text());
        if reply.body.is_empty() { Value::Null } else { reply.json() }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn socket(address: &Value) -> SocketAddr {
    address.as_str().expect("an address").parse().expect("an address and port")
}

/// Waits until `look` finds something.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "in vain waited for {what}");
        sleep(Duration::from_millis(20));
    }
}
