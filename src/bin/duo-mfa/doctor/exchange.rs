//! One call over a new connection, with HTTP/1.1.

use super::tls::{Stream, is_timeout};
use super::verdict::{Code, Finding};
use duo_mfa::duo::{Response as DuoResponse, SignedCall};
use std::io::{self, Read as _, Write as _};
use std::time::{Duration, Instant};
use ureq_proto::BodyMode;
use ureq_proto::client::state::{RecvBody, RecvResponse};
use ureq_proto::client::{Call, RecvResponseResult, SendRequestResult};
use ureq_proto::http::{Request, Response};

/// The most bytes of a response's head.
const MAX_HEAD: usize = 65_536;
const CHUNK: usize = 16_384;

/// A response.
pub(super) struct Received {
    status: u16,
    retry_after: Option<Vec<u8>>,
    body: Vec<u8>,
    pub(super) took: Duration,
}

impl Received {
    pub(super) fn response(&self) -> DuoResponse<'_> {
        let Self { status, retry_after, body, .. } = self;
        DuoResponse { status: *status, retry_after: retry_after.as_deref(), body }
    }
}

/// Why there is no response.
enum Failure {
    Io(io::Error),
    Protocol(ureq_proto::Error),
    Cut,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<ureq_proto::Error> for Failure {
    fn from(error: ureq_proto::Error) -> Self {
        Self::Protocol(error)
    }
}

/// Sends a call and reads the response.
///
/// # Errors
///
/// There is no response within `limit`, or it is not HTTP.
pub(super) fn exchange(
    stream: Stream,
    call: &SignedCall,
    limit: Duration,
) -> Result<Received, Finding> {
    let begun = Instant::now();
    let mut wire = Wire { stream, begun, limit, input: Vec::new() };
    match wire.exchange(call) {
        Ok(received) => Ok(Received { took: begun.elapsed(), ..received }),
        Err(failure) => Err(failure.finding(&call.path, limit)),
    }
}

impl Failure {
    fn finding(self, path: &str, limit: Duration) -> Finding {
        let path = path.split('?').next().unwrap_or_default();
        let problem = match self {
            Self::Io(error) if is_timeout(&error) => {
                return Finding::new(
                    Code::ResponseTimeout,
                    format!("no response to {path} within {} s", limit.as_secs_f32()),
                    "look at status.duo.com, and at proxies and firewalls on the way",
                );
            }
            Self::Io(error) => format!("the connection broke: {error}"),
            Self::Cut => "the connection ended".to_owned(),
            Self::Protocol(error) => {
                return Finding::new(
                    Code::NotDuo,
                    format!("the response to {path} is not HTTP/1.1: {error}"),
                    "check the cluster's address and port, and which proxy is on the way",
                );
            }
        };
        Finding::new(
            Code::NoResponse,
            format!("no response to {path}: {problem}"),
            "look for a proxy or firewall on the way that closes connections; try again",
        )
    }
}

struct Wire {
    stream: Stream,
    begun: Instant,
    limit: Duration,
    /// Bytes that were received and not read.
    input: Vec<u8>,
}

impl Wire {
    fn exchange(&mut self, signed: &SignedCall) -> Result<Received, Failure> {
        let (response, body) = match self.send(signed)?.proceed() {
            (response, Some(RecvResponseResult::RecvBody(call))) => (response, self.body(call)?),
            (response, _) => (response, Vec::new()),
        };
        let retry_after = response.headers().get("retry-after");
        Ok(Received {
            status: response.status().as_u16(),
            retry_after: retry_after.map(|value| value.as_bytes().to_vec()),
            body,
            took: Duration::ZERO,
        })
    }

    fn send(&mut self, signed: &SignedCall) -> Result<Head, Failure> {
        let uri = format!("https://{}{}", signed.authority, signed.path);
        let mut request = Request::builder().method(signed.method).uri(uri);
        for (name, value) in &signed.headers {
            request = request.header(*name, value.as_bytes());
        }
        if signed.method != "GET" {
            request = request.header("content-length", signed.body.len().to_string());
        }
        let request = request.body(()).map_err(|error| io::Error::other(error.to_string()))?;
        let mut call = Call::new(request)?.proceed();
        let mut output = vec![0; CHUNK];
        while !call.can_proceed() {
            let used = call.write(&mut output)?;
            self.stream.write_all(output.get(..used).unwrap_or_default())?;
        }
        match call.proceed()? {
            Some(SendRequestResult::RecvResponse(call)) => self.head(call),
            Some(SendRequestResult::SendBody(mut call)) => {
                self.stream.write_all(&signed.body)?;
                call.consume_direct_write(signed.body.len())?;
                self.head(call.proceed().ok_or(Failure::Cut)?)
            }
            Some(SendRequestResult::Await100(_)) | None => Err(Failure::Cut),
        }
    }

    fn head(&mut self, mut call: Call<RecvResponse>) -> Result<Head, Failure> {
        self.stream.flush()?;
        loop {
            let (used, response) = call.try_response(&self.input, false)?;
            self.input.drain(..used);
            if let Some(response) = response {
                return Ok(Head { response, call });
            }
            if self.input.len() > MAX_HEAD || self.receive()? == 0 {
                return Err(Failure::Cut);
            }
        }
    }

    /// The body, as far as [`DuoResponse`] reads one.
    fn body(&mut self, mut call: Call<RecvBody>) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        let mut output = vec![0; CHUNK];
        let mut is_over = false;
        while body.len() <= DuoResponse::MAX_BODY_BYTES {
            let (used, read) = call.read(&self.input, &mut output)?;
            self.input.drain(..used);
            body.extend_from_slice(output.get(..read).unwrap_or_default());
            let is_close_delimited = call.body_mode() == BodyMode::CloseDelimited;
            let is_complete = call.can_proceed() && !is_close_delimited;
            if is_complete || (is_over && used == 0) {
                break;
            }
            if used == 0 {
                is_over = self.receive()? == 0;
                if is_over && !call.can_proceed() {
                    return Err(Failure::Cut);
                }
            }
        }
        Ok(body)
    }

    /// Waits for more bytes, no longer than the limit allows; 0 at the end.
    fn receive(&mut self) -> Result<usize, Failure> {
        let left = self.limit.saturating_sub(self.begun.elapsed());
        if left.is_zero() {
            return Err(io::Error::from(io::ErrorKind::TimedOut).into());
        }
        self.stream.sock.set_read_timeout(Some(left))?;
        let mut chunk = vec![0; CHUNK];
        let read = match self.stream.read(&mut chunk) {
            // Many servers end without TLS's close_notify.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            read => read?,
        };
        self.input.extend_from_slice(chunk.get(..read).unwrap_or_default());
        Ok(read)
    }
}

/// The head of a response, whose body may follow.
struct Head {
    response: Response<()>,
    call: Call<RecvResponse>,
}

impl Head {
    fn proceed(self) -> (Response<()>, Option<RecvResponseResult>) {
        (self.response, self.call.proceed())
    }
}
