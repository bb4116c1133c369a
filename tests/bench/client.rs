//! HTTP/1.1 clients with connections that stay open, and one request at a time on each.

use crate::Fault;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Clients of one listener.
#[derive(Debug)]
pub(crate) struct Clients(Vec<Client>);

impl Clients {
    pub(crate) async fn connect(port: u16, count: u32) -> io::Result<Self> {
        let mut clients = Vec::new();
        for _ in 0..count {
            clients.push(Client::connect(port).await?);
        }
        Ok(Self(clients))
    }

    /// Sends a request so many times, shared out among all clients, and counts the answers that
    /// were no 200.
    pub(crate) async fn load(&mut self, request: &Arc<[u8]>, times: u32) -> Result<u32, Fault> {
        let count = u32::try_from(self.0.len())?;
        let mut tasks = JoinSet::new();
        for (number, mut client) in (0..count).zip(self.0.drain(..)) {
            let times = times / count + u32::from(number < times % count);
            let request = Arc::clone(request);
            tasks.spawn(async move {
                let mut refused = 0;
                for _ in 0..times {
                    refused += u32::from(client.exchange(&request).await? != 200);
                }
                io::Result::Ok((client, refused))
            });
        }
        let mut refused = 0;
        while let Some(task) = tasks.join_next().await {
            let (client, its_refused) = task??;
            self.0.push(client);
            refused += its_refused;
        }
        Ok(refused)
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    body_at: usize,
}

impl Client {
    pub(crate) async fn connect(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096), body_at: 0 })
    }

    /// Sends a request and reads the whole answer; returns its status.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<u16> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let Some(head) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
                continue;
            };
            let (status, length) = read_head(&self.buffer[..head])?;
            self.body_at = head + 4;
            if self.buffer.len() - self.body_at >= length {
                return Ok(status);
            }
        }
    }

    /// The body of the last answer.
    pub(crate) fn body(&self) -> &[u8] {
        &self.buffer[self.body_at..]
    }
}

/// Status and length of the body. Everything that answers here says the length.
fn read_head(head: &[u8]) -> io::Result<(u16, usize)> {
    let read = || {
        let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let mut fields = lines.filter_map(|line| line.split_once(": "));
        let (_, length) = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
        Some((status, length.parse().ok()?))
    };
    read().ok_or_else(|| io::Error::other("an answer without a status or a length"))
}
