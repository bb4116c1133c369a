//! The command line.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::persona::{self, CastError};
use crate::random;
use crate::sim::Settings;
use crate::tls::TlsError;
use crate::universal::Client;
use crate::verify::{Form, Keys};
use crate::world::{NewUserPolicy, Rules, World};

/// Simulator of Duo's Auth API and of its Universal Prompt.
///
/// The default keys are the example keys of Duo's documentation.
#[derive(clap::Parser)]
#[command(version)]
pub(crate) struct Options {
    /// Address of the Auth API without TLS
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) http: SocketAddr,
    /// Address of the Auth API with TLS
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) https: SocketAddr,
    /// Address of the control interface and the phone page
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) control: SocketAddr,
    /// Interface of all three instead of loopback, such as 0.0.0.0 in a container
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<IpAddr>,
    /// Integration key of the simulated application
    #[arg(long, default_value = "DIWJ8X6AEYOR5OMC6TQ1")]
    integration_key: String,
    /// Secret key of the simulated application
    #[arg(long, default_value = "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep")]
    secret_key: String,
    /// Client id of the simulated Web SDK application
    #[arg(long, default_value = "DISIMULATEDWEBSDK001")]
    client_id: String,
    /// Client secret of the simulated Web SDK application
    #[arg(long, default_value = "SimulatedWebSdkSecretSimulatedWebSdk0001")]
    client_secret: String,
    /// A further Web SDK application
    #[arg(long = "further-client", value_name = "ID=SECRET")]
    further_clients: Vec<Client>,
    /// Name of the API, in its URLs and in its certificate
    #[arg(long, default_value = "api-sim.duo.test")]
    api_host: String,
    /// Accept only this version of signature
    #[arg(long)]
    signature: Option<Form>,
    /// YAML file with users; without it, a built-in cast is used
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// Result of preauth for unknown users
    #[arg(long, default_value = "enroll")]
    new_user_policy: NewUserPolicy,
    /// Number of consecutive failures that lock a user out
    #[arg(long, default_value_t = 10)]
    lockout_threshold: u32,
    /// Seconds that a push or call waits for an answer
    #[arg(long, default_value_t = 60.0)]
    push_timeout: f64,
    /// Longest time in seconds that auth_status is held
    #[arg(long, default_value_t = 30.0)]
    max_hold: f64,
    /// Directory of the certificate authority; without it, a new temporary one
    #[arg(long, value_name = "DIRECTORY")]
    state_dir: Option<PathBuf>,
    /// Additional DNS name or IP address in the certificate, beside localhost, 127.0.0.1 and the
    /// API host
    #[arg(long = "name", value_name = "NAME")]
    more_names: Vec<String>,
    /// How the addresses are printed on standard output
    #[arg(long, default_value = "json")]
    pub(crate) print: Print,
    /// End when standard input is closed
    #[arg(long)]
    pub(crate) exit_with_stdin: bool,
    /// Report failed TLS handshakes on standard error
    #[arg(long)]
    verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Print {
    Json,
    Text,
}

/// Why the program cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("{0} is not a loopback address; use --listen to serve others")]
    NotLoopback(SocketAddr),
    #[error("{address}: {error}")]
    Bind { address: SocketAddr, error: io::Error },
    #[error("{0}")]
    Socket(#[from] io::Error),
    #[error(transparent)]
    Cast(#[from] CastError),
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Options {
    /// `address`; with `--listen`, that interface and the port of `address`.
    pub(crate) fn address(&self, address: SocketAddr) -> Result<SocketAddr, StartError> {
        match self.listen {
            Some(interface) => Ok(SocketAddr::new(interface, address.port())),
            None if address.ip().is_loopback() => Ok(address),
            None => Err(StartError::NotLoopback(address)),
        }
    }

    pub(crate) fn world(&self) -> Result<World, StartError> {
        let cast = match &self.users {
            None => persona::built_in()?,
            Some(file) => {
                let text = std::fs::read_to_string(file).map_err(CastError::from)?;
                persona::parse(&text)?
            }
        };
        let rules =
            Rules { new_users: self.new_user_policy, lockout_threshold: self.lockout_threshold };
        Ok(World::new(rules, cast))
    }

    /// `phones` is the address of the phone page.
    pub(crate) fn settings(self, phones: SocketAddr) -> Settings {
        Settings {
            clients: [Client { id: self.client_id, secret: self.client_secret }]
                .into_iter()
                .chain(self.further_clients)
                .collect(),
            phones,
            keys: Keys { integration_key: self.integration_key, secret_key: self.secret_key },
            api_host: self.api_host,
            accepted: self.signature,
            push_timeout: seconds(self.push_timeout),
            max_hold: seconds(self.max_hold),
            verbose: self.verbose,
        }
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.state_dir.clone().unwrap_or_else(|| {
            std::env::temp_dir().join(format!("duo-sim-{}", random::identifier("")))
        })
    }

    /// The names in the certificate.
    pub(crate) fn names(&self) -> Vec<String> {
        ["localhost", "127.0.0.1", &self.api_host]
            .into_iter()
            .map(str::to_owned)
            .chain(self.more_names.iter().cloned())
            .collect()
    }
}

fn seconds(count: f64) -> Duration {
    Duration::try_from_secs_f64(count).unwrap_or_default()
}
