//! HTTP as the filter sees it: a request's head read in place, cookies, header values that are
//! safe to send, replies.
//!
//! In go the bytes that the host serialized; out come slices of them and typed values. Bytes stay
//! bytes: a header becomes text only after a grammar here has accepted it. Nothing in this folder
//! knows Duo, sessions, configuration or the host.

pub mod accept;
mod agent;
pub mod authority;
pub mod cookie;
pub mod edit;
pub mod head;
mod header_map;
pub mod hints;
pub mod likeness;
pub mod name;
pub mod origin;
pub mod overrides;
pub mod parameters;
pub mod path;
pub mod peer;
pub mod reply;
pub mod return_path;
pub mod value;

pub use accept::Client;
pub use edit::Edit;
pub use head::{HeadFault, NotSole, RequestHead};
pub use header_map::{HeaderMap, MalformedMap, Pairs};
pub use parameters::Parameters;
pub use reply::Reply;
pub use return_path::ReturnPath;
pub use value::{ControlByte, HeaderValue};
