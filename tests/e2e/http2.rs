//! HTTP/2 without TLS, frame by frame: DATA without a length, and trailers after it.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::time::Duration;

use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, SendStream};
use hyper::body::Bytes;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::time::{sleep, timeout};

use crate::http1::PATIENCE;
use crate::message::{Body, Lost, Reply, Request};
use crate::tally;

/// Time to wait until frames are sent.
const FLUSH: Duration = Duration::from_millis(100);

/// Sends one request on a new connection and waits for its response.
pub(crate) fn exchange(to: SocketAddr, request: &Request) -> Result<Reply, Lost> {
    tally::sent();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcome = runtime.block_on(async {
        timeout(PATIENCE, round_trip(to, request)).await.unwrap_or(Err(Lost::TimedOut))
    });
    runtime.shutdown_timeout(Duration::from_millis(10));
    match outcome {
        Ok(_) => tally::answered(),
        Err(Lost::TimedOut) => tally::hung(),
        Err(Lost::Closed) => {}
    }
    outcome
}

/// Sends a request without a body many times at once: `each` times on each of several connections. Waits for
/// all responses.
pub(crate) fn burst(
    to: SocketAddr,
    request: &Request,
    connections: usize,
    each: usize,
) -> Vec<Result<Reply, Lost>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcomes = runtime.block_on(async {
        let mut replies = Vec::new();
        for _ in 0..connections {
            let socket = TcpStream::connect(to).await.expect("the server listens");
            let (mut sender, connection) = h2::client::handshake(socket).await.unwrap();
            tokio::spawn(connection);
            for _ in 0..each {
                sender = sender.ready().await.expect("room for a stream");
                let (reply, _) = sender.send_request(head(request), true).unwrap();
                tally::sent();
                replies.push(tokio::spawn(async move {
                    timeout(PATIENCE, receive(reply)).await.unwrap_or(Err(Lost::TimedOut))
                }));
            }
        }
        let mut outcomes = Vec::new();
        for reply in replies {
            outcomes.push(reply.await.unwrap());
        }
        outcomes
    });
    for outcome in &outcomes {
        match outcome {
            Ok(_) => tally::answered(),
            Err(Lost::TimedOut) => tally::hung(),
            Err(Lost::Closed) => {}
        }
    }
    outcomes
}

/// A request without a body that is under way, and that its client can give up.
pub(crate) struct Pending {
    runtime: Runtime,
    stream: SendStream<Bytes>,
    _reply: ResponseFuture,
    _sender: SendRequest<Bytes>,
}

impl Pending {
    pub(crate) fn send(to: SocketAddr, request: &Request) -> Self {
        tally::sent();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (stream, reply, sender) = runtime.block_on(async {
            let socket = TcpStream::connect(to).await.expect("the server listens");
            let (sender, connection) = h2::client::handshake(socket).await.unwrap();
            tokio::spawn(connection);
            let mut sender = sender.ready().await.unwrap();
            let (reply, stream) = sender.send_request(head(request), true).unwrap();
            sleep(FLUSH).await;
            (stream, reply, sender)
        });
        Self { runtime, stream, _reply: reply, _sender: sender }
    }

    /// Resets the stream, leaves the connection open for a moment, then closes it.
    pub(crate) fn reset(mut self, reason: Reason) {
        self.stream.send_reset(reason);
        self.runtime.block_on(async { sleep(FLUSH).await });
    }
}

async fn round_trip(to: SocketAddr, request: &Request) -> Result<Reply, Lost> {
    let socket = TcpStream::connect(to).await.expect("the server listens");
    let (sender, connection) = h2::client::handshake(socket).await.map_err(closed)?;
    tokio::spawn(connection);
    let mut sender = sender.ready().await.map_err(closed)?;
    let is_bodiless = matches!(request.body, Body::None);
    let (reply, stream) = sender.send_request(head(request), is_bodiless).map_err(closed)?;
    // A refusal may arrive before the whole body is sent, so an error in sending is no failure.
    let (_, reply) = tokio::join!(send_body(stream, &request.body), receive(reply));
    reply
}

fn head(request: &Request) -> http::Request<()> {
    let target = std::str::from_utf8(&request.target).unwrap();
    let mut head = http::Request::builder()
        .method(request.method.as_str())
        .uri(format!("http://app.example.com{target}"));
    for (name, value) in &request.headers {
        head = head.header(name.as_slice(), value.as_slice());
    }
    if let Body::Sized(body) = &request.body {
        head = head.header("content-length", body.len());
    }
    head.body(()).unwrap()
}

async fn send_body(mut stream: SendStream<Bytes>, body: &Body) -> Result<(), h2::Error> {
    match body {
        Body::None => Ok(()),
        Body::Sized(body) => send_data(&mut stream, body, 16_384, true).await,
        Body::Chunked(body, size) => send_data(&mut stream, body, *size, true).await,
        Body::Trailed(body, size, trailers) => {
            send_data(&mut stream, body, *size, false).await?;
            let fields = trailers.iter().map(|(name, value)| {
                (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap())
            });
            stream.send_trailers(fields.collect())
        }
    }
}

async fn send_data(
    stream: &mut SendStream<Bytes>,
    body: &[u8],
    size: usize,
    is_last: bool,
) -> Result<(), h2::Error> {
    let mut rest = Bytes::copy_from_slice(body);
    if rest.is_empty() && is_last {
        return stream.send_data(rest, true);
    }
    while !rest.is_empty() {
        stream.reserve_capacity(size.min(rest.len()));
        let Some(granted) = poll_fn(|context| stream.poll_capacity(context)).await else {
            return Ok(());
        };
        let piece = rest.split_to(granted?.min(size).min(rest.len()));
        stream.send_data(piece, is_last && rest.is_empty())?;
    }
    Ok(())
}

async fn receive(reply: ResponseFuture) -> Result<Reply, Lost> {
    let (head, mut stream) = reply.await.map_err(closed)?.into_parts();
    let fields = head.headers.iter();
    let headers = fields.map(|(name, value)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let mut reply = Reply {
        status: head.status.as_u16(),
        headers: headers.collect(),
        body: Vec::new(),
        is_head_alone: stream.is_end_stream(),
    };
    while let Some(data) = stream.data().await {
        let data = data.map_err(closed)?;
        stream.flow_control().release_capacity(data.len()).map_err(closed)?;
        reply.body.extend_from_slice(&data);
    }
    if let Some(trailers) = stream.trailers().await.map_err(closed)? {
        for (name, value) in &trailers {
            reply.headers.push((name.to_string(), value.to_str().unwrap().to_owned()));
        }
    }
    Ok(reply)
}

fn closed(_: h2::Error) -> Lost {
    Lost::Closed
}
