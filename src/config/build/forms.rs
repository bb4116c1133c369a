//! `cross_site_forms`: the paths that accept forms from other sites.

use super::super::error::{Code, Fault, Faults, echo};
use super::super::reader::{Entry, Section};
use crate::http::ReturnPath;

/// Reads the paths. `request_bodies` is the value of the key of this name; `None` if it is absent
/// or at fault.
#[inline(never)]
pub(super) fn cross_site(
    root: &Section<'_>,
    request_bodies: Option<bool>,
    faults: &mut Faults,
) -> Vec<String> {
    let entries = root.read("cross_site_forms", faults, Entry::list).unwrap_or_default();
    if let (Some(first), false) = (root.find("cross_site_forms"), request_bodies == Some(true))
        && !entries.is_empty()
    {
        let problem = "has no effect, since the filter reads no bodies";
        let fix = "add \"request_bodies\": true, and allow_on_headers_stop_iteration: true to the \
                   plugin's Envoy configuration";
        faults.push(first.fault(Code::ConflictingKeys, problem, fix));
    }
    entries.iter().filter_map(|entry| faults.keep(path(entry))).collect()
}

/// One path, exactly as browsers send it.
fn path(entry: &Entry<'_>) -> Result<String, Fault> {
    let path = entry.text()?;
    let is_whole = ReturnPath::parse(path.as_bytes()).as_str() == path;
    if is_whole && !path.contains(['?', '#', '*', ';']) {
        return Ok(path.to_owned());
    }
    let problem = format!("{} is not a path that a request can have", echo(path));
    let fix = "write one whole path as browsers send it, as in \"/saml/acs\"";
    Err(entry.fault(Code::InvalidPattern, problem, fix))
}
