//! The state machine of one request.
//!
//! In goes a request's head, facts from the host, and later Duo's answers. Out comes one [`Step`]
//! at
//! a time, with one [`Effect`]: forward or answer the request, make one call to Duo, request a
//! permit
//! from the table of [`limit`]s, or read a body, and come back with the outcome. A [`Flow`] exists
//! only while a call is outstanding, so a request can be neither paused with nothing to wait for,
//! nor answered and forwarded.
//!
//! [`Gate::open`] is the whole cost of a request with a valid approval cookie; it reads the header
//! map in place. [`Gate::ask`] begins everything else. Nothing here knows Envoy: no context ids,
//! tokens or clusters' health; time and random bytes are values.
//!
//! # A held request
//!
//! A program's request waits until Duo has decided.
//!
//! ```text
//! host            open/ask        hold            exchange        Duo
//!  | head           |               |                |             |
//!  |--------------->| no approval   |                |             |
//!  |                |-------------->| Preauth        |             |
//!  |                |               |--------------->| Call        |
//!  |<------------------------------------------------|             |
//!  |-------------------------------------------------------------->|
//!  |<--------------------------------------------------------------| devices
//!  | Event          |               |<---------------|             |
//!  |                |               | Permit         |             |
//!  |<------------------------------------------------| Permit      |
//!  | Verdict        |               |                |             |
//!  |------------------------------->| Push           |             |
//!  |                |               |--------------->| Call: auth ->|
//!  |                |               | Status         | Call: poll ->| allow
//!  |<-------------------------------| End: Forward with the cookie |
//! ```
//!
//! # A sign-in in a browser
//!
//! Each request to an endpoint is answered; the browser carries the pending sign-in.
//!
//! ```text
//! browser         host            endpoints       exchange        Duo
//!  | POST auth      |               |                |             |
//!  |--------------->|-------------->| Preauth, then a Permit, then Push -> Call: auth
//!  |<---------------|<--------------| 202 and the sealed, pending sign-in |
//!  | GET status     |               |                |             |
//!  |--------------->|-------------->| Status         | Call: poll ->| waiting
//!  |<---------------|<--------------| 200, ask again in a second   |
//!  | GET status     |               |                |             |
//!  |--------------->|-------------->| Status         | Call: poll ->| allow
//!  |                |               | Permit: a sign-in gives one approval
//!  |<---------------|<--------------| 200 and the approval cookie  |
//! ```
//!
//! A state that waits returns `exchange::Next` and never calls the exchange. `tests/core/layers.rs`
//! has the floors of this folder: a file imports from its own floor or below.

mod ask;
mod audit;
mod body;
mod call;
mod challenge;
mod configured;
mod decision;
mod endpoints;
mod env;
mod event;
mod exchange;
mod factors;
pub mod failure;
mod flow;
mod foreign_form;
mod form;
mod headers;
mod health;
mod health_record;
mod hold;
mod in_place;
mod judgement;
mod last_prompt;
pub mod limit;
mod logo;
mod open;
mod pending;
mod per_client;
mod per_request;
pub mod probe;
mod prompt;
mod redirect;
mod refuse;
mod request_line;
pub mod response;
mod room;
mod route;
mod rules;
mod same_request;
mod sign_out;
mod view;

pub use body::{AwaitedBody, Body};
pub use call::{Call, is_due};
pub use configured::{Gate, HostFacts};
pub use decision::{AuditLine, Contact, Decision, End, Forward, Learned, NewCookie, Notes};
pub use env::Env;
pub use event::{Event, Unanswered};
pub use flow::{AwaitingPermit, Effect, Flow, Step};
pub use health::{Health, Standing};
pub use health_record::HealthRecord;
pub use judgement::{Judgement, Outcome};
pub use logo::Logo;
pub use open::{Opening, Undecided};
pub use probe::{Found, Probe, ProbeStep};
pub use room::{By, Crowded, Room, Seat};
