//! The application behind the proxy. It counts the requests that reach it, keeps the bytes of the last one,
//! and answers 200. It echoes the data of a WebSocket. A stream of events gets one event and stays open.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex};
use std::task::Poll;

use hyper::body::{Body as _, Bytes, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::AbortHandle;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
});

/// The first event of a stream.
pub(crate) const EVENT: &str = "data: reached\n\n";

/// One request as the application received it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body_length: usize,
    pub(crate) body_digest: [u8; 32],
    pub(crate) trailers: Vec<(String, String)>,
    /// Whether the whole body arrived.
    pub(crate) is_whole: bool,
}

impl Seen {
    /// All values of a header, in order, each as text.
    pub(crate) fn values(&self, name: &str) -> Vec<String> {
        let named = self.headers.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
    }

    pub(crate) fn carries(&self, body: &[u8]) -> bool {
        let digest: [u8; 32] = Sha256::digest(body).into();
        self.is_whole && self.body_length == body.len() && self.body_digest == digest
    }
}

pub(crate) struct App {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
    server: AbortHandle,
}

#[derive(Default)]
struct State {
    /// The number of heads that arrived, with or without their bodies.
    count: usize,
    seen: Vec<Seen>,
    answer_headers: Vec<(String, String)>,
    page: Option<&'static str>,
    /// Requests for the first are redirected to the second.
    redirect: Option<(&'static str, &'static str)>,
}

impl App {
    pub(crate) fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let listener = RUNTIME.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let server = RUNTIME.spawn(serve(listener, Arc::clone(&state))).abort_handle();
        Self { address, state, server }
    }

    pub(crate) fn count(&self) -> usize {
        self.state.lock().unwrap().count
    }

    /// The last request.
    pub(crate) fn last(&self) -> Seen {
        self.state.lock().unwrap().seen.last().cloned().expect("a request reached the application")
    }

    /// Forgets what the requests were, but not how many.
    #[allow(dead_code, reason = "for the tests of e2e")]
    pub(crate) fn forget(&self) {
        self.state.lock().unwrap().seen.clear();
    }

    /// Answers with this HTML from here on.
    #[allow(dead_code, reason = "for the tests of the browser")]
    pub(crate) fn answer_page(&self, page: &'static str) {
        self.answer_with("content-type", "text/html; charset=utf-8");
        self.state.lock().unwrap().page = Some(page);
    }

    /// Redirects requests for an address to another one.
    pub(crate) fn redirect(&self, from: &'static str, to: &'static str) {
        self.state.lock().unwrap().redirect = Some((from, to));
    }

    /// Adds a header to every answer from here on.
    pub(crate) fn answer_with(&self, name: &str, value: &str) {
        let header = (name.to_owned(), value.to_owned());
        self.state.lock().unwrap().answer_headers.push(header);
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((socket, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(request, Arc::clone(&state)));
            let server = auto::Builder::new(TokioExecutor::new());
            let socket = TokioIo::new(socket);
            server.serve_connection_with_upgrades(socket, service).await.ok();
        });
    }
}

async fn answer(
    mut request: hyper::Request<Incoming>,
    state: Arc<Mutex<State>>,
) -> Result<hyper::Response<Text>, Infallible> {
    state.lock().unwrap().count += 1;
    let upgrade = request.headers().contains_key("upgrade");
    let upgrade = upgrade.then(|| hyper::upgrade::on(&mut request));
    let is_endless =
        request.headers().get("accept").is_some_and(|accept| accept == "text/event-stream");
    let seen = read(request).await;
    let mut state = state.lock().unwrap();
    let redirect = state.redirect.filter(|(from, _)| *from == seen.target);
    state.seen.push(seen);
    let mut response = hyper::Response::builder().header("x-app", "reached");
    if let Some((_, to)) = redirect {
        response = response.status(302).header("location", to);
    }
    for (name, value) in &state.answer_headers {
        response = response.header(name, value);
    }
    if let Some(upgrade) = upgrade {
        tokio::spawn(echo(upgrade));
        let response = response.status(101).header("connection", "upgrade");
        return Ok(response.header("upgrade", "websocket").body(Text::of("")).unwrap());
    }
    if is_endless {
        let response = response.header("content-type", "text/event-stream");
        return Ok(response.body(Text { is_endless, ..Text::of(EVENT) }).unwrap());
    }
    Ok(response.body(Text::of(state.page.unwrap_or("application\n"))).unwrap())
}

/// Sends back what comes.
async fn echo(upgrade: OnUpgrade) {
    let Ok(tunnel) = upgrade.await else { return };
    let (mut reader, mut writer) = tokio::io::split(TokioIo::new(tunnel));
    tokio::io::copy(&mut reader, &mut writer).await.ok();
}

async fn read(request: hyper::Request<Incoming>) -> Seen {
    let (head, mut body) = request.into_parts();
    let headers = head.headers.iter();
    let mut seen = Seen {
        method: head.method.to_string(),
        target: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: headers.map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect(),
        body_length: 0,
        body_digest: [0; 32],
        trailers: Vec::new(),
        is_whole: true,
    };
    let mut digest = Sha256::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(frame) = frame else {
            seen.is_whole = false;
            break;
        };
        if let Some(data) = frame.data_ref() {
            seen.body_length += data.len();
            digest.update(data);
        }
        for (name, value) in frame.trailers_ref().into_iter().flatten() {
            seen.trailers.push((name.to_string(), value.to_str().unwrap().to_owned()));
        }
    }
    seen.body_digest = digest.finalize().into();
    seen
}

/// A body of one piece. It ends there, or stays open without more data.
struct Text {
    piece: Option<Bytes>,
    is_endless: bool,
}

impl Text {
    const fn of(text: &'static str) -> Self {
        Self { piece: Some(Bytes::from_static(text.as_bytes())), is_endless: false }
    }
}

impl hyper::body::Body for Text {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.piece.take() {
            None if self.is_endless => Poll::Pending,
            piece => Poll::Ready(piece.map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_endless {
            return SizeHint::default();
        }
        SizeHint::with_exact(self.piece.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
