//! The look of the prompt page, and its help text.

use super::text::printable;
use crate::config::error::{Code, Fault, Faults, echo};
use crate::config::reader::{Entry, Section};
use crate::page::{Accent, Branding, DataImage, DisplayText, Link, Logo};

const MAX_NAME: usize = 64;

/// `has_auth_api` is whether the `duo` section at the root has the keys to fetch Duo's picture.
#[inline(never)]
pub(super) fn look(section: &Section<'_>, has_auth_api: bool, faults: &mut Faults) -> Branding {
    let text = |most| move |entry: &Entry<'_>| printable(entry, most).map(DisplayText::new);
    Branding {
        name: section.read("name", faults, text(MAX_NAME)).unwrap_or_default(),
        logo: section.read("logo", faults, |entry| logo(entry, has_auth_api)),
        accent: section.read("accent", faults, accent),
        help_text: section.read("help_text", faults, text(DisplayText::LENGTH)),
        help_url: section.read("help_url", faults, link),
        sign_out_url: section.read("sign_out_url", faults, link),
    }
}

/// Messages never repeat the picture, which would fill the log.
fn logo(entry: &Entry<'_>, has_auth_api: bool) -> Result<Logo, Fault> {
    let text = entry.text()?;
    if text == "duo" && has_auth_api {
        return Ok(Logo::Served);
    }
    if text == "duo" {
        let problem = "is fetched by the Auth API, and duo has no integration_key";
        let fix = "write the picture itself, as \"data:image/png;base64,...\", or remove it";
        return Err(entry.fault(Code::ConflictingKeys, problem, fix));
    }
    DataImage::new(text).map(Logo::Data).map_err(|_| {
        let fix = "write \"duo\" for Duo's, or \"data:image/png;base64,...\", 64 kB at most";
        entry.fault(Code::InvalidLogo, "is not a picture in a data: URI", fix)
    })
}

fn accent(entry: &Entry<'_>) -> Result<Accent, Fault> {
    let text = entry.text()?;
    Accent::new(text).map_err(|fault| {
        let fix = "write a colour as in \"#0b5fff\"";
        entry.fault(Code::InvalidAccent, format!("{} cannot be used: {fault}", echo(text)), fix)
    })
}

fn link(entry: &Entry<'_>) -> Result<Link, Fault> {
    let text = entry.text()?;
    Link::new(text).map_err(|fault| {
        let fix = "write an address as in \"https://help.example.com/\"";
        entry.fault(Code::InvalidLink, format!("{} cannot be used: {fault}", echo(text)), fix)
    })
}
