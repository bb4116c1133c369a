//! Answers to a call that Envoy gives rarely or never.

use super::{BAD_ARGUMENT, CAS_MISMATCH, INTERNAL_FAILURE, NOT_FOUND, UNIMPLEMENTED};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Odd {
    /// The call is not executed, and has this status.
    Status(i32),
    /// A buffer of the answer is empty.
    Empty,
    /// Half of a buffer is missing.
    Short,
    /// A buffer has other bytes.
    Garbage,
    /// A buffer is a mebibyte larger.
    Huge,
}

const BUFFERS: [Odd; 4] = [Odd::Empty, Odd::Short, Odd::Garbage, Odd::Huge];

/// All odd answers to a call.
pub(crate) fn odds(call: &str) -> Vec<Odd> {
    let statuses: &[i32] = match call {
        "proxy_get_property" => &[NOT_FOUND, INTERNAL_FAILURE],
        // Not `NOT_FOUND`: shared data that is lost is lost for good.
        "proxy_get_shared_data" => &[INTERNAL_FAILURE, UNIMPLEMENTED],
        "proxy_set_shared_data" => &[CAS_MISMATCH, INTERNAL_FAILURE],
        // With `BAD_ARGUMENT`, Envoy says that it does not know the context.
        "proxy_set_effective_context" => &[INTERNAL_FAILURE, BAD_ARGUMENT],
        "proxy_http_call" => &[BAD_ARGUMENT, INTERNAL_FAILURE],
        "proxy_log" | "proxy_define_metric" | "proxy_increment_metric" => &[INTERNAL_FAILURE],
        _ => &[INTERNAL_FAILURE, UNIMPLEMENTED],
    };
    let statuses = statuses.iter().map(|status| Odd::Status(*status));
    let buffers = match call {
        "proxy_get_shared_data"
        | "proxy_get_property"
        | "proxy_get_header_map_pairs"
        | "proxy_get_buffer_bytes" => &BUFFERS[..],
        _ => &[],
    };
    statuses.chain(buffers.iter().copied()).collect()
}

impl Odd {
    /// Whether Envoy says by this that a stream or a configuration has ended, so that nobody waits for it.
    pub(crate) fn is_an_end(self, call: &str) -> bool {
        call == "proxy_set_effective_context" && self == Self::Status(BAD_ARGUMENT)
    }

    /// The answer in place of these bytes.
    pub(super) fn change(self, mut bytes: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Status(_) => {}
            Self::Empty => bytes.clear(),
            Self::Short => bytes.truncate(bytes.len() / 2),
            Self::Garbage => bytes = (0..96_u8).map(|it| it.wrapping_mul(149) ^ 0x5a).collect(),
            Self::Huge => bytes.resize(bytes.len() + (1 << 20), b'x'),
        }
        bytes
    }
}
