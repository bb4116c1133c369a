//! The filter's own pages and documents, for people and programs.
//!
//! For people: one HTML page whose state is a [`Screen`], in five languages, with a style sheet and
//! a script that are part of the module. It works without the script: every button is a form that
//! posts to its own address. For programs and for the script: JSON, and problem documents (RFC
//! 9457) with a stable code and a reference that is also in the log.
//!
//! In go typed values; out comes a [`crate::http::Reply`]. Text from users and from Duo comes as
//! [`DisplayText`], addresses as [`Link`], and both are escaped when they are written. Nothing here
//! decides anything, and nothing here knows a key, a cookie, a request or Duo's responses.

mod accent;
mod asset;
mod display_text;
mod frame;
mod html;
mod json;
mod link;
mod problem;
mod qr;
mod screen;
mod site;
mod text;
mod words;

pub use accent::{Accent, AccentFault, Colour};
pub use display_text::DisplayText;
pub use frame::{Arrival, Frame};
pub use json::{EnrollmentReply, PreauthReply, SignInReply, StartReply, UserInfo};
pub use link::{DataImage, Link, LinkFault, Logo, NoImage};
pub use problem::{Onward, Problem};
pub use screen::{
    Activation, Awaited, Choices, Device, DeviceKind, Enrollment, Screen, Standing, Waiting,
};
pub use site::{Branding, Site};
pub use text::Language;
