//! The properties to which approvals are bound, besides their user.

use super::identity::metadata;
use crate::config::error::{Code, Fault, Faults};
use crate::config::keys;
use crate::config::reader::{Entry, Section};
use crate::identity::Source;
use crate::session::{Binding, Bindings};

const FIX: &str = "write \"certificate\", \"ip_prefix\" or {\"metadata\": [\"filter\", \"key\"]}";

#[inline(never)]
pub(super) fn bindings(session: &Section<'_>, faults: &mut Faults) -> Bindings {
    let list = session.read("bind", faults, Entry::list).unwrap_or_default();
    let mut bindings = Vec::new();
    for entry in &list {
        let Some(binding) = binding(entry, faults) else { continue };
        if bindings.contains(&binding) {
            let problem = "is the same as one before it";
            faults.push(entry.fault(Code::DuplicateEntry, problem, "keep one of them"));
        } else {
            bindings.push(binding);
        }
    }
    Bindings::new(bindings)
}

fn binding(entry: &Entry<'_>, faults: &mut Faults) -> Option<Binding> {
    if entry.is_text() {
        let words = [("certificate", true), ("ip_prefix", false)];
        let is_certificate = faults.keep(entry.choice(&words))?;
        return Some(if is_certificate { Binding::Certificate } else { Binding::IpPrefix });
    }
    let section = Section::open(entry, keys::BINDING, faults);
    section.require("metadata", FIX, faults, property)
}

fn property(entry: &Entry<'_>) -> Result<Binding, Fault> {
    let source = metadata(entry, Source::metadata)?;
    Ok(Binding::Metadata(source.attribute().unwrap_or_default().to_vec()))
}
