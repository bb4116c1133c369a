//! The state machine of one request.
//!
//! In goes a request's head, facts from the host, and later Duo's responses. Out comes one [`Step`]
//! at a time, with one [`Effect`]: forward the request or reply to it, make one call to Duo,
//! request a permit from the table of [`limit`]s, or read a body. The host then returns with the
//! outcome. A [`Flow`] exists only while a call is outstanding. So a request can be neither paused
//! with nothing to wait for, nor both answered and forwarded.
//!
//! For a request with a valid approval cookie only [`Gate::open`] runs; it reads the header map
//! without copying. [`Gate::ask`] begins everything else. Nothing here knows Envoy: no context ids,
//! tokens or health of clusters. Time and random bytes are values.
//!
//! # A held request
//!
//! A program's request is held until Duo has decided.
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
//!  | (if the fleet has a limit, a rate limit service is asked here) |
//!  |------------------------------->| Push           |             |
//!  |                |               |--------------->| Call: auth ->|
//!  |                |               | Status         | Call: poll ->| allow
//!  |<-------------------------------| End: Forward with the cookie |
//! ```
//!
//! # A sign-in in a browser
//!
//! Each request to an endpoint gets a reply; the browser carries the pending sign-in.
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
//! lists the floors of this folder: a file may import only from its own floor or a lower one.

mod approver;
mod ask;
mod assertion;
mod audit;
mod body;
mod breaker;
mod call;
mod challenge;
mod configured;
mod counters;
mod decision;
mod endpoints;
mod env;
mod event;
mod exchange;
mod factors;
pub mod failure;
mod fleet;
mod flow;
mod foreign_form;
mod form;
mod headers;
mod health;
mod health_record;
mod hold;
mod in_place;
mod judgement;
mod key_pair;
mod last_prompt;
pub mod limit;
mod loaded;
mod logo;
mod open;
mod pending;
mod per_client;
mod per_request;
pub mod probe;
mod prompt;
mod readiness;
mod redirect;
mod refusal;
mod refusals;
mod refuse;
mod request_line;
pub mod response;
mod room;
mod route;
mod rules;
mod same_request;
mod sign_out;
mod trail;
mod universal;
mod view;

pub use body::{AwaitedBody, Body};
pub use breaker::{Breaker, Pass};
pub use call::{Call, is_due};
pub use configured::{Gate, HostFacts};
pub use counters::{asked_factors, counters};
pub use decision::{
    AuditLine, CallEnd, Contact, Decision, End, Forward, Learned, NewCookie, Notes,
};
pub use env::Env;
pub use event::{Event, Unanswered};
pub use fleet::FleetQuestion;
pub use flow::{AwaitingPermit, Effect, Flow, Step};
pub use headers::ForwardedAs;
pub use health::{Health, Standing};
pub use health_record::HealthRecord;
pub use judgement::{Judgement, Outcome};
pub use key_pair::{Api, KeyPair};
pub use loaded::Loaded;
pub use logo::Logo;
pub use open::{Opening, Undecided};
pub use probe::{Found, Probe, ProbeStep};
pub use refusal::Refusal;
pub use room::{By, Crowded, Room, Seat};
