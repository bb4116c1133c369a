//! Starts the simulator and talks to it: a small HTTP client over one connection a call.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use http::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::signer::{Form, Signed, sign};

pub(crate) const HOST: &str = "api-sim.duo.test";

/// A running simulator; it ends with its standard input, so with the test.
pub(crate) struct Sim {
    pub(crate) child: Child,
    pub(crate) http: SocketAddr,
    pub(crate) https: SocketAddr,
    control: SocketAddr,
    pub(crate) authority: String,
    _state: StateDirectory,
}

struct StateDirectory(std::path::PathBuf);

impl Drop for StateDirectory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct Broken;

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The response of a success.
    pub(crate) fn response(&self) -> Value {
        let envelope = self.json();
        assert_eq!((self.status, &envelope["stat"]), (200, &json!("OK")), "{envelope}");
        envelope["response"].clone()
    }

    /// Code and parameter at fault of a refusal.
    pub(crate) fn refusal(&self) -> (u64, Option<String>) {
        let envelope = self.json();
        assert_eq!(envelope["stat"], "FAIL", "{envelope}");
        let code = envelope["code"].as_u64().unwrap();
        assert_eq!(u64::from(self.status), code / 100);
        (code, envelope["message_detail"].as_str().map(str::to_owned))
    }
}

impl Sim {
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let unique = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
        let state =
            std::env::temp_dir().join(format!("duo-sim-test-{}-{unique}", std::process::id()));
        let mut child = Command::new(env!("CARGO_BIN_EXE_duo-sim"))
            .arg("--exit-with-stdin")
            .arg("--state-dir")
            .arg(&state)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let address = |name: &str| told[name].as_str().unwrap().parse::<SocketAddr>().unwrap();
        Self {
            http: address("http"),
            https: address("https"),
            control: address("control"),
            authority: told["ca"].as_str().unwrap().to_owned(),
            child,
            _state: StateDirectory(state),
        }
    }

    pub(crate) async fn send(&self, signed: &Signed) -> Result<Answer, Broken> {
        let stream = TcpStream::connect(self.http).await.unwrap();
        exchange(stream, signed, Body::from(signed.body.clone())).await
    }

    /// A call signed by version 5.
    pub(crate) async fn call(&self, method: &str, name: &str, params: &[(&str, &str)]) -> Answer {
        let signed = signed(Form::V5, method, name, params);
        self.send(&signed).await.unwrap()
    }

    pub(crate) async fn get(&self, name: &str, params: &[(&str, &str)]) -> Answer {
        self.call("GET", name, params).await
    }

    pub(crate) async fn post(&self, name: &str, params: &[(&str, &str)]) -> Answer {
        self.call("POST", name, params).await
    }

    pub(crate) async fn preauth(&self, username: &str) -> Value {
        let params = [("username", username), ("client_supports_verified_push", "1")];
        self.post("preauth", &params).await.response()
    }

    /// Starts an asynchronous push and returns its txid.
    pub(crate) async fn push(&self, username: &str) -> String {
        let params =
            [("username", username), ("factor", "push"), ("device", "auto"), ("async", "1")];
        let response = self.post("auth", &params).await.response();
        assert_eq!(response.as_object().unwrap().len(), 1, "{response}");
        response["txid"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn status(&self, txid: &str) -> Value {
        self.get("auth_status", &[("txid", txid)]).await.response()
    }

    pub(crate) async fn passcode(&self, username: &str, passcode: &str) -> Value {
        let params = [("username", username), ("factor", "passcode"), ("passcode", passcode)];
        self.post("auth", &params).await.response()
    }

    /// A request to the control interface.
    pub(crate) async fn control(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = Signed {
            method: method.to_owned(),
            target: path.to_owned(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: if body.is_null() { String::new() } else { body.to_string() },
        };
        self.control_with(&request).await
    }

    pub(crate) async fn control_with(&self, request: &Signed) -> Answer {
        let stream = TcpStream::connect(self.control).await.unwrap();
        exchange(stream, request, Body::from(request.body.clone())).await.unwrap()
    }

    /// A request to the control interface that must succeed.
    pub(crate) async fn tell(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.control(method, path, body).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }

    pub(crate) async fn look(&self, path: &str) -> Value {
        self.tell("GET", path, Value::Null).await
    }

    pub(crate) async fn act(&self, txid: &str, action: &str) {
        self.tell("POST", &format!("/sim/transactions/{txid}/{action}"), Value::Null).await;
    }

    pub(crate) async fn fault(&self, fault: Value) {
        self.tell("POST", "/sim/faults", fault).await;
    }

    pub(crate) fn control_address(&self) -> SocketAddr {
        self.control
    }
}

pub(crate) fn signed(form: Form, method: &str, name: &str, params: &[(&str, &str)]) -> Signed {
    sign(form, (method, HOST, &format!("/auth/v2/{name}")), params, &date(0))
}

/// The date `ahead` seconds from this moment, as the Node client writes it.
pub(crate) fn date(ahead: i64) -> String {
    let moment = if ahead < 0 {
        SystemTime::now() - Duration::from_secs(ahead.unsigned_abs())
    } else {
        SystemTime::now() + Duration::from_secs(ahead.unsigned_abs())
    };
    httpdate::fmt_http_date(moment)
}

pub(crate) fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// Sends one request over `stream`, which serves no other.
pub(crate) async fn exchange<S>(stream: S, signed: &Signed, body: Body) -> Result<Answer, Broken>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = hyper::client::conn::http1::Builder::new();
    builder.max_headers(1000);
    let (mut sender, connection) =
        builder.handshake::<_, Body>(TokioIo::new(stream)).await.map_err(|_| Broken)?;
    let connection = tokio::spawn(connection);
    let mut request = Request::builder().method(signed.method.as_str()).uri(&signed.target);
    for (name, value) in &signed.headers {
        request = request.header(name, value);
    }
    let response = sender.send_request(request.body(body).unwrap()).await.map_err(|_| Broken)?;
    let (head, body) = response.into_parts();
    let body =
        axum::body::to_bytes(Body::new(body), usize::MAX).await.map_err(|_| Broken)?.to_vec();
    connection.abort();
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
}
