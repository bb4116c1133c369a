//! The facts that all audit lines of a request share: the reference of its sign-in, its client, and
//! the prompt on the user's device.

use super::env::Env;
use super::factors::device_name;
use super::request_line::{RequestLine, request_id};
use crate::clock::UnixTime;
use crate::config::Config;
use crate::duo::{Device, Txid};
use crate::factor::Factor;
use crate::http::{Client, RequestHead};
use crate::identity::Identity;
use crate::reference::Reference;
use crate::session::{ApprovedBy, Pending};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::net::IpAddr;
use subtle::ConstantTimeEq as _;

/// The bytes that seal a reference in a page.
const SEAL_BYTES: usize = 5;

/// The facts that all audit lines of a request share.
#[derive(Clone, Debug)]
pub(super) struct Trail {
    pub(super) reference: Reference,
    /// The request to the application: the request itself, or the one that a sign-in leads to.
    pub(super) request: RequestLine,
    /// The client's address; `None` if the host does not know it.
    pub(super) address: Option<IpAddr>,
    /// Envoy's id of the request.
    pub(super) request_id: Option<String>,
    pub(super) client: &'static str,
    /// The filter's own address that received the request; `None` for the application's.
    pub(super) endpoint: Option<&'static str>,
    pub(super) prompt: PromptTrail,
    /// The canonical name of the other person who is asked; `None` if the user is.
    pub(super) approver: Option<String>,
}

/// The factor of a sign-in, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(super) struct PromptTrail {
    pub(super) factor: Option<ApprovedBy>,
    /// Duo's id of the device.
    pub(super) device: Option<String>,
    /// The name of the device, as the page shows it.
    pub(super) device_name: Option<String>,
    /// Duo's id of the transaction.
    pub(super) txid: Option<String>,
    /// When Duo sent the prompt.
    pub(super) sent: Option<UnixTime>,
}

impl PromptTrail {
    /// The prompt of a pending sign-in.
    pub(super) fn of(pending: &Pending) -> Self {
        let device = pending.device.as_ref().map(|device| device.as_str().to_owned());
        let name = pending.device_label.as_ref().map(|name| name.as_str().to_owned());
        let txid = pending.txid.as_ref().map(|txid| txid.as_str().to_owned());
        let factor = pending.kind.factor().map(ApprovedBy::Factor);
        let sent = factor.filter(|_| device.is_some()).map(|_| pending.created());
        Self { factor, device, device_name: name, txid, sent }
    }

    /// A factor that the user has chosen.
    pub(super) fn chosen(factor: Factor) -> Self {
        Self { factor: Some(ApprovedBy::Factor(factor)), ..Self::default() }
    }

    /// Records that Duo has sent the prompt. Duo names no transaction for a text message.
    pub(super) fn sent(&mut self, txid: Option<&Txid>, now: UnixTime) {
        self.txid = txid.map(|txid| txid.as_str().to_owned());
        self.sent = Some(now);
    }

    /// A prompt that is to be sent to a device.
    pub(super) fn to(device: &Device, factor: Factor) -> Self {
        let name = device_name(device).as_str().to_owned();
        let id = device.id.as_str().to_owned();
        Self { device: Some(id), device_name: Some(name), ..Self::chosen(factor) }
    }
}

impl Trail {
    /// The trail of a request that has just arrived. [`Self::arrived`] adds what the head does not
    /// have.
    pub(super) fn of(head: &RequestHead<'_>) -> Self {
        Self {
            reference: Reference::default(),
            request: RequestLine::of(head),
            address: None,
            request_id: request_id(head),
            client: client(Client::of(&head.hints())),
            endpoint: None,
            prompt: PromptTrail::default(),
            approver: None,
        }
    }

    /// Adds the address of the peer and a new reference. The id is a hash, so that it does not reveal
    /// random bytes that other values are made of.
    pub(super) fn arrived(self, address: Option<IpAddr>, env: &Env<'_>) -> Self {
        let (random, now) = (env.random.unwrap_or_default(), env.now.millis().to_be_bytes());
        let id = self.request_id.as_deref().unwrap_or_default().as_bytes();
        let shared = &env.gate.config().shared;
        let [a, b, c, d, e, ..] = shared.tag("reference", &[&random, &now, id]);
        let reference = Reference::new([a, b, c, d, e], env.now);
        Self { address, reference, ..self }
    }

    /// The reference with a seal. A page carries it from one request to the next, until a token
    /// does. Nobody can continue the sign-in of another user with it, nor make up a reference.
    pub(super) fn ticket(&self, identity: &Identity, config: &Config) -> String {
        let bytes = self.reference.to_bytes();
        URL_SAFE_NO_PAD.encode([bytes.as_slice(), &seal(bytes, identity, config)].concat())
    }
}

/// Reads the text of [`Trail::ticket`]; `None` for any other text, or for that of another user.
pub(super) fn read_ticket(text: &str, identity: &Identity, config: &Config) -> Option<Reference> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (reference, sent) = bytes.split_first_chunk()?;
    let is_sealed = bool::from(sent.ct_eq(&seal(*reference, identity, config)));
    is_sealed.then(|| Reference::from_bytes(*reference))
}

fn seal(bytes: [u8; Reference::BYTES], identity: &Identity, config: &Config) -> [u8; SEAL_BYTES] {
    let parts = [identity.source.as_bytes(), identity.user.as_bytes(), &bytes];
    let [a, b, c, d, e, ..] = config.shared.tag("ticket", &parts);
    [a, b, c, d, e]
}

/// The word for a kind of client.
const fn client(client: Client) -> &'static str {
    match client {
        Client::Page => "browser",
        Client::Hold => "program",
        Client::Refuse => "script",
        Client::RefuseGrpc => "grpc",
    }
}
