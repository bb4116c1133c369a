//! HTTP/1.1 over a plain socket: a test can send any bytes in any pieces, and can leave.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use crate::message::{Body, Lost, Reply, Request};
use crate::tally;

/// How long a client waits for a response before the request counts as hung.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// How often a client that waits looks whether it is late.
const LOOK: Duration = Duration::from_millis(200);

/// A connection for several requests.
pub(crate) struct Connection {
    socket: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Connection {
    pub(crate) fn open(to: SocketAddr) -> Self {
        Self::try_open(to).expect("the server listens")
    }

    /// `None` if nobody listens.
    pub(crate) fn try_open(to: SocketAddr) -> Option<Self> {
        let socket = TcpStream::connect(to).ok()?;
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        let reader = BufReader::new(socket.try_clone().unwrap());
        Some(Self { socket, reader })
    }

    /// Sends a request, waits for its response, and counts both.
    pub(crate) fn exchange(&mut self, request: &Request) -> Result<Reply, Lost> {
        tally::sent();
        let outcome = self.ask(request);
        match outcome {
            Ok(_) => tally::answered(),
            Err(Lost::TimedOut) => tally::hung(),
            Err(Lost::Closed) => {}
        }
        outcome
    }

    /// Sends a request and waits for its response. A thread writes the body during the reading, since a
    /// response may arrive before the server has read the whole body.
    pub(crate) fn ask(&mut self, request: &Request) -> Result<Reply, Lost> {
        let bytes = encode(request);
        let mut writer = self.socket.try_clone().unwrap();
        thread::scope(|scope| {
            scope.spawn(move || writer.write_all(&bytes));
            let outcome = self.read_reply(request.method == "HEAD");
            if outcome.is_err() {
                // Unblocks the writer if the server no longer reads.
                self.socket.shutdown(Shutdown::Both).ok();
            }
            outcome
        })
    }

    /// Sends a request without a body and waits for its response until `is_late`. Counts both.
    #[allow(dead_code, reason = "for the tests of e2e")]
    pub(crate) fn exchange_until(
        &mut self,
        request: &Request,
        is_late: impl Fn() -> bool,
    ) -> Result<Reply, Lost> {
        tally::sent();
        self.socket.write_all(&encode(request)).map_err(|fault| lost(&fault))?;
        self.socket.set_read_timeout(Some(LOOK)).unwrap();
        while let Err(fault) = self.socket.peek(&mut [0]) {
            if lost(&fault) == Lost::Closed {
                return Err(Lost::Closed);
            }
            if is_late() {
                tally::hung();
                return Err(Lost::TimedOut);
            }
        }
        self.socket.set_read_timeout(Some(PATIENCE)).unwrap();
        self.receive()
    }

    /// Sends the first bytes of a request, or all of it, and does not wait.
    pub(crate) fn send_part(&mut self, bytes: &[u8]) {
        tally::sent();
        self.send_rest(bytes);
    }

    /// Sends more of what [`Self::send_part`] began.
    pub(crate) fn send_rest(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).expect("the server takes the bytes");
    }

    /// Reads the response to a request of [`Self::send_part`].
    pub(crate) fn receive(&mut self) -> Result<Reply, Lost> {
        self.read_reply(false).inspect(|_| tally::answered())
    }

    /// Reads the head of a response and the first chunk of its body. More chunks may follow.
    pub(crate) fn receive_first(&mut self) -> Result<(Reply, Vec<u8>), Lost> {
        let status = self.read_status()?;
        let reply = Reply { status, headers: self.read_fields()?, ..Reply::default() };
        assert_eq!(reply.header("transfer-encoding"), Some("chunked"), "{reply:?}");
        let line = self.read_line()?;
        let length = usize::from_str_radix(line.trim(), 16).expect("a chunk's length");
        let chunk = self.read_exactly(length)?;
        tally::answered();
        Ok((reply, chunk))
    }

    /// Sends bytes over the upgraded connection, and reads as many.
    pub(crate) fn echoed(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Lost> {
        self.send_rest(bytes);
        self.read_exactly(bytes.len())
    }

    /// Closes the connection at once, with a reset if there are unread bytes.
    pub(crate) fn leave(self) {
        self.socket.shutdown(Shutdown::Both).ok();
    }

    fn read_reply(&mut self, is_head: bool) -> Result<Reply, Lost> {
        let mut reply = Reply { status: self.read_status()?, ..Reply::default() };
        while reply.status == 100 {
            self.read_fields()?;
            reply.status = self.read_status()?;
        }
        reply.headers = self.read_fields()?;
        let is_bodiless = is_head || matches!(reply.status, 101 | 204 | 304);
        let length = reply.header("content-length").map(|length| length.parse().unwrap());
        reply.body = match (is_bodiless, reply.header("transfer-encoding"), length) {
            (true, ..) => Vec::new(),
            (_, Some(_), _) => self.read_chunks()?,
            (_, None, Some(length)) => self.read_exactly(length)?,
            (_, None, None) => self.read_rest()?,
        };
        Ok(reply)
    }

    fn read_status(&mut self) -> Result<u16, Lost> {
        let line = self.read_line()?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        Ok(status.unwrap_or_else(|| panic!("no status line: {line:?}")))
    }

    fn read_fields(&mut self) -> Result<Vec<(String, String)>, Lost> {
        let mut fields = Vec::new();
        loop {
            let line = self.read_line()?;
            let Some((name, value)) = line.split_once(':') else { return Ok(fields) };
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    fn read_chunks(&mut self) -> Result<Vec<u8>, Lost> {
        let mut body = Vec::new();
        loop {
            let line = self.read_line()?;
            let length = usize::from_str_radix(line.trim(), 16).expect("a chunk's length");
            if length == 0 {
                self.read_fields()?;
                return Ok(body);
            }
            body.append(&mut self.read_exactly(length)?);
            self.read_line()?;
        }
    }

    fn read_line(&mut self) -> Result<String, Lost> {
        let mut line = Vec::new();
        let read = self.reader.read_until(b'\n', &mut line).map_err(|fault| lost(&fault))?;
        if read == 0 {
            return Err(Lost::Closed);
        }
        Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
    }

    fn read_exactly(&mut self, length: usize) -> Result<Vec<u8>, Lost> {
        let mut bytes = vec![0; length];
        self.reader.read_exact(&mut bytes).map_err(|fault| lost(&fault))?;
        Ok(bytes)
    }

    fn read_rest(&mut self) -> Result<Vec<u8>, Lost> {
        let mut bytes = Vec::new();
        self.reader.read_to_end(&mut bytes).map_err(|fault| lost(&fault))?;
        Ok(bytes)
    }
}

fn lost(fault: &std::io::Error) -> Lost {
    let is_late = matches!(fault.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
    if is_late { Lost::TimedOut } else { Lost::Closed }
}

/// The bytes of a request. Nothing is checked or escaped.
pub(crate) fn encode(request: &Request) -> Vec<u8> {
    let mut bytes = request.method.as_bytes().to_vec();
    bytes.push(b' ');
    bytes.extend_from_slice(&request.target);
    bytes.extend_from_slice(b" HTTP/1.1\r\n");
    if !request.has_header("host") {
        bytes.extend_from_slice(b"host: app.example.com\r\n");
    }
    for (name, value) in &request.headers {
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    match &request.body {
        Body::None => bytes.extend_from_slice(b"\r\n"),
        Body::Sized(body) => {
            bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
            bytes.extend_from_slice(body);
        }
        Body::Chunked(body, size) => {
            bytes.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
            for chunk in body.chunks(*size) {
                bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
        }
        Body::Trailed(..) => panic!("trailers are sent over HTTP/2"),
    }
    bytes
}
