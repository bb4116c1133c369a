//! A name server (RFC 1035) that resolves one name, until a test makes it forget the name.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

/// The record type that the server answers: an IPv4 address.
const A: [u8; 2] = [0, 1];
const NO_FAULT: u8 = 0;
const NO_SUCH_NAME: u8 = 3;

pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    is_known: Arc<AtomicBool>,
}

impl NameServer {
    /// Starts a server that resolves every name to 127.0.0.1.
    pub(crate) fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let address = socket.local_addr().unwrap();
        let is_known = Arc::new(AtomicBool::new(true));
        let watched = Arc::downgrade(&is_known);
        thread::spawn(move || {
            let mut query = [0; 512];
            while let Some(is_known) = watched.upgrade() {
                if let Ok((size, client)) = socket.recv_from(&mut query) {
                    socket.send_to(&answer(&query[..size], is_known.load(SeqCst)), client).ok();
                }
            }
        });
        Self { address, is_known }
    }

    /// Makes the server know the name, or forget it.
    pub(crate) fn know(&self, is_known: bool) {
        self.is_known.store(is_known, SeqCst);
    }
}

fn answer(query: &[u8], is_known: bool) -> Vec<u8> {
    const HEAD: usize = 12;
    let labels = query[HEAD..].iter().position(|byte| *byte == 0).expect("the end of a name");
    let question = &query[HEAD..HEAD + labels + 5];
    let has_answer = is_known && question[labels + 1..labels + 3] == A;
    let code = if is_known { NO_FAULT } else { NO_SUCH_NAME };
    let mut answer = query[..2].to_vec();
    answer.extend([0x81, 0x80 | code, 0, 1, 0, u8::from(has_answer), 0, 0, 0, 0]);
    answer.extend(question);
    if has_answer {
        // The name of the question, an IPv4 address of the internet, not to be kept, of 4 bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
        answer.extend(Ipv4Addr::LOCALHOST.octets());
    }
    answer
}
