//! The targets of the fuzzer: functions that take any bytes, and panic if a promise is broken.

mod accept_language;
mod callback;
mod client;
mod cookie;
mod form;
mod head;
mod host;
mod json;
mod parts;
mod path;
mod return_path;

/// Takes any bytes; panics if a promise is broken.
pub(crate) type Target = fn(&[u8]);

/// All targets by their names, which are also those of their folders in `tests/fuzz/corpus`.
pub(crate) const ALL: [(&str, Target); 10] = [
    ("accept_language", accept_language::target),
    ("callback", callback::target),
    ("client", client::target),
    ("cookie", cookie::target),
    ("form", form::target),
    ("head", head::target),
    ("host", host::target),
    ("json", json::target),
    ("path", path::target),
    ("return_path", return_path::target),
];
