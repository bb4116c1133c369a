//! The paths at which the application or the first factor signs out, so that the approval ends too.

use crate::config::error::{Code, Fault, Faults, echo};
use crate::config::reader::{Entry, Section};
use crate::http::path::canonical;

/// More are hardly useful, and each is compared with the path of every request.
const MAX_PATHS: usize = 16;

/// The exact paths of `session.logout_paths`; empty if it is absent.
#[inline(never)]
pub(super) fn paths(session: &Section<'_>, prefix: &str, faults: &mut Faults) -> Vec<String> {
    let entries = session.read("logout_paths", faults, Entry::list).unwrap_or_default();
    if let (Some(entry), true) = (session.find("logout_paths"), entries.len() > MAX_PATHS) {
        let problem = format!("has {} entries; the limit is {MAX_PATHS}", entries.len());
        faults.push(entry.fault(Code::InvalidPattern, problem, "remove some"));
        return Vec::new();
    }
    let mut paths: Vec<String> = Vec::new();
    for entry in &entries {
        let Some(path) = faults.keep(path_of(entry, prefix)) else { continue };
        if paths.iter().any(|before| before == path) {
            let problem = "is the same path as one before it";
            faults.push(entry.fault(Code::DuplicateEntry, problem, "keep one of them"));
        } else {
            paths.push(path.to_owned());
        }
    }
    paths
}

fn path_of<'v>(entry: &Entry<'v>, prefix: &str) -> Result<&'v str, Fault> {
    let path = entry.text()?;
    let is_path = canonical(path.as_bytes()).is_ok_and(|it| it == path.as_bytes());
    let is_own =
        path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let problem = if !is_path || path.contains(['*', '?', '#']) {
        "is not a path that a request can have"
    } else if is_own {
        "is an address of the filter, where POST logout signs out"
    } else {
        return Ok(path);
    };
    let fix = "write an exact path, as in \"/oauth2/sign_out\", without a query or a pattern";
    Err(entry.fault(Code::InvalidPattern, format!("{} {problem}", echo(path)), fix))
}
