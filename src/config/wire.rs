//! Converts the host's bytes to one JSON value.
//!
//! Envoy passes a `StringValue` as its text and a `Struct` as serialized protobuf
//! (<https://protobuf.dev/reference/protobuf/google.protobuf/#struct>). The two cannot be confused:
//! a `Struct` with any member has the byte 0x12, which no JSON text has.

use super::error::{Code, Fault, Faults, member};
use super::protobuf;
use crate::json::{self, Json};

/// The first byte of a `Struct` with a member: field 1, length-delimited.
const STRUCT_TAG: u8 = 0x0a;

/// Reads JSON text or a `Struct`.
pub(super) fn read(bytes: &[u8], faults: &mut Faults) -> Option<Json> {
    if bytes.trim_ascii().is_empty() {
        faults.push(Fault::new(
            Code::Empty,
            "",
            "there is no configuration",
            "put JSON text into the plugin's `configuration`, as a google.protobuf.StringValue; in \
             Istio it is pluginConfig, in Envoy Gateway config",
        ));
        return None;
    }
    let value = faults.keep(decoded(bytes))?;
    find_repeated("", &value, faults);
    Some(value)
}

fn decoded(bytes: &[u8]) -> Result<Json, Fault> {
    Json::read(bytes).or_else(|fault| {
        if bytes.first() == Some(&STRUCT_TAG) {
            protobuf::read(bytes).map_err(|_| not_json(fault))
        } else {
            Err(not_json(fault))
        }
    })
}

fn not_json(fault: json::Fault) -> Fault {
    let fix = "write one JSON object, as a google.protobuf.StringValue or a google.protobuf.Struct";
    Fault::new(Code::Malformed, "", fault.to_string(), fix)
}

/// Records a fault for each name that is in one object twice, at any depth.
fn find_repeated(path: &str, value: &Json, faults: &mut Faults) {
    if let Some(members) = value.object() {
        for name in members.repeated() {
            let problem = "is in its object more than once";
            let path = member(path, name);
            faults.push(Fault::new(Code::DuplicateKey, path, problem, "keep one of them"));
        }
        for (name, value) in members.iter() {
            find_repeated(&member(path, name), value, faults);
        }
    }
    for (index, value) in value.list().unwrap_or_default().iter().enumerate() {
        find_repeated(&format!("{path}[{index}]"), value, faults);
    }
}

#[cfg(test)]
mod tests;
