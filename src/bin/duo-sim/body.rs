//! Response bodies that are sent in pieces: truncated, huge, slow, or a stream of events.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::Frame;
use tokio::sync::mpsc;

/// A body whose pieces come from another task. An error closes the connection.
struct Piped(mpsc::Receiver<io::Result<Bytes>>);

impl hyper::body::Body for Piped {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|result| result.map(Frame::data)))
    }
}

/// A body, and the sender for its pieces.
pub(crate) fn piped() -> (mpsc::Sender<io::Result<Bytes>>, Body) {
    let (sender, receiver) = mpsc::channel(1);
    (sender, Body::new(Piped(receiver)))
}

/// The first half of `whole`, after which the connection is closed.
pub(crate) fn truncated(whole: &Bytes) -> Body {
    let half = whole.slice(..whole.len() / 2);
    let (sender, body) = piped();
    tokio::spawn(async move {
        let cut = io::Error::other("cut off by a fault switch");
        if sender.send(Ok(half)).await.is_ok() {
            // Gives the half time to be sent before the error closes the connection.
            tokio::time::sleep(Duration::from_millis(50)).await;
            let _ = sender.send(Err(cut)).await;
        }
    });
    body
}

/// One byte every `pause`.
pub(crate) fn dripping(whole: Bytes, pause: Duration) -> Body {
    let (sender, body) = piped();
    tokio::spawn(async move {
        for start in 0..whole.len() {
            tokio::time::sleep(pause).await;
            if sender.send(Ok(whole.slice(start..=start))).await.is_err() {
                break;
            }
        }
    });
    body
}

/// A successful response whose `response` is a string of about `bytes` bytes.
pub(crate) fn huge(bytes: u64) -> Body {
    const PIECE: usize = 64 * 1024;
    let (sender, body) = piped();
    tokio::spawn(async move {
        let piece = Bytes::from(vec![b'a'; PIECE]);
        let mut sent =
            sender.send(Ok(Bytes::from_static(b"{\"stat\":\"OK\",\"response\":\""))).await;
        let mut left = bytes;
        while left > 0 && sent.is_ok() {
            let length = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            sent = sender.send(Ok(piece.slice(..length))).await;
            left = left.saturating_sub(PIECE as u64);
        }
        let _ = sender.send(Ok(Bytes::from_static(b"\"}"))).await;
    });
    body
}
