//! What the filter answers with its own words.
//!
//! A problem document (RFC 9457) for programs and scripts: status, stable code, what happened and
//! what to do, and a reference that also stands in the log. In go typed values; out comes a
//! [`crate::http::Reply`] that is never cached or framed. Nothing here decides anything, and
//! nothing here knows a key, a cookie or Duo's answers.

mod problem;

pub use problem::{Problem, Reference};
