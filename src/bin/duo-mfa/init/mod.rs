//! `duo-mfa init`: a ready set of files for a way to run the filter.

mod draft;
mod factor;
mod files;

use crate::Outcome;
use crate::keygen;
use crate::output::{complain, say};
use factor::FirstFactor;
use files::Made;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The file with the secrets.
const VARIABLES: &str = "duo-mfa.env";

/// Write the files for a deployment: configuration, secrets' file, and the next commands
///
/// No file is overwritten. Secrets are in duo-mfa.env alone, which only its owner can read. Exit
/// status: 0 if all files were written, 1 if the options do not fit together, 2 if a file is there
/// already or cannot be written.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where the filter runs
    #[arg(long = "for", value_enum, value_name = "WHERE")]
    target: Target,
    /// Duo's API host, from the application's page in Duo's admin panel
    #[arg(long, value_name = "HOST", value_parser = host)]
    api_host: String,
    /// The integration key of the application of type "Auth API"
    #[arg(long, value_name = "KEY", alias = "ikey", value_parser = integration_key)]
    integration_key: String,
    /// The host name that users open
    #[arg(long, value_name = "HOST", value_parser = host)]
    host: String,
    /// The application: HOST:PORT, and in Kubernetes the name and port of its Service
    #[arg(long, value_name = "HOST:PORT", value_parser = upstream)]
    upstream: Option<(String, u16)>,
    /// How users sign in first
    #[arg(long, value_enum, default_value = "jwt", value_name = "KIND")]
    first_factor: FirstFactor,
    /// With --first-factor jwt: the identity provider's issuer, an https address
    #[arg(long, value_name = "URL", value_parser = url)]
    issuer: Option<String>,
    /// The address of the provider's keys, if it is not ISSUER/.well-known/jwks.json
    #[arg(long, value_name = "URL", value_parser = url)]
    jwks: Option<String>,
    /// The audience of the provider's tokens, if it is not the host
    #[arg(long, value_name = "NAME", value_parser = audience)]
    audience: Option<String>,
    /// Where browsers sign in: at the filter's page, or at Duo's (universal), which needs --client-id
    #[arg(long, value_enum, default_value = "auth-api", value_name = "PROMPT")]
    prompt: Prompt,
    /// The client ID of the application of type "Web SDK"
    #[arg(long, value_name = "ID", value_parser = integration_key)]
    client_id: Option<String>,
    /// The Kubernetes namespace
    #[arg(long, value_name = "NAME", value_parser = word)]
    namespace: Option<String>,
    /// The image with the module, for Istio and Envoy Gateway
    #[arg(long, value_name = "IMAGE", default_value = "registry.example.com/duo-mfa:0.1.0")]
    image: String,
    /// Write the files here
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
}

/// Where the filter runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Target {
    /// Envoy alone
    Envoy,
    /// Istio's ingress gateway
    Istio,
    /// Envoy Gateway
    EnvoyGateway,
    /// An Envoy in Kubernetes, behind any ingress
    Kubernetes,
}

/// Where browsers sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Prompt {
    /// At the filter's page
    AuthApi,
    /// At Duo's Universal Prompt
    Universal,
}

/// The application's Service in Kubernetes.
struct Service {
    name: String,
    /// `None` for that of Envoy's pods.
    namespace: Option<String>,
    port: u16,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    if let Some(conflict) = arguments.conflict() {
        complain!("duo-mfa: {conflict}");
        return Outcome::Faulty;
    }
    match made(arguments).and_then(|files| written(&arguments.folder, &files)) {
        Ok(paths) => {
            paths.iter().for_each(|path| say!("wrote {}", path.display()));
            say!("{}", arguments.next());
            Outcome::Fine
        }
        Err(error) => {
            complain!("duo-mfa: {error}");
            Outcome::Unreadable
        }
    }
}

type Error = Box<dyn std::error::Error>;

fn made(arguments: &Arguments) -> Result<Vec<Made>, Error> {
    let mut files = files::files(arguments)?;
    files.push((VARIABLES, arguments.variables()?));
    Ok(files)
}

/// Writes all files, or none if one is there already.
fn written(folder: &Path, files: &[Made]) -> Result<Vec<PathBuf>, Error> {
    let paths: Vec<_> = files.iter().map(|(name, _)| folder.join(name)).collect();
    if let Some(path) = paths.iter().find(|path| path.symlink_metadata().is_ok()) {
        let path = path.display();
        let fix = "write into another folder with --folder, or move the file away";
        return Err(format!("{path} is there already, so nothing was written; {fix}").into());
    }
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for ((name, text), path) in files.iter().zip(&paths) {
        write(path, text, *name == VARIABLES)
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(paths)
}

/// Writes a new file. One with secrets can be read by its owner alone, from its first byte on.
fn write(path: &Path, text: &str, has_secrets: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if has_secrets {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = has_secrets;
    options.open(path)?.write_all(text.as_bytes())
}

impl Arguments {
    /// Why the options do not fit together.
    fn conflict(&self) -> Option<&'static str> {
        let is_by_istio = matches!(self.target, Target::Istio | Target::EnvoyGateway);
        let is_jwt = self.first_factor == FirstFactor::Jwt;
        if is_by_istio && !is_jwt {
            Some(
                "for istio and envoy-gateway only --first-factor jwt can be made; docs/deploy has others",
            )
        } else if self.target == Target::Kubernetes && self.first_factor == FirstFactor::Mtls {
            Some(
                "--first-factor mtls needs an Envoy that ends TLS itself, and for kubernetes the ingress \
                 does; use --for envoy",
            )
        } else if is_jwt && self.issuer.is_none() {
            Some("--first-factor jwt needs --issuer, the address of the identity provider")
        } else if self.is_universal() != self.client_id.is_some() {
            Some("--prompt universal and --client-id are used together, or neither of them")
        } else {
            None
        }
    }

    fn is_universal(&self) -> bool {
        self.prompt == Prompt::Universal
    }

    fn upstream(&self) -> (String, u16) {
        let usual = if self.target == Target::Envoy { "127.0.0.1" } else { "app" };
        self.upstream.clone().unwrap_or_else(|| (usual.to_owned(), 8080))
    }

    /// The application's Service, if `--upstream` has the form of one: NAME, NAME.NAMESPACE or
    /// NAME.NAMESPACE.svc and more.
    fn service(&self) -> Option<Service> {
        let (host, port) = self.upstream.clone()?;
        let is_name = |label: &str| !label.starts_with(|first: char| first.is_ascii_digit());
        let (name, namespace) = match host.split('.').collect::<Vec<_>>()[..] {
            [name] => (name, None),
            [name, namespace] | [name, namespace, "svc", ..] => (name, Some(namespace)),
            _ => return None,
        };
        let namespace = namespace.filter(|it| *it != self.namespace()).map(str::to_owned);
        is_name(name).then(|| Service { name: name.to_owned(), namespace, port })
    }

    fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or(match self.target {
            Target::Istio => "istio-ingress",
            Target::EnvoyGateway => "default",
            Target::Envoy | Target::Kubernetes => "app",
        })
    }

    /// The namespace of Envoy's pods, where the Secret belongs.
    fn namespace_of_secret(&self) -> &str {
        match self.target {
            Target::EnvoyGateway => "envoy-gateway-system",
            Target::Envoy | Target::Istio | Target::Kubernetes => self.namespace(),
        }
    }

    fn issuer(&self) -> &str {
        self.issuer.as_deref().unwrap_or_default()
    }

    fn key_set(&self) -> String {
        let usual = || format!("{}/.well-known/jwks.json", self.issuer().trim_end_matches('/'));
        self.jwks.clone().unwrap_or_else(usual)
    }

    fn key_set_host(&self) -> &str {
        let address = self.jwks.as_deref().or(self.issuer.as_deref()).unwrap_or_default();
        host_of(address).unwrap_or_default()
    }

    fn audience(&self) -> &str {
        self.audience.as_deref().unwrap_or(&self.host)
    }

    /// The secrets for Envoy's environment. Those of Duo are to be written by the operator: a command
    /// line would show them to others.
    fn variables(&self) -> Result<String, getrandom::Error> {
        let client = if self.is_universal() {
            "# The client secret of the application of type \"Web SDK\":\n#DUO_CLIENT_SECRET=\n"
        } else {
            ""
        };
        Ok(format!(
            "# The secret key of the application of type \"Auth API\", from its page in Duo's admin panel:\n\
             #DUO_SECRET_KEY=\n{client}# Made at random. All replicas need the same one.\n\
             DUO_MFA_COOKIE_KEY={}\n",
            keygen::key()?
        ))
    }

    /// The steps after this one.
    fn next(&self) -> String {
        let variables = quoted(&self.folder.join(VARIABLES));
        let names = match self.target {
            Target::Envoy | Target::Kubernetes => "envoy.yaml",
            Target::Istio => "gateway.yaml duo-api.yaml authorization-policy.yaml",
            Target::EnvoyGateway => "gateway.yaml mfa.yaml duo-api.yaml",
        };
        let paths = names.split(' ').map(|name| quoted(&self.folder.join(name)));
        let paths = paths.collect::<Vec<_>>().join(" ");
        let secrets = if self.is_universal() {
            "DUO_SECRET_KEY and DUO_CLIENT_SECRET"
        } else {
            "DUO_SECRET_KEY"
        };
        let first = match self.target {
            Target::Envoy => {
                format!("(set -a; . {variables}; envoy --mode validate -c {paths})")
            }
            Target::Istio | Target::EnvoyGateway | Target::Kubernetes => format!(
                "kubectl -n {} create secret generic duo-mfa --from-env-file={variables}",
                self.namespace_of_secret()
            ),
        };
        format!(
            "Write {secrets} into {variables}, and look at the lines marked with \"change\". \
             Then:\n  {first}\n  duo-mfa check {paths} --env-file {variables}\n  \
             duo-mfa doctor {paths} --env-file {variables}"
        )
    }
}

/// A path as one word of a shell's command.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/+=@%:,".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A host name, without scheme and port.
fn host(text: &str) -> Result<String, &'static str> {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let is_host = !text.is_empty() && text.bytes().all(is_fine) && !text.starts_with(['-', '.']);
    is_host
        .then(|| text.to_ascii_lowercase())
        .ok_or("is not a host name; write it without https:// and port")
}

fn integration_key(text: &str) -> Result<String, &'static str> {
    let is_fine = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let is_key = text.len() == 20 && text.starts_with("DI") && text.bytes().all(is_fine);
    is_key.then(|| text.to_owned()).ok_or("has not 20 characters that begin with DI, as Duo's have")
}

fn upstream(text: &str) -> Result<(String, u16), &'static str> {
    let (name, port) = text.rsplit_once(':').ok_or("has no port; write HOST:PORT")?;
    Ok((host(name)?, port.parse().map_err(|_| "has no port; write HOST:PORT")?))
}

/// An https address whose characters need no quotes in YAML.
fn url(text: &str) -> Result<String, &'static str> {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:@%+=".contains(&byte);
    let is_plain = text.bytes().all(is_fine) && !text.ends_with(':') && !text.contains("://:");
    host_of(text)
        .filter(|_| is_plain)
        .map(|_| text.to_owned())
        .ok_or("is not an address such as https://idp.example.com, without a port or a query")
}

fn host_of(address: &str) -> Option<&str> {
    let name = address.strip_prefix("https://")?.split('/').next()?;
    host(name).is_ok().then_some(name)
}

/// The audience of tokens: any text of visible characters, such as a GUID or an address. It is written in
/// single quotes.
fn audience(text: &str) -> Result<String, &'static str> {
    let is_fine = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\'' | b'"' | b'\\');
    let is_audience = !text.is_empty() && text.bytes().all(is_fine);
    is_audience.then(|| text.to_owned()).ok_or("may have visible ASCII characters, but no quotes")
}

/// A name that needs no quotes in YAML.
fn word(text: &str) -> Result<String, &'static str> {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let is_constant = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        .iter()
        .any(|it| text.eq_ignore_ascii_case(it));
    let is_word = text.bytes().all(is_fine)
        && text.starts_with(|it: char| it.is_ascii_alphabetic())
        && !is_constant;
    is_word.then(|| text.to_owned()).ok_or(
        "may have letters, digits, dots and dashes, begins with a letter, and is no constant of YAML",
    )
}
