//! JSON as values: what the configuration is read from and what Duo answers.
//!
//! In go bytes, out comes one [`Json`], or a [`Fault`] that says where the text ends to be JSON. A
//! name that stands in an object twice is noted by its [`Members`], since two readers of such a
//! text may take it for two things. Whole numbers are exact, all others
//! are doubles.
//!
//! The other way, [`ObjectText`] writes objects of texts and numbers.
//!
//! serde_json reads and quotes. One shape for all texts, and no derived readers: each of those is
//! code of its own in a module whose size counts. Nothing here knows what a member means.

mod object_text;
mod read;
mod value;

pub use object_text::ObjectText;
pub use read::Fault;
pub use value::{Json, Members};

#[cfg(test)]
mod tests;
