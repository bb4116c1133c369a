//! The targets of the fuzzer: functions that take any bytes, and panic if a promise is broken.

mod accept_language;
mod callback;
mod client;
mod config_json;
mod config_struct;
mod conversation;
mod cookie;
mod duo;
mod form;
mod gate;
mod head;
mod host;
mod id_token;
mod identity;
mod json;
mod parts;
mod path;
mod return_path;
mod tokens;

/// Takes any bytes; panics if a promise is broken.
pub(crate) type Target = fn(&[u8]);

/// All targets by their names, which are also those of their folders in `tests/fuzz/corpus`.
pub(crate) const ALL: [(&str, Target); 18] = [
    ("accept_language", accept_language::target),
    ("callback", callback::target),
    ("client", client::target),
    ("config_json", config_json::target),
    ("config_struct", config_struct::target),
    ("conversation", conversation::target),
    ("cookie", cookie::target),
    ("duo", duo::target),
    ("form", form::target),
    ("gate", gate::target),
    ("head", head::target),
    ("host", host::target),
    ("id_token", id_token::target),
    ("identity", identity::target),
    ("json", json::target),
    ("path", path::target),
    ("return_path", return_path::target),
    ("tokens", tokens::target),
];
