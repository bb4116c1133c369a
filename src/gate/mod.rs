//! The state machine of one request.
//!
//! In go a request's head, the moment, what the host knows of the stream, and later Duo's answers;
//! out comes one [`Step`] at a time, with exactly one effect in it: forward the request, answer
//! it, make one call to Duo, claim a push in the table of [`limit`]s or read a form, and come back
//! with the answer. A flow exists only while an answer is outstanding, so a request can be neither
//! paused with nothing to wait for, nor answered and forwarded.
//!
//! Who waits for an answer is either a held request (`hold`), which goes on in the end or is
//! refused, or a visit (`visit`) to an address of the filter's own, by a browser mostly, which is
//! always answered. Both go through one `flow`, one table of faults and one path to a claim.
//!
//! [`Gate::open`] is the whole of what a request with a valid approval cookie costs; it reads the
//! header map in place. [`Gate::ask`] begins everything else. Nothing here knows Envoy: no context
//! ids, tokens or clusters' health; time and random bytes are values.

mod ask;
mod audit;
mod body;
mod call;
mod challenge;
pub mod check;
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

pub use body::{Body, Form};
pub use call::{Call, is_due};
pub use check::{Check, CheckStep, Found};
pub use configured::{Gate, HostFacts};
pub use decision::{AuditLine, Contact, Decision, End, Forward, Learned, NewCookie, Notes};
pub use env::Env;
pub use event::{Event, Unanswered};
pub use flow::{Claimant, Effect, Flow, Step};
pub use health::{Health, Standing};
pub use health_record::HealthRecord;
pub use judgement::{Judgement, Outcome};
pub use logo::Logo;
pub use open::{Opening, Undecided};
pub use room::{By, Crowded, Room, Seat};
