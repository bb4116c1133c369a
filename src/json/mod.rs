//! JSON as values, for the configuration and for Duo's responses.
//!
//! In go bytes, out comes one [`Json`], or a [`Fault`] with the place at which the text stops being
//! JSON. [`Members`] notes a name that occurs twice in an object, since two readers may take
//! different values for it. Whole numbers are exact, all others are doubles.
//!
//! The other way, [`ObjectText`] writes objects of texts and numbers.
//!
//! serde_json reads and quotes. There is one type for all texts, since each derived reader would
//! add code to a module whose size counts. Nothing here knows the meaning of a member.

mod canonical;
mod object_text;
mod read;
mod value;

pub use object_text::ObjectText;
pub use read::Fault;
pub use value::{Json, Members};

#[cfg(test)]
mod tests;
