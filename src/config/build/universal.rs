//! Reads `duo.prompt` and `duo.universal`: whether browsers are sent to Duo's Universal Prompt, by
//! which "Web SDK" application, and which hosts they may come back to.

use super::text::printable;
use crate::config::error::{Code, Fault, Faults, echo};
use crate::config::keys;
use crate::config::reader::{Entry, Section};
use crate::config::secrets::Secrets;
use crate::config::{Destination, Universal};
use crate::duo::ApiHost;
use crate::duo::universal::{CallbackHost, CallbackHostFault, WebSdk, WebSdkFault};

/// As the title of a push.
const MAX_DESTINATION: usize = 64;

/// Whether browsers are sent to Duo's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prompt {
    /// They get the filter's own page.
    Own,
    /// They are sent to Duo's.
    Universal,
}

/// Reads `prompt` of a `duo` section. For a named application, the default is that of `root`, the
/// section at the root.
#[inline(never)]
pub(super) fn prompt(duo: &Section<'_>, root: Option<&Section<'_>>, faults: &mut Faults) -> Prompt {
    let words = [("own", Prompt::Own), ("universal", Prompt::Universal)];
    let of_root = || root?.find("prompt")?.choice(&words).ok();
    let Some(prompt) = duo.find("prompt").map_or_else(
        || Some(of_root().unwrap_or(Prompt::Own)),
        |entry| faults.keep(entry.choice(&words)),
    ) else {
        return Prompt::Own;
    };
    match (prompt, duo.find("universal")) {
        (Prompt::Own, Some(entry)) => {
            let problem = "has no effect without prompt: universal";
            let fix = "write \"prompt\": \"universal\" beside it, or remove it";
            faults.push(entry.fault(Code::ConflictingKeys, problem, fix));
        }
        (Prompt::Universal, None) if duo.is_readable() => {
            let problem = "is missing, and prompt is universal";
            let fix = "write client_id, client_secret and hosts of an application of type \
                       \"Web SDK\", or \"prompt\": \"own\"";
            faults.push(Fault::new(Code::MissingKey, duo.path_of("universal"), problem, fix));
        }
        (Prompt::Own, None) | (Prompt::Universal, Some(_) | None) => {}
    }
    if prompt == Prompt::Universal {
        for entry in ["enrollment", "remembered_devices"].iter().filter_map(|key| duo.find(key)) {
            if entry.is_false() || entry.text() == Ok("off") {
                continue;
            }
            let problem = "has no effect with prompt: universal, since Duo's page does this";
            faults.push(entry.fault(Code::ConflictingKeys, problem, "remove it"));
        }
    }
    prompt
}

/// Reads `duo.universal`. For a named application, `main` is the one at the root, which gives the
/// defaults of `hosts` and `destination`.
#[inline(never)]
pub(super) fn universal(
    duo: &Section<'_>,
    api_host: Option<&ApiHost>,
    main: Option<&Universal>,
    secrets: &Secrets<'_>,
    faults: &mut Faults,
) -> Option<Universal> {
    // A missing section is already recorded as a fault.
    duo.find("universal")?;
    let section = duo.section("universal", keys::UNIVERSAL, faults);
    let fix =
        "copy \"Client ID\" from the page of the \"Web SDK\" application in Duo's admin panel";
    let client_id = section.require("client_id", fix, faults, |entry| Ok(entry.clone()));
    let fix = "name the environment variable that holds it, as in {\"env\": \"DUO_CLIENT_SECRET\"}";
    let client_secret = section.require("client_secret", fix, faults, |entry| Ok(entry.clone()));
    let hosts = hosts(&section, main, faults);
    let destination = section.read("destination", faults, destination);
    let origin = section
        .read("browser_origin", faults, |entry| browser_origin(entry, secrets.inline_is_allowed));

    let secret = client_secret.as_ref().and_then(|entry| secrets.read(entry, faults));
    let (id_entry, secret_entry, api_host) = (client_id?, client_secret?, api_host?);
    let id = faults.keep(id_entry.text())?;
    let web_sdk = WebSdk::new(api_host.clone(), id, secret?).map_err(|fault| {
        let (entry, code, fix) = match fault {
            WebSdkFault::ClientIdLength { .. } | WebSdkFault::ClientIdCharacter => {
                let fix = "write the client ID, 20 letters and digits that begin with \"DI\"";
                (id_entry, Code::InvalidIntegrationKey, fix)
            }
            WebSdkFault::ClientSecretLength { .. } | WebSdkFault::ClientSecretCharacter => {
                let fix = "copy \"Client secret\", of 40 characters, from the application's page";
                (secret_entry, Code::InvalidSecretKey, fix)
            }
        };
        entry.fault(code, fault.to_string(), fix)
    });
    let web_sdk = faults.keep(web_sdk)?;
    let of_main = main.filter(|main| main.web_sdk.api_host() == api_host);
    let origin = origin.unwrap_or_else(|| {
        of_main.map_or_else(|| format!("https://{api_host}"), |it| it.origin.clone())
    });
    Some(Universal {
        web_sdk,
        hosts: hosts?,
        destination: destination.or_else(|| Some(main?.destination.clone())).unwrap_or_default(),
        origin,
    })
}

fn hosts(
    section: &Section<'_>,
    main: Option<&Universal>,
    faults: &mut Faults,
) -> Option<Vec<CallbackHost>> {
    const FIX: &str = "name the hosts of the application, as in [\"app.example.com\"]";
    if let (None, Some(main)) = (section.find("hosts"), main) {
        return Some(main.hosts.clone());
    }
    let entries = section.require("hosts", FIX, faults, |entry| entry.filled_list(FIX))?;
    let mut hosts = Vec::new();
    for entry in &entries {
        let Some(host) = faults.keep(callback_host(entry)) else { continue };
        if hosts.contains(&host) {
            let problem = "is the same host as one before it";
            faults.push(entry.fault(Code::DuplicateEntry, problem, "keep one of them"));
        } else {
            hosts.push(host);
        }
    }
    Some(hosts)
}

fn callback_host(entry: &Entry<'_>) -> Result<CallbackHost, Fault> {
    let text = entry.text()?;
    text.parse().map_err(|fault: CallbackHostFault| {
        let fix = "write it as in \"app.example.com\" or \"*.apps.example.com\"";
        entry.fault(Code::InvalidHost, format!("{}: {fault}", echo(text)), fix)
    })
}

fn destination(entry: &Entry<'_>) -> Result<Destination, Fault> {
    if entry.is_false() {
        // A bare `off` in YAML arrives as `false`.
        return Ok(Destination::Off);
    }
    Ok(match printable(entry, MAX_DESTINATION)? {
        "host" => Destination::Host,
        "off" => Destination::Off,
        name => Destination::Text(name.to_owned()),
    })
}

/// The origin at which a browser reaches a simulator of Duo. It must be on loopback, where Duo
/// never is.
fn browser_origin(entry: &Entry<'_>, is_demo: bool) -> Result<String, Fault> {
    let text = entry.text()?;
    if !is_demo {
        let problem = "sends browsers to another server than Duo, which is allowed only in a demo";
        let fix = "remove it (for a demo only: \"allow_inline_secrets\": true)";
        return Err(entry.fault(Code::InvalidOrigin, problem, fix));
    }
    if is_loopback(text) {
        return Ok(text.to_owned());
    }
    let problem = format!("{} is not an origin on loopback", echo(text));
    Err(entry.fault(Code::InvalidOrigin, problem, "write it as in \"http://127.0.0.1:10001\""))
}

fn is_loopback(origin: &str) -> bool {
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    let Some(authority) = authority else { return false };
    ["localhost", "127.0.0.1", "[::1]"].iter().filter_map(|it| authority.strip_prefix(it)).any(
        |rest| {
            let port = rest.strip_prefix(':');
            let is_port = |digits: &str| {
                digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok()
            };
            rest.is_empty() || port.is_some_and(is_port)
        },
    )
}
